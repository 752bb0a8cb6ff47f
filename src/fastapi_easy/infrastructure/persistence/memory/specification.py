"""Specification, order and cursor → which rows, in which sequence."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.domain.queries.page import Cursor
from fastapi_easy.domain.queries.specification import Everything, Specification, is_satisfied_by
from fastapi_easy.infrastructure.persistence.memory.related_rows import Following
from fastapi_easy.infrastructure.persistence.memory.tables import Values


def matching(rows: Iterable[Values], specification: Specification, follow: Following) -> list[Values]:
    """The rows that *specification* means."""
    if isinstance(specification, Everything):
        return list(rows)
    return [row for row in rows if is_satisfied_by(specification, row, follow)]


def arranged(rows: Iterable[Values], order: Sequence[Sort], follow: Following) -> list[Values]:
    """*rows* in *order*, nulls last in either direction."""
    rows = list(rows)
    # From the least important term to the most: every sort keeps the sequence of equals.
    for term in reversed(order):
        value = partial(follow.value, term)
        present = [row for row in rows if value(row) is not None]
        present.sort(key=value, reverse=term.descending)
        rows = present + [row for row in rows if value(row) is None]
    return rows


def place_of(row: Values, order: Sequence[Sort], follow: Following) -> Cursor:
    """Where *row* stands in *order*."""
    return Cursor(tuple(follow.value(term, row) for term in order))


def behind(cursor: Cursor, order: Sequence[Sort], follow: Following) -> Callable[[Values], bool]:
    """Whether a row comes after the place of *cursor* in *order*."""
    place = tuple(zip(order, cursor.values, strict=True))

    def is_behind(row: Values) -> bool:
        for term, seen in place:
            value: Any = follow.value(term, row)
            if value == seen:
                continue
            if value is None or seen is None:
                return value is None
            return bool((value < seen) if term.descending else (value > seen))
        return False

    return is_behind
