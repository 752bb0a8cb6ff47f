"""A validator that only lets more through risks nothing; any other does."""

import pytest

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.risk import Circumstances, Risk, Statistics
from fastapi_easy.domain.migrations.rules.table import RULES

SOME = {"rows:books": 3, "violations:books.()": 1}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({"validator": '{"a": 1}', "loosens": True}, [], id="looser"),
        pytest.param({"validator": "{}"}, [], id="none"),
        pytest.param({"validator": '{"a": 1}'}, ["BC109", "DD105"], id="any other"),
    ],
)
def test_only_a_validator_that_may_reject_something_is_found(facts, expected):
    change = Change(kind=ChangeKind.CHANGE_VALIDATOR, table="books", facts=facts)
    circumstances = Circumstances(
        dialect="mongodb", statistics=Statistics(SOME), changes=(change,), step=(change,), mode="autocommit"
    )

    found = [
        rule.id
        for rule in RULES
        if change.kind in rule.kinds and "mongodb" in rule.dialects
        for verdict in [rule.judge(change, circumstances)]
        if verdict is not None and verdict.risk is not Risk.SAFE
    ]

    assert sorted(found) == expected
