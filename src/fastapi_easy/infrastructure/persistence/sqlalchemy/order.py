"""Orders and places in them → SQL. Nulls come last in both directions."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, false, or_, tuple_

from fastapi_easy.domain.ordering import Sort
from fastapi_easy.infrastructure.persistence.sqlalchemy.terms import Terms


def clauses(order: Sequence[Sort], terms: Terms) -> Iterator[ColumnElement[Any]]:
    """What `ORDER BY` lists for *order*."""
    for sort in order:
        term = terms.ordered(sort.field)
        directed = term.desc() if sort.descending else term.asc()
        if not terms.fields[sort.field].nullable:
            yield directed
        elif terms.server.name == "mysql":
            yield case((terms.plain(sort.field).is_(None), 1), else_=0).asc()
            yield directed
        else:
            yield directed.nulls_last()


def behind(order: Sequence[Sort], nulls: Sequence[bool], terms: Terms) -> ColumnElement[bool]:
    """What holds for every row behind a place.

    Args:
        order: A total one.

        nulls: For each sort, whether the place holds null there.

        terms: Of the table.
    """
    is_uniform = len({sort.descending for sort in order}) == 1
    if is_uniform and terms.server.name != "mysql" and not any(terms.fields[s.field].nullable for s in order):
        return _row_behind(order, terms)
    return _expanded(order, nulls, terms)


def place(values: Sequence[Any]) -> dict[str, Any]:
    """The parameters that `behind` needs for a place with *values*."""
    return {_name(number): value for number, value in enumerate(values) if value is not None}


def _row_behind(order: Sequence[Sort], terms: Terms) -> ColumnElement[bool]:
    if len(order) == 1:
        return _beyond(order[0], 0, terms)
    columns = tuple_(*(terms.ordered(sort.field) for sort in order))
    values = tuple_(*(_value(sort, number, terms) for number, sort in enumerate(order)))
    return columns < values if order[0].descending else columns > values


def _expanded(order: Sequence[Sort], nulls: Sequence[bool], terms: Terms) -> ColumnElement[bool]:
    alternatives: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    for number, (sort, is_null) in enumerate(zip(order, nulls, strict=True)):
        column = terms.plain(sort.field)
        if is_null:
            # Nothing comes behind null in its own column.
            equal.append(column.is_(None))
            continue
        further = _beyond(sort, number, terms)
        if terms.fields[sort.field].nullable:
            further = or_(further, column.is_(None))
        alternatives.append(and_(*equal, further))
        equal.append(terms.ordered(sort.field) == _value(sort, number, terms))
    whole = or_(false(), *alternatives)
    first = order[0]
    if nulls[0] or terms.fields[first.field].nullable:
        return whole
    # Says nothing new, but an index on the first column understands it.
    term, value = terms.ordered(first.field), _value(first, 0, terms)
    return and_(term <= value if first.descending else term >= value, whole)


def _beyond(sort: Sort, number: int, terms: Terms) -> ColumnElement[bool]:
    term, value = terms.ordered(sort.field), _value(sort, number, terms)
    return term < value if sort.descending else term > value


def _value(sort: Sort, number: int, terms: Terms) -> ColumnElement[Any]:
    return bindparam(_name(number), type_=terms.type_in_order(sort.field))


def _name(number: int) -> str:
    return f"fe_after_{number}"
