"""An aggregation → a pipeline, and its answer → groups."""

import decimal
from collections.abc import Sequence
from typing import Any, assert_never

from bson import Decimal128

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.queries.aggregation import Aggregation, Function, Group, Measure, average
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import KEY, LOOKUP_PREFIX, Plan
from fastapi_easy.infrastructure.persistence.mongo.queries.specification import PlanLookup, build_condition


def build_aggregation(aggregation: Aggregation, plan: Plan, plans: PlanLookup) -> list[Document]:
    """Build the pipeline that answers *aggregation* about documents of *plan*."""
    by = {
        f"by_{number}": _null_if_missing(plan.path(name)) for number, name in enumerate(aggregation.group_by)
    }
    accumulators: Document = {}
    for number, measure in enumerate(aggregation.measures):
        accumulators[f"count_{number}"] = {
            "$sum": 1 if measure.field is None else _count_if_not_null(plan, measure)
        }
        accumulators[f"value_{number}"] = _accumulator(measure, plan)
    pipeline = [
        *build_condition(aggregation.specification, plan, plans).pipeline,
        {"$group": {KEY: by, **accumulators}},
    ]
    if not by:
        return pipeline
    # Computed, since the server would sort nulls first.
    nulls = {f"{LOOKUP_PREFIX}null_{name}": {"$eq": [f"${KEY}.{name}", None]} for name in by}
    order = {path: 1 for name in by for path in (f"{LOOKUP_PREFIX}null_{name}", f"{KEY}.{name}")}
    skipped: list[Document] = [{"$skip": aggregation.offset}] if aggregation.offset else []
    return [*pipeline, {"$set": nulls}, {"$sort": order}, *skipped, {"$limit": aggregation.limit}]


def read_groups(aggregation: Aggregation, plan: Plan, documents: Sequence[Document]) -> list[Group]:
    """Decode what the pipeline answered. Without `group_by` there is one group, also of no entities."""
    found = list(documents)
    if not aggregation.group_by:
        # Of no documents `$group` makes no group, but there has to be one; an offset may pass over it.
        found = (found or [{KEY: {}}])[aggregation.offset :]
    return [
        Group(
            by=tuple(
                _decode(plan, name, each[KEY].get(f"by_{number}"))
                for number, name in enumerate(aggregation.group_by)
            ),
            totals=tuple(
                _read_total(measure, plan, each.get(f"count_{number}", 0), each.get(f"value_{number}"))
                for number, measure in enumerate(aggregation.measures)
            ),
        )
        for each in found
    ]


def _accumulator(measure: Measure, plan: Plan) -> Document:
    if measure.field is None:
        return {"$sum": 0}
    path = f"${plan.path(measure.field)}"
    match measure.function:
        case Function.COUNT:
            return {"$sum": 0}
        case Function.MINIMUM:
            return {"$min": path}
        case Function.MAXIMUM:
            return {"$max": path}
        case Function.SUM | Function.AVERAGE:
            # The sum of longs would become a double when it is too large for a long.
            is_integer = plan.resource.fields[measure.field].kind is Kind.INTEGER
            return {"$sum": {"$toDecimal": path} if is_integer else path}
        case never:
            assert_never(never)


def _read_total(measure: Measure, plan: Plan, count: int, value: object) -> object:
    if measure.field is None:
        return int(count)
    match measure.function:
        case Function.COUNT:
            return int(count)
        case Function.MINIMUM | Function.MAXIMUM:
            return _decode(plan, measure.field, value) if count else None
        case Function.SUM:
            return _read_sum(measure.field, plan, value) if count else None
        case Function.AVERAGE:
            field = plan.resource.fields[measure.field]
            return average(_to_number(field, value), count, field) if count else None
        case never:
            assert_never(never)


def _read_sum(name: str, plan: Plan, value: Any) -> object:
    field = plan.resource.fields[name]
    if field.kind is Kind.FLOAT:
        return float(value)
    if field.kind is Kind.INTEGER:
        return int(_to_number(field, value))
    return plan.codecs[name].decode(value)


def _to_number(field: Field, value: Any) -> Any:
    if field.kind is Kind.FLOAT:
        return float(value)
    return value.to_decimal() if isinstance(value, Decimal128) else decimal.Decimal(value)


def _decode(plan: Plan, name: str, value: object) -> object:
    return None if value is None else plan.codecs[name].decode(value)


def _count_if_not_null(plan: Plan, measure: Measure) -> Document:
    path = plan.path(str(measure.field))
    return {"$cond": [{"$eq": [_null_if_missing(path), None]}, 0, 1]}


def _null_if_missing(path: str) -> Document:
    # Expressions tell a missing field from null; to us both are null.
    return {"$ifNull": [f"${path}", None]}
