"""Every rule, on every kind of database that it applies to."""

from typing import get_args

import pytest

from fastapi_easy.domain.migrations.change import ChangeKind, Dialect
from fastapi_easy.domain.migrations.risk import Risk
from fastapi_easy.domain.migrations.rules.table import RULES
from tests.unit.domain.migrations.rule_cases import CASES, ONLY_IN_ASSESSMENT
from tests.unit.domain.migrations.situations import rule_of, verdict_of

APPLYING = [
    pytest.param(rule.id, dialect, id=f"{rule.id} on {dialect}")
    for rule in RULES
    if rule.id not in ONLY_IN_ASSESSMENT
    for dialect in get_args(Dialect)
    if dialect in rule.dialects
]


def test_every_rule_has_a_case() -> None:
    assert [rule.id for rule in RULES] == sorted(
        {*CASES, *ONLY_IN_ASSESSMENT}, key=[rule.id for rule in RULES].index
    )


def test_every_rule_of_the_catalogue_is_there_once() -> None:
    counts = {"DS": 13, "BC": 10, "DD": 9, "LK": 25, "IN": 5, "OP": 13, "ST": 8}

    assert [rule.id for rule in RULES] == [
        f"{family}{100 + number}" for family, count in counts.items() for number in range(1, count + 1)
    ]


@pytest.mark.parametrize(("rule_id", "dialect"), APPLYING)
def test_a_rule_finds_what_it_is_about(rule_id: str, dialect: Dialect) -> None:
    verdict = verdict_of(rule_id, CASES[rule_id][0], dialect)

    assert verdict is not None
    assert verdict.risk is rule_of(rule_id).risk


@pytest.mark.parametrize(("rule_id", "dialect"), APPLYING)
def test_a_rule_says_nothing_of_the_nearest_sibling(rule_id: str, dialect: Dialect) -> None:
    assert verdict_of(rule_id, CASES[rule_id][1], dialect) is None


@pytest.mark.parametrize("rule", [pytest.param(each, id=each.id) for each in RULES])
def test_a_rule_says_what_to_do_instead_and_why(rule: object) -> None:
    texts = [getattr(rule, name) for name in ("title", "why", "alternative", "decided")]

    assert [text for text in texts if not text or text != text.strip()] == []


def test_no_change_of_an_unknown_kind_is_safe() -> None:
    unknown = [rule.id for rule in RULES if ChangeKind.UNKNOWN in rule.kinds and rule.risk is Risk.DANGEROUS]

    assert "OP109" in unknown
