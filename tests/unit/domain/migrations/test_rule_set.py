"""Rules of a program beside those of this system."""

import re
from dataclasses import replace

import pytest

from fastapi_easy.domain.migrations.rule_set import RuleSet, docs_of
from tests.unit.domain.migrations.situations import rule_of

CUSTOM = replace(rule_of("DS101"), id="SHOP101")


def test_yields_the_rules_of_this_system_first() -> None:
    ids = [rule.id for rule in RuleSet().with_rule(CUSTOM)]

    assert (ids[0], ids[-1], len(ids)) == ("DS101", "SHOP101", len([*RuleSet()]) + 1)


@pytest.mark.parametrize(
    ("taken", "said"),
    [
        pytest.param("DS101", "DS101: DS is for rules of this system; choose another prefix", id="built in"),
        pytest.param("DS999", "DS999: DS is for rules of this system; choose another prefix", id="prefix"),
        pytest.param("SHOP101", "SHOP101: two rules have this id", id="twice"),
        pytest.param(
            "shop1",
            "'shop1' is not the id of a rule: write capital letters and three digits, such as SHOP101",
            id="form",
        ),
    ],
)
def test_rejects_an_id(taken: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        RuleSet((CUSTOM,)).with_rule(replace(CUSTOM, id=taken))


def test_finds_a_rule_by_its_id() -> None:
    rules = RuleSet((CUSTOM,))

    assert [rules.find("SHOP101"), rules.find("DS101"), rules.find("XX101")] == [
        CUSTOM,
        rule_of("DS101"),
        None,
    ]


def test_only_rules_of_this_system_have_a_page_here() -> None:
    assert [docs_of(rule_of("LK101")), docs_of(CUSTOM), docs_of(replace(CUSTOM, docs="x"))] == [
        "docs/reference/migration-rules.md#lk101",
        "",
        "x",
    ]
