"""A table's foreign keys → `Reference`."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Column, Table

from fastapi_easy.domain.resources.reference import Reference, ReferentialAction


def references_of(table: Table, names: Mapping[Column[Any], str]) -> Iterator[Reference]:
    """Read the foreign keys of *table*, in the order of its columns; without those of columns that are not mapped.

    Args:
        table: The user's; every table that it refers to is declared.

        names: The field that each column is mapped to.
    """
    places = {column: place for place, column in enumerate(table.columns)}
    rules = table.foreign_key_constraints
    for rule in sorted(rules, key=lambda rule: [places[each.parent] for each in rule.elements]):
        if all(each.parent in names for each in rule.elements):
            yield Reference(
                fields=tuple(names[each.parent] for each in rule.elements),
                target=rule.referred_table.fullname,
                remote=tuple(each.column.name for each in rule.elements),
                on_delete=_action(rule.ondelete),
                on_update=_action(rule.onupdate),
                deferred=(rule.initially or "").upper() == "DEFERRED",
            )


def _action(declared: str | None) -> ReferentialAction:
    # PostgreSQL's SET NULL may be followed by a list of columns.
    action = " ".join((declared or "").partition("(")[0].upper().split())
    return ReferentialAction(action) if action in set(ReferentialAction) else ReferentialAction.NO_ACTION
