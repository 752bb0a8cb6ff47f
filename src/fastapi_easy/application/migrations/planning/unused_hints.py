"""Hints that nothing in a plan follows: names that are misspelled, most likely."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Final

from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.hints import Hints

_FILLED: Final = frozenset({ChangeKind.ADD_COLUMN, ChangeKind.SET_NOT_NULL, ChangeKind.BACKFILL})


def unused_hints(changes: Collection[Change], hints: Hints) -> Hints:
    """Return those of *hints* about names that none of *changes* concerns.

    Args:
        changes: Those of the plan that was made with them.

        hints: What a person has said.
    """

    def unused(given: Mapping[str, str], kinds: frozenset[ChangeKind]) -> dict[str, str]:
        concerned = {each.object for each in changes if each.kind in kinds}
        return {name: value for name, value in given.items() if concerned.isdisjoint(_names_of(name, hints))}

    return replace(
        hints,
        renamed_columns=unused(hints.renamed_columns, frozenset({ChangeKind.RENAME_COLUMN})),
        renamed_tables=unused(
            hints.renamed_tables, frozenset({ChangeKind.RENAME_TABLE, ChangeKind.RENAME_COLLECTION})
        ),
        fill=unused(hints.fill, _FILLED),
        using=unused(hints.using, frozenset({ChangeKind.CHANGE_TYPE})),
        drop_undeclared=False,
        online=True,
    )


def _names_of(name: str, hints: Hints) -> Iterator[str]:
    """Yield every name that a table or column has before, during and after the renames."""
    yield name
    columns = hints.renamed_columns
    for one, other in ((old, f"{old.rpartition('.')[0]}.{new}") for old, new in columns.items()):
        if name in {one, other}:
            yield from _with_other_tables(one, hints)
            yield from _with_other_tables(other, hints)
    yield from _with_other_tables(name, hints)


def _with_other_tables(name: str, hints: Hints) -> Iterator[str]:
    table, _, column = name.rpartition(".")
    yield name
    for old, new in hints.renamed_tables.items():
        if table in {old, new}:
            yield f"{old}.{column}"
            yield f"{new}.{column}"
