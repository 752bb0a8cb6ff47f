"""Judges steps in memory: what deletes is dangerous, and everything else is safe."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Final

from fastapi_easy.application.migrations.assessing.assessor import Assessment
from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.policy import Suppression
from fastapi_easy.domain.migrations.risk import Consequence, Finding, Risk, Statistics
from fastapi_easy.domain.migrations.step import Step
from fastapi_easy.domain.ports.schema_store import Draft

_RULES: Final = {ChangeKind.DROP_TABLE: "DS101", ChangeKind.DROP_COLUMN: "DS103"}


class InMemoryAssessor:
    """Implements `Assessor` with two rules; further findings can be given by the object that they are about."""

    def __init__(self, risks: Mapping[str, Risk] | None = None) -> None:
        """Begin with *risks* of objects, such as `{"books.title": Risk.CAUTION}`."""
        self._risks = {} if risks is None else risks

    def questions(self, changes: Sequence[Change]) -> Sequence[str]:
        """Return how many rows the tables have that are dropped."""
        return [f"rows:{each.table}" for each in changes if each.kind in _RULES]

    def assess(
        self, draft: Draft, statistics: Statistics, suppressions: Sequence[Suppression] = ()
    ) -> Assessment:
        """Judge the steps of *draft*."""
        return Assessment(steps=tuple(self._judge(each, statistics) for each in draft.steps))

    def _judge(self, step: Step, statistics: Statistics) -> Step:
        findings = tuple(finding for each in step.changes for finding in self._findings(each, statistics))
        return dataclasses.replace(
            step,
            risk=max((each.risk for each in findings), default=Risk.SAFE),
            findings=findings,
            destructive=any(each.kind in _RULES for each in step.changes),
        )

    def _findings(self, change: Change, statistics: Statistics) -> Sequence[Finding]:
        found = []
        if change.kind in _RULES:
            rows = statistics.get(f"rows:{change.table}")
            found.append(_finding(_RULES[change.kind], change, Risk.DANGEROUS, f"{rows} rows"))
        if (risk := self._risks.get(change.object)) is not None:
            found.append(_finding("XX001", change, risk, "static"))
        return found


def _finding(rule: str, change: Change, risk: Risk, evidence: str) -> Finding:
    return Finding(
        rule=rule,
        risk=risk,
        object=change.object,
        title=change.kind.replace("_", " "),
        message=f"{change.kind.replace('_', ' ')} {change.object}",
        consequences=(Consequence.LOSS,),
        evidence=evidence,
        alternative="",
        docs="",
    )
