"""An aggregation → a pipeline, and its answer → groups."""

import decimal
import math
from collections.abc import Sequence
from typing import Any, assert_never

from bson import Decimal128

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.queries.aggregation import Aggregation, Function, Group, Measure, average
from fastapi_easy.infrastructure.persistence.mongo.documents.decoding import NotOfKind
from fastapi_easy.infrastructure.persistence.mongo.documents.document import KEY, Document
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import LOOKUP_PREFIX, Plan
from fastapi_easy.infrastructure.persistence.mongo.documents.other_values import unexpected
from fastapi_easy.infrastructure.persistence.mongo.queries.places import place_expression
from fastapi_easy.infrastructure.persistence.mongo.queries.shown_values import (
    shown_expression,
    value_expression,
)
from fastapi_easy.infrastructure.persistence.mongo.queries.specification import PlanLookup, build_condition


def build_aggregation(aggregation: Aggregation, plan: Plan, plans: PlanLookup) -> list[Document]:
    """Build the pipeline that answers *aggregation* about documents of *plan*."""
    by = {f"by_{number}": shown_expression(plan, name) for number, name in enumerate(aggregation.group_by)}
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
    computed: Document = {f"{LOOKUP_PREFIX}null_{name}": {"$eq": [f"${KEY}.{name}", None]} for name in by}
    order: Document = {}
    for name, field in zip(by, aggregation.group_by, strict=True):
        order[f"{LOOKUP_PREFIX}null_{name}"] = 1
        stored = plan.resource.stored_fields[field]
        if stored.kind is Kind.ENUM and stored.enumeration is not None:
            place = f"{LOOKUP_PREFIX}place_{name}"
            computed[place] = place_expression(f"${KEY}.{name}", stored.enumeration, plan.codecs[field])
            order[place] = 1
        order[f"{KEY}.{name}"] = 1
    skipped: list[Document] = [{"$skip": aggregation.offset}] if aggregation.offset else []
    return [*pipeline, {"$set": computed}, {"$sort": order}, *skipped, {"$limit": aggregation.limit}]


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
    value = value_expression(plan, measure.field)
    match measure.function:
        case Function.COUNT:
            return {"$sum": 0}
        case Function.MINIMUM:
            return {"$min": value}
        case Function.MAXIMUM:
            return {"$max": value}
        case Function.SUM | Function.AVERAGE:
            return {"$sum": _summand(plan.resource.stored_fields[measure.field], value)}
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
            return _read_average(plan.resource.stored_fields[measure.field], value, count) if count else None
        case never:
            assert_never(never)


def _summand(field: Field, value: Document) -> Document:
    match field.kind:
        case Kind.INTEGER:
            # The sum of longs would become a double when it is too large for a long.
            return {"$toDecimal": value}
        case Kind.DECIMAL:
            # A double among decimals would count with all its digits; other programs keep prices as doubles.
            return {"$toDecimal": value}
        case Kind.FLOAT:
            # A decimal may be beyond every double.
            return {"$convert": {"input": value, "to": "double", "onError": None, "onNull": None}}
        case _:
            return value


def _read_sum(name: str, plan: Plan, value: Any) -> object:
    field = plan.resource.stored_fields[name]
    match field.kind:
        case Kind.FLOAT:
            return _finite(float(value), value)
        case Kind.INTEGER:
            return int(_to_number(field, value))
        case _:
            return _decode(plan, name, value)


def _read_average(field: Field, value: Any, count: int) -> object:
    number = _to_number(field, value)
    if isinstance(number, decimal.Decimal) and not number.is_finite():
        return unexpected(value)
    return _finite(average(number, count, field), value)


def _finite(number: Any, value: object) -> object:
    """Return *number*, or what stands for *value* where the sum of finite numbers is beyond all of them."""
    return unexpected(value) if isinstance(number, float) and not math.isfinite(number) else number


def _to_number(field: Field, value: Any) -> Any:
    if field.kind is Kind.FLOAT:
        return float(value)
    return value.to_decimal() if isinstance(value, Decimal128) else decimal.Decimal(value)


def _decode(plan: Plan, name: str, value: object) -> object:
    if value is None:
        return None
    try:
        return plan.codecs[name].decode(value)
    except NotOfKind:
        return unexpected(value)


def _count_if_not_null(plan: Plan, measure: Measure) -> Document:
    name = str(measure.field)
    counts_all = measure.function is Function.COUNT
    counted = shown_expression(plan, name) if counts_all else value_expression(plan, name)
    return {"$cond": [{"$eq": [counted, None]}, 0, 1]}
