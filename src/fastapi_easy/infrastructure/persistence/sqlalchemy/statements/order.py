"""Orders and cursors → SQL. Nulls come last in both directions."""

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, and_, bindparam, case, false, or_, tuple_

from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.paths import Paths
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.terms import Term


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


def after_cursor(order: Sequence[Sort], nulls: Sequence[bool], paths: Paths) -> ColumnElement[bool]:
    """Build the condition that holds for every row behind a cursor.

    Args:
        order: A total order.

        nulls: For each sort, whether the cursor holds null there.

        paths: The columns of the sorts.
    """
    is_uniform = len({sort.descending for sort in order}) == 1
    if is_uniform and paths.server.name != "mysql" and not any(paths.is_nullable(sort) for sort in order):
        return _compare_rows(order, paths)
    return _expanded(order, nulls, paths)


def cursor_parameters(values: Sequence[object]) -> dict[str, object]:
    """Return the parameters of `after_cursor` for a cursor with *values*."""
    return {_name(number): value for number, value in enumerate(values) if value is not None}


def _compare_rows(order: Sequence[Sort], paths: Paths) -> ColumnElement[bool]:
    if len(order) == 1:
        return _is_after(order[0], 0, paths)
    columns = tuple_(*(paths.ordered(sort) for sort in order))
    values = tuple_(*(_value(sort, number, paths) for number, sort in enumerate(order)))
    return columns < values if order[0].descending else columns > values


def _expanded(order: Sequence[Sort], nulls: Sequence[bool], paths: Paths) -> ColumnElement[bool]:
    alternatives: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    for number, (sort, is_null) in enumerate(zip(order, nulls, strict=True)):
        column = paths.plain(sort)
        if is_null:
            # Nulls are last: behind one only rows follow that hold null as well.
            equal.append(column.is_(None))
            continue
        further = _is_after(sort, number, paths)
        if paths.is_nullable(sort):
            further = or_(further, column.is_(None))
        alternatives.append(and_(*equal, further))
        equal.append(paths.ordered(sort) == _value(sort, number, paths))
    whole = or_(false(), *alternatives)
    first = order[0]
    if nulls[0] or paths.is_nullable(first):
        return whole
    # Follows from the rest, but unlike that it can be looked up in an index on the first column.
    term, value = paths.ordered(first), _value(first, 0, paths)
    return and_(term <= value if first.descending else term >= value, whole)


def _is_after(sort: Sort, number: int, paths: Paths) -> ColumnElement[bool]:
    term, value = paths.ordered(sort), _value(sort, number, paths)
    return term < value if sort.descending else term > value


def _value(sort: Sort, number: int, paths: Paths) -> Term:
    return bindparam(_name(number), type_=paths.type_of(sort))


def _name(number: int) -> str:
    return f"fe_after_{number}"
