"""Rows → numbers about them, exactly as the domain words them."""

import decimal
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, assert_never

from fastapi_easy.domain.field import Field
from fastapi_easy.domain.queries.aggregation import Aggregation, Function, Group, Measure, average
from fastapi_easy.domain.queries.ordering import sort_key
from fastapi_easy.infrastructure.persistence.memory.tables import Identity, Values

_EXACT: Final = decimal.Context(prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)


def aggregate_rows(
    rows: Iterable[Values], aggregation: Aggregation, fields: Mapping[str, Field]
) -> Sequence[Group]:
    """Return the groups of *rows* and their numbers. The rows are filtered already."""
    members: dict[Identity, list[Values]] = {} if aggregation.group_by else {(): []}
    for row in rows:
        members.setdefault(tuple(row[name] for name in aggregation.group_by), []).append(row)
    wanted = sorted(members, key=_sort_key)[aggregation.offset : aggregation.offset + aggregation.limit]
    return [
        Group(by, tuple(_total(measure, members[by], fields) for measure in aggregation.measures))
        for by in wanted
    ]


def _sort_key(by: Identity) -> tuple[Any, ...]:
    """Return something that sorts as the values of *by* do, nulls last."""
    return tuple((True,) if value is None else (False, sort_key(value)) for value in by)


def _total(measure: Measure, rows: Sequence[Values], fields: Mapping[str, Field]) -> Any:
    if measure.field is None:
        return len(rows)
    present = [row[measure.field] for row in rows if row[measure.field] is not None]
    if measure.function is Function.COUNT:
        return len(present)
    if not present:
        return None
    match measure.function:
        case Function.SUM:
            return _sum(present)
        case Function.AVERAGE:
            return average(_sum(present), len(present), fields[measure.field])
        case Function.MINIMUM:
            return min(present)
        case Function.MAXIMUM:
            return max(present)
        case _:
            assert_never(measure.function)


def _sum(present: Sequence[Any]) -> Any:
    if not isinstance(present[0], decimal.Decimal):
        return sum(present)
    total = decimal.Decimal(0)
    for each in present:
        total = _EXACT.add(total, each)
    return total
