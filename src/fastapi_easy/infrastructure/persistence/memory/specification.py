"""Filtering and sorting rows, and cursors."""

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any

from fastapi_easy.domain.queries.ordering import Sort, sort_key
from fastapi_easy.domain.queries.page import Cursor
from fastapi_easy.domain.queries.specification import Everything, Specification, is_satisfied_by
from fastapi_easy.infrastructure.persistence.memory.related_rows import RelatedRows
from fastapi_easy.infrastructure.persistence.memory.tables import Values


def filter_rows(
    rows: Iterable[Values], specification: Specification, related_rows: RelatedRows
) -> list[Values]:
    """Return the rows that *specification* means."""
    if isinstance(specification, Everything):
        return list(rows)
    return [row for row in rows if is_satisfied_by(specification, row, related_rows)]


def sort_rows(rows: Iterable[Values], order: Sequence[Sort], related_rows: RelatedRows) -> list[Values]:
    """Return *rows* in *order*, nulls last in either direction."""
    rows = list(rows)
    # From the least important term to the most: every sort keeps the sequence of equals.
    for term in reversed(order):
        keyed = [(row, sort_key(related_rows.value(term, row))) for row in rows]
        present = [each for each in keyed if each[1] is not None]
        present.sort(key=itemgetter(1), reverse=term.descending)
        rows = [row for row, _ in present] + [row for row, key in keyed if key is None]
    return rows


def cursor_at(row: Values, order: Sequence[Sort], related_rows: RelatedRows) -> Cursor:
    """Return the place of *row* in *order*."""
    return Cursor(tuple(related_rows.value(term, row) for term in order))


def after_cursor(
    cursor: Cursor, order: Sequence[Sort], related_rows: RelatedRows
) -> Callable[[Values], bool]:
    """Return a function that tells whether a row comes after the place of *cursor* in *order*."""
    place = tuple(zip(order, cursor.values, strict=True))

    def is_behind(row: Values) -> bool:
        for term, seen in place:
            value: Any = related_rows.value(term, row)
            if value == seen:
                continue
            if value is None or seen is None:
                return value is None
            mine, theirs = sort_key(value), sort_key(seen)
            return bool((mine < theirs) if term.descending else (mine > theirs))
        return False

    return is_behind
