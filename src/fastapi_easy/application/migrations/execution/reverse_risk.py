"""What is lost when a step is undone, as findings that have to be allowed."""

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Final

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.risk import Consequence, Finding, Risk, Statistics
from fastapi_easy.domain.migrations.step import Step

_LOSSES: Final = {
    ChangeKind.CREATE_TABLE: ("DS101", "drop table", "every row that was written since"),
    ChangeKind.CREATE_COLLECTION: ("DS101", "drop collection", "every document that was written since"),
    ChangeKind.CREATE_SCHEMA: ("DS102", "drop schema", "what was created in it since"),
    ChangeKind.ADD_COLUMN: ("DS103", "drop column", "every value that was written since"),
    ChangeKind.CHANGE_TYPE: ("DS106", "change the type back", "values that only the newer type holds"),
}
"""Rule, title and what is lost, by what was done."""

_OPAQUE: Final = frozenset(
    {ChangeKind.RUN_SQL, ChangeKind.RUN_PYTHON, ChangeKind.BACKFILL, ChangeKind.UNKNOWN}
)
"""What is undone by statements of somebody's own: nobody can tell what they delete."""


def questions_about_reverse(changes: Iterable[Change]) -> tuple[str, ...]:
    """Return what has to be known of the data to tell what undoing *changes* loses."""
    asked: list[str] = []
    for each in changes:
        if each.kind in _LOSSES and each.table:
            asked.append(f"rows:{each.table}")
        if each.kind is ChangeKind.ADD_COLUMN:
            asked.append(f"all_null:{each.object}")
    return tuple(dict.fromkeys(asked))


def judge_reverse(step: Step, statistics: Statistics) -> Step:
    """Return what undoes *step* as a step of its own, with what is lost by it; unknown counts as lost."""
    findings = tuple(_findings(step.changes, statistics)) if step.reverse else ()
    return dataclasses.replace(
        step,
        summary=f"undo: {step.summary}",
        statements=step.reverse,
        mode=step.reverse_mode,
        risk=max((each.risk for each in findings), default=Risk.SAFE),
        findings=findings,
        destructive=any(Consequence.LOSS in each.consequences for each in findings),
    )


def _findings(changes: Iterable[Change], statistics: Statistics) -> Iterator[Finding]:
    for each in changes:
        if each.kind in _OPAQUE:
            yield _finding(each, "OP109", "statements of its own", "nobody can tell what undoing it deletes")
        elif each.kind in _LOSSES and not _is_nothing_there(each, statistics):
            rule, title, lost = _LOSSES[each.kind]
            yield _finding(each, rule, title, f"undoing it deletes {lost}", Consequence.LOSS)


def _is_nothing_there(change: Change, statistics: Statistics) -> bool:
    if change.table and statistics.get(f"rows:{change.table}") == 0:
        return True
    return change.kind is ChangeKind.ADD_COLUMN and statistics.get(f"all_null:{change.object}") is True


def _finding(
    change: Change, rule: str, title: str, message: str, consequence: Consequence = Consequence.OPERATION
) -> Finding:
    return Finding(
        rule=rule,
        risk=Risk.DANGEROUS,
        object=change.object,
        title=title,
        message=message,
        consequences=(consequence,),
        evidence="static",
        alternative="copy what is needed first",
        docs=f"docs/reference/migration-rules.md#{rule.lower()}",
    )
