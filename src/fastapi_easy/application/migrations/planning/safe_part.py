"""Divides a plan into what may be done without being asked for, and the rest."""

import dataclasses
from collections.abc import Iterator

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.risk import Risk
from fastapi_easy.domain.migrations.step import Step

_RENAMING = frozenset({ChangeKind.RENAME_TABLE, ChangeKind.RENAME_COLLECTION})
_OF_SCHEMAS = frozenset({ChangeKind.CREATE_SCHEMA, ChangeKind.DROP_SCHEMA, ChangeKind.RENAME_SCHEMA})
_TAKING_AWAY = frozenset(
    {
        ChangeKind.DROP_INDEX,
        ChangeKind.DROP_UNIQUE,
        ChangeKind.DROP_CHECK,
        ChangeKind.DROP_FOREIGN_KEY,
        ChangeKind.DROP_PRIMARY_KEY,
    }
)


def select_safe_part(plan: MigrationPlan) -> MigrationPlan:
    """Return *plan* with those of its steps that are safe and need none of the others.

    Left out is what is not safe, what takes an index or a rule away without making it anew, what may be a rename, what
    concerns an object of an earlier step that is left out, what is dropped of a table of which any step is left out,
    and every step of a change when one of them is.

    Of scripts it is the whole ones in front of the first that is not safe: a script is applied wholly, or not yet.
    """
    if plan.source == "files":
        return _safe_scripts(plan)
    made = {(each.table, each.name) for each in plan.changes if each.kind not in _TAKING_AWAY}
    refused = {index for index, step in enumerate(plan.steps) if not _is_safe(step, made)}
    while True:
        found = _depending(plan.steps, refused)
        if found <= refused:
            break
        refused |= found
    return dataclasses.replace(
        plan, steps=tuple(step for index, step in enumerate(plan.steps) if index not in refused)
    )


def _safe_scripts(plan: MigrationPlan) -> MigrationPlan:
    # Whoever has written that an index goes meant it.
    everything = {(each.table, each.name) for each in plan.changes}
    end, revisions = 0, []
    for index, step in enumerate(plan.steps):
        if not _is_safe(step, everything):
            break
        recorded = [
            each.facts["revision"]
            for each in step.changes
            if each.kind is ChangeKind.RECORD_REVISION and "revision" in each.facts
        ]
        if recorded:
            end = index + 1
            revisions += recorded
    return dataclasses.replace(plan, steps=plan.steps[:end], revisions=tuple(revisions))


def _is_safe(step: Step, made: set[tuple[str, str]]) -> bool:
    if step.risk is not Risk.SAFE or step.destructive:
        return False
    # Done as it stands, the new column is empty and the old one is dropped later: the data is lost. And who has made an
    # index that no class names had a reason, so a program that starts does not drop it.
    return not any(
        each.facts.get("probable_rename_of")
        or (each.kind in _TAKING_AWAY and (each.table, each.name) not in made)
        for each in step.changes
    )


def _depending(steps: tuple[Step, ...], refused: set[int]) -> set[int]:
    """Return *refused* and the steps that cannot do without one of those."""
    changes = {_identity(each) for index in refused for each in steps[index].changes}
    tables = {each.table for index in refused for each in steps[index].changes}
    kept = {
        (each.table, each.name)
        for index in refused
        for each in steps[index].changes
        if each.kind in _TAKING_AWAY
    }
    objects: set[str] = set()
    found: set[int] = set()
    for index, step in enumerate(steps):
        needed = {name for each in step.changes for name in (*_touched(each), *_referred(each)) if name}
        needed |= {name.rpartition(".")[0] for name in needed if "." in name}
        belongs = any(
            _identity(each) in changes or (each.table, each.name) in kept or _removes_from(each, tables)
            for each in step.changes
        )
        if index in refused or needed & objects or belongs:
            found.add(index)
            # What stays there although nobody declares it is in nobody's way.
            objects |= {
                name for each in step.changes if each.kind not in _TAKING_AWAY for name in _touched(each)
            }
    return found


def _removes_from(change: Change, tables: set[str]) -> bool:
    """Return whether *change* takes something away, perhaps for what is left out: the index of a column, say."""
    return change.table in tables and change.kind.startswith("drop_")


def _identity(change: Change) -> tuple[ChangeKind, str, str]:
    return change.kind, change.table, change.name


def _touched(change: Change) -> Iterator[str]:
    """Yield the tables, and for what belongs to none its own name, that *change* makes different."""
    if change.kind in _OF_SCHEMAS or not change.table:
        yield change.name
    if change.table:
        yield change.table
    if change.kind in _RENAMING and (renamed := change.facts.get("new_name")):
        yield renamed
    for column in change.facts.get("used_by", ()):
        yield column.rpartition(".")[0]


def _referred(change: Change) -> Iterator[str]:
    if references := change.facts.get("references"):
        yield references
