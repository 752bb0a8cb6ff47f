"""What is shown of a field → the expression that computes it in a pipeline."""

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.values.limits import INTEGER_LIMITS
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import Plan

_NUMBERS = frozenset({Kind.INTEGER, Kind.DURATION, Kind.FLOAT, Kind.DECIMAL})


def shown_expression(plan: Plan, name: str) -> Document:
    """Build the expression of the value of the field *name*; of documents without it that of its default, or null."""
    path, default = f"${plan.path(name)}", plan.default(name)
    if default is None:
        # Expressions tell a missing field from null; to us both are null.
        return {"$ifNull": [path, None]}
    return {"$cond": [{"$eq": [{"$type": path}, "missing"]}, {"$literal": default}, path]}


def value_expression(plan: Plan, name: str) -> Document:
    """Build the expression of the value of the field *name* if it is one of its kind, else of null.

    Sums and the like are of these values alone: what the kind cannot hold has no place in them.
    """
    shown, field = shown_expression(plan, name), plan.resource.stored_fields[name]
    if name in plan.enforced and field.kind not in {Kind.FLOAT, Kind.DECIMAL}:
        return shown
    return {"$let": {"vars": {"it": shown}, "in": {"$cond": [_is_of_kind(plan, field), "$$it", None]}}}


def _is_of_kind(plan: Plan, field: Field) -> Document:
    if field.kind not in _NUMBERS:
        return {"$in": [{"$type": "$$it"}, list(plan.codecs[field.name].types)]}
    conditions: list[Document] = [{"$isNumber": "$$it"}]
    if field.kind in {Kind.INTEGER, Kind.DURATION}:
        low, high = INTEGER_LIMITS
        conditions += [
            {"$gte": ["$$it", low]},
            {"$lte": ["$$it", high]},
            {"$eq": ["$$it", {"$trunc": "$$it"}]},
        ]
    else:
        # NaN comes before every number.
        conditions += [{"$gt": ["$$it", float("-inf")]}, {"$lt": ["$$it", float("inf")]}]
    return {"$and": conditions}
