"""Orders and cursors → SQL. Nulls come last in both directions."""

import enum
from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Text, and_, bindparam, case, cast, false, or_, tuple_

from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.expressions.places import PlaceOf
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.paths import Paths
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.terms import Term
from fastapi_easy.infrastructure.relational.driver.unreadable import is_undecodable


def order_by_clauses(order: Sequence[Sort], paths: Paths) -> Iterator[Term]:
    """Yield the terms of `ORDER BY` for *order*."""
    for sort in order:
        term = paths.ordered(sort)
        directed = term.desc() if sort.descending else term.asc()
        if not paths.is_nullable(sort):
            yield directed
        elif paths.server.name == "mysql":
            # MySQL has no NULLS LAST.
            yield case((paths.plain(sort).is_(None), 1), else_=0).asc()
            yield directed
        else:
            yield directed.nulls_last()


class CursorValue(enum.Enum):
    """What a cursor holds for one sort, as far as the statement depends on it."""

    NULL = enum.auto()
    VALUE = enum.auto()
    UNDECODABLE = enum.auto()
    """A text of SQLite that is no UTF-8, whose bytes are bound."""


def form_of_cursor(values: Sequence[object]) -> tuple[CursorValue, ...]:
    """Return what a cursor with *values* holds for each sort."""
    return tuple([_form_of(value) for value in values])


def _form_of(value: object) -> CursorValue:
    if value is None:
        return CursorValue.NULL
    return CursorValue.UNDECODABLE if is_undecodable(value) else CursorValue.VALUE


def after_cursor(order: Sequence[Sort], form: Sequence[CursorValue], paths: Paths) -> ColumnElement[bool]:
    """Build the condition that holds for every row behind a cursor.

    Args:
        order: A total order.

        form: For each sort, what the cursor holds there.

        paths: The columns of the sorts.
    """
    is_uniform = len({sort.descending for sort in order}) == 1
    if is_uniform and paths.server.name != "mysql" and not any(paths.is_nullable(sort) for sort in order):
        return _compare_rows(order, form, paths)
    return _expanded(order, form, paths)


def cursor_parameters(values: Sequence[object]) -> dict[str, object]:
    """Return the parameters of `after_cursor` for a cursor with *values*."""
    return {_name(number): value for number, value in enumerate(values) if value is not None}


def _compare_rows(order: Sequence[Sort], form: Sequence[CursorValue], paths: Paths) -> ColumnElement[bool]:
    if len(order) == 1:
        return _is_after(order[0], 0, form, paths)
    columns = tuple_(*(paths.ordered(sort) for sort in order))
    values = tuple_(*(_value(sort, number, form, paths) for number, sort in enumerate(order)))
    return columns < values if order[0].descending else columns > values


def _expanded(order: Sequence[Sort], form: Sequence[CursorValue], paths: Paths) -> ColumnElement[bool]:
    alternatives: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    for number, (sort, held) in enumerate(zip(order, form, strict=True)):
        column = paths.plain(sort)
        if held is CursorValue.NULL:
            # Nulls are last: behind one only rows follow that hold null as well.
            equal.append(column.is_(None))
            continue
        further = _is_after(sort, number, form, paths)
        if paths.is_nullable(sort):
            further = or_(further, column.is_(None))
        alternatives.append(and_(*equal, further))
        equal.append(paths.ordered(sort) == _value(sort, number, form, paths))
    whole = or_(false(), *alternatives)
    first = order[0]
    if form[0] is CursorValue.NULL or paths.is_nullable(first):
        return whole
    # Follows from the rest, but unlike that it can be looked up in an index on the first column.
    term, value = paths.ordered(first), _value(first, 0, form, paths)
    return and_(term <= value if first.descending else term >= value, whole)


def _is_after(sort: Sort, number: int, form: Sequence[CursorValue], paths: Paths) -> ColumnElement[bool]:
    term, value = paths.ordered(sort), _value(sort, number, form, paths)
    return term < value if sort.descending else term > value


def _value(sort: Sort, number: int, form: Sequence[CursorValue], paths: Paths) -> Term:
    value = bindparam(_name(number), type_=paths.type_of(sort))
    if form[number] is CursorValue.UNDECODABLE and not isinstance(value.type, PlaceOf):
        # The driver sends no such text: as bytes it gets there, and is a text again.
        return cast(value, Text())
    return value


def _name(number: int) -> str:
    return f"fe_after_{number}"
