"""Specification, order and cursor → which rows, in which sequence."""

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, TypeAlias

from fastapi_easy.domain.ordering import Sort
from fastapi_easy.domain.page import Cursor
from fastapi_easy.domain.specification import Everything, Specification, is_satisfied_by

Values: TypeAlias = dict[str, Any]


def matching(rows: Iterable[Values], specification: Specification) -> list[Values]:
    """The rows that *specification* means."""
    if isinstance(specification, Everything):
        return list(rows)
    return [row for row in rows if is_satisfied_by(specification, row)]


def arranged(rows: list[Values], order: Sequence[Sort]) -> list[Values]:
    """*rows* in *order*, nulls last in either direction."""
    # From the least important term to the most: every sort keeps the sequence of equals.
    for term in reversed(order):
        value = itemgetter(term.field)
        present = [row for row in rows if value(row) is not None]
        present.sort(key=value, reverse=term.descending)
        rows = present + [row for row in rows if value(row) is None]
    return rows


def behind(cursor: Cursor, order: Sequence[Sort]) -> Callable[[Values], bool]:
    """Whether a row comes after the place of *cursor* in *order*."""
    place = tuple(zip(order, cursor.values, strict=True))

    def is_behind(row: Values) -> bool:
        for term, seen in place:
            value = row[term.field]
            if value == seen:
                continue
            if value is None or seen is None:
                return value is None
            return bool((value < seen) if term.descending else (value > seen))
        return False

    return is_behind
