"""What is allowed, and what would have to be."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastapi_easy.domain.migrations.policy import Approvals
from fastapi_easy.domain.migrations.risk import Finding, Risk
from fastapi_easy.domain.migrations.step import Step

FINDINGS = st.builds(
    Finding,
    rule=st.from_regex(r"[A-Z]{2,8}[0-9]{3}", fullmatch=True),
    risk=st.sampled_from(Risk),
    object=st.text(max_size=8),
    title=st.just("t"),
    message=st.just("m"),
    consequences=st.just(()),
    evidence=st.just("static"),
    alternative=st.just(""),
    docs=st.just(""),
    suppressed=st.none() | st.just("older"),
)
STEPS = st.builds(
    Step,
    changes=st.just(()),
    summary=st.just("s"),
    statements=st.just(("x",)),
    risk=st.sampled_from(Risk),
    findings=st.lists(FINDINGS, max_size=3).map(tuple),
    destructive=st.booleans(),
)


@given(STEPS)
@settings(deadline=None, max_examples=200)
def test_what_is_said_to_be_lacking_can_be_given_and_is_enough(step: Step) -> None:
    lacking = Approvals().lacking(step)

    assert Approvals.read(lacking).lacking(step) == ()


@given(STEPS)
@settings(deadline=None, max_examples=100)
def test_only_destructive_allows_to_delete_data_wholesale(step: Step) -> None:
    needed = Approvals().lacking(step)

    assert Approvals.read(["destructive"]).lacking(step) == (() if step.destructive else needed)
    if step.destructive:
        assert Approvals.read(["dangerous", "caution"]).lacking(step) == needed


@pytest.mark.parametrize(
    "text", ["", "all", "safe", "DS103", "ds103:books", "D1:books", "Dangerous", " caution"]
)
def test_refuses_what_allows_nothing(text: str) -> None:
    with pytest.raises(ValueError, match="allows nothing: write caution, dangerous, destructive"):
        Approvals.read(["caution", text])
