"""What a person may have to say about a plan before it does what they meant."""

import dataclasses
from collections.abc import Iterator

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.risk import Risk

_OF_MISSING_VALUES = frozenset({"BC105", "DD103"})
"""The rules about rows that have no value for a column that must not be null."""


def suggest_hints(plan: MigrationPlan, hints: Hints) -> Hints:
    """Return *hints* with what *plan* lets guess: renames instead of dropping and adding, and values for old rows.

    Of several columns that a new one may be the new name of, the first counts. What *hints* say already stays.
    """
    columns, tables, fill = dict(hints.renamed_columns), dict(hints.renamed_tables), dict(hints.fill)
    for change in plan.changes:
        old = change.facts.get("probable_rename_of", "")
        value = change.facts.get("suggested_fill", "")
        if old and change.kind is ChangeKind.ADD_COLUMN:
            _ = columns.setdefault(f"{change.table}.{old}", change.name)
        elif old and change.kind in {ChangeKind.CREATE_TABLE, ChangeKind.CREATE_COLLECTION}:
            _ = tables.setdefault(old, change.table)
        elif value:
            _ = fill.setdefault(change.object, value)
    renamed = {f"{key.rpartition('.')[0]}.{new}" for key, new in columns.items()}
    for change in _lacking_values(plan):
        value = change.facts.get("example_fill", "")
        if value and change.object not in renamed:
            _ = fill.setdefault(change.object, value)
    return dataclasses.replace(hints, renamed_columns=columns, renamed_tables=tables, fill=fill)


def find_examples(hints: Hints, plan: MigrationPlan) -> dict[str, str]:
    """Return those values for old rows in *hints* that nobody has asked for: examples of the types in *plan*."""
    return {
        each.object: value
        for each in plan.changes
        if (value := each.facts.get("example_fill", "")) and hints.fill.get(each.object) == value
    }


def find_missing_values(plan: MigrationPlan) -> list[str]:
    """Return the columns for which rows that exist have no value, and only a person knows one."""
    return [each.object for each in _lacking_values(plan)]


def _lacking_values(plan: MigrationPlan) -> Iterator[Change]:
    for step in plan.steps:
        lacking = {
            each.object
            for each in step.findings
            if each.rule in _OF_MISSING_VALUES and each.risk is Risk.DANGEROUS
        }
        for change in step.changes:
            if change.object in lacking and change.kind in {ChangeKind.ADD_COLUMN, ChangeKind.SET_NOT_NULL}:
                yield change
