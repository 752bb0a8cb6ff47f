"""Numbers about many entities → a pipeline, and what it answers."""

import decimal
from collections.abc import Callable, Sequence
from typing import Any

from bson import Decimal128

from fastapi_easy.domain.field import Kind
from fastapi_easy.domain.queries.aggregation import Aggregation, Function, Group, Measure, average
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import FETCHED, KEY, Document, Plan
from fastapi_easy.infrastructure.persistence.mongo.queries.specification import Plans, condition_of


def aggregating(aggregation: Aggregation, plan: Plan[Any], plans: Plans) -> list[Document]:
    """The pipeline that answers *aggregation* about documents of *plan*."""
    by = {f"by_{number}": _or_null(plan.path(name)) for number, name in enumerate(aggregation.group_by)}
    accumulators: Document = {}
    for number, measure in enumerate(aggregation.measures):
        accumulators[f"count_{number}"] = {"$sum": 1 if measure.field is None else _is_there(plan, measure)}
        accumulators[f"value_{number}"] = _accumulator(measure, plan)
    pipeline = [
        *condition_of(aggregation.specification, plan, plans).pipeline,
        {"$group": {KEY: by, **accumulators}},
    ]
    if not by:
        return pipeline
    nulls = {f"{FETCHED}null_{name}": {"$eq": [f"${KEY}.{name}", None]} for name in by}
    order = {path: 1 for name in by for path in (f"{FETCHED}null_{name}", f"{KEY}.{name}")}
    skipped: list[Document] = [{"$skip": aggregation.offset}] if aggregation.offset else []
    return [*pipeline, {"$set": nulls}, {"$sort": order}, *skipped, {"$limit": aggregation.limit}]


def groups(aggregation: Aggregation, plan: Plan[Any], documents: Sequence[Document]) -> list[Group]:
    """What the pipeline answered. Without `group_by` there is one group, also of no entities."""
    found = list(documents)
    if not aggregation.group_by:
        # Nothing is told of no entities, and a window may begin behind the only group.
        found = (found or [{KEY: {}}])[aggregation.offset :]
    return [
        Group(
            by=tuple(
                _decoded(plan, name, each[KEY].get(f"by_{number}"))
                for number, name in enumerate(aggregation.group_by)
            ),
            totals=tuple(
                _total(measure, plan, each.get(f"count_{number}", 0), each.get(f"value_{number}"))
                for number, measure in enumerate(aggregation.measures)
            ),
        )
        for each in found
    ]


def _accumulator(measure: Measure, plan: Plan[Any]) -> Document:
    if measure.field is None or measure.function is Function.COUNT:
        return {"$sum": 0}
    path = f"${plan.path(measure.field)}"
    match measure.function:
        case Function.MINIMUM:
            return {"$min": path}
        case Function.MAXIMUM:
            return {"$max": path}
        case _ if plan.resource.fields[measure.field].kind is Kind.INTEGER:
            # The sum of longs would become a double when it is too large for a long.
            return {"$sum": {"$toDecimal": path}}
        case _:
            return {"$sum": path}


def _total(measure: Measure, plan: Plan[Any], count: int, value: Any) -> Any:
    if measure.function is Function.COUNT or measure.field is None:
        return int(count)
    if not count:
        return None
    field = plan.resource.fields[measure.field]
    if measure.function not in {Function.SUM, Function.AVERAGE}:
        return _decoded(plan, measure.field, value)
    if field.kind is Kind.FLOAT:
        total: Any = float(value)
    else:
        total = value.to_decimal() if isinstance(value, Decimal128) else decimal.Decimal(value)
    if measure.function is Function.AVERAGE:
        return average(total, count, field)
    match field.kind:
        case Kind.FLOAT:
            return total
        case Kind.INTEGER:
            return int(total)
        case _:
            return plan.codecs[measure.field].decode(value)


def _decoded(plan: Plan[Any], name: str, value: Any) -> Any:
    decode: Callable[[Any], Any] = plan.codecs[name].decode
    return None if value is None else decode(value)


def _is_there(plan: Plan[Any], measure: Measure) -> Document:
    path = plan.path(str(measure.field))
    return {"$cond": [{"$eq": [_or_null(path), None]}, 0, 1]}


def _or_null(path: str) -> Document:
    return {"$ifNull": [f"${path}", None]}
