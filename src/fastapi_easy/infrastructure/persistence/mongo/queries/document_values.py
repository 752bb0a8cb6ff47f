"""Values inside of JSON fields → expressions and filters, null wherever the kind of the path cannot hold what is there.

A filter alone would also compare the items of arrays, and the members of documents in them.
"""

from typing import Any, Final

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.queries.specification import Operator, Where
from fastapi_easy.domain.values.limits import INTEGER_LIMITS
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document

_NUMBERS: Final = ["int", "long", "double"]
"""The types of JSON's numbers; a decimal is shown as a document."""

_POSITIVE: Final = {Operator.NOT_EQUALS: Operator.EQUALS, Operator.NOT_IN: Operator.IN}
"""Of each operator that null satisfies, the one that it is the opposite of."""


def inside_expression(kept: str, field: Field) -> Document:
    """Build the expression of the value at the path *kept* if the kind of *field* can hold it, else of null."""
    value: Any = f"${kept}"
    if field.kind is Kind.INTEGER:
        value = {"$toLong": value}
    elif field.kind is Kind.FLOAT:
        value = {"$toDouble": value}
    return {"$cond": [_is_of_kind(kept, field), value, None]}


def opposite_of(where: Where) -> Where | None:
    """Return the comparison that *where*, which null satisfies, is the opposite of; `None` for all others."""
    positive = _POSITIVE.get(where.operator)
    return None if positive is None else Where(where.field, positive, where.value)


def holds_value(kept: str, field: Field) -> Document:
    """Build the filter for documents in which the kind of *field* can hold the value at the path *kept*."""
    return {"$expr": _is_of_kind(kept, field)}


def _is_of_kind(kept: str, field: Field) -> Document:
    path = f"${kept}"
    match field.kind:
        case Kind.TEXT:
            return {"$eq": [{"$type": path}, "string"]}
        case Kind.BOOLEAN:
            return {"$eq": [{"$type": path}, "bool"]}
        case Kind.INTEGER:
            low, high = INTEGER_LIMITS
            bounds: list[Document] = [{"$gte": [path, low]}, {"$lte": [path, high]}]
            whole: Document = {"$and": [*bounds, {"$eq": [path, {"$trunc": path}]}]}
        case _:
            # NaN comes before every number.
            whole = {"$and": [{"$gt": [path, float("-inf")]}, {"$lt": [path, float("inf")]}]}
    # Not all at once: the server may compute what it need not, and fails where that is no number.
    return {"$cond": [{"$in": [{"$type": path}, _NUMBERS]}, whole, False]}
