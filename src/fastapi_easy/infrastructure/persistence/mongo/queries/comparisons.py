"""One comparison → the filter of a `$match`.

Values never stand where the server looks for operators: each is the operand of an operator of ours.
"""

import datetime
import decimal
from collections.abc import Iterable, Mapping
from typing import Any, Final, assert_never

from fastapi_easy.domain.errors import TooLarge
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.queries.specification import (
    AllOf,
    AnyOf,
    Everything,
    Not,
    Operator,
    Related,
    Specification,
    Where,
)
from fastapi_easy.infrastructure.entities.bounds import rewrite_unstorable
from fastapi_easy.infrastructure.persistence.mongo.documents.case_folding import build_pattern
from fastapi_easy.infrastructure.persistence.mongo.documents.codec import Codec, is_object_id
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document
from fastapi_easy.infrastructure.persistence.mongo.documents.scalars import Unstorable, encode_floor
from fastapi_easy.infrastructure.persistence.mongo.errors import CallRejected

MAX_PATTERN_BYTES: Final = 32_000
"""Bytes of a regular expression at most; the server takes some more."""

NO_MATCH: Final[Mapping[str, object]] = {"_id": {"$in": []}}
"""A filter that no document matches, as the server knows without reading any."""

_ORDER_OPERATORS: Final[Mapping[Operator, str]] = {
    Operator.GREATER: "$gt",
    Operator.GREATER_OR_EQUAL: "$gte",
    Operator.LESS: "$lt",
    Operator.LESS_OR_EQUAL: "$lte",
}
_FLOOR_OPERATORS: Final[Mapping[Operator, str]] = {
    Operator.GREATER: "$gt",
    Operator.GREATER_OR_EQUAL: "$gt",
    Operator.LESS: "$lte",
    Operator.LESS_OR_EQUAL: "$lte",
}
"""The same comparisons with the largest storable value below one that cannot be stored."""

_PATTERNS: Final[Mapping[Operator, str]] = {
    Operator.EQUALS_ANY_CASE: r"\A{}\z",
    Operator.CONTAINS: "{}",
    Operator.CONTAINS_ANY_CASE: "{}",
    Operator.STARTS_WITH: r"\A{}",
    Operator.STARTS_WITH_ANY_CASE: r"\A{}",
    Operator.ENDS_WITH: r"{}\z",
    Operator.ENDS_WITH_ANY_CASE: r"{}\z",
}
_CASE_INSENSITIVE: Final = frozenset(each for each in _PATTERNS if each.name.endswith("ANY_CASE"))
_NESTED_KINDS: Final = frozenset({Kind.ARRAY, Kind.JSON})
"""Kinds for which the server would also compare null with the items of an array."""

_ROUNDED_TYPES: Final[Mapping[Kind, tuple[type, ...]]] = {
    Kind.DATETIME: (datetime.datetime,),
    Kind.DECIMAL: (decimal.Decimal, int),
    Kind.DURATION: (datetime.timedelta,),
}
"""Ordered kinds that cannot store every value, and the types of such values."""


def build_comparison(  # noqa: PLR0911 (a branch for each group of operators)
    where: Where, path: str, field: Field, codec: Codec
) -> Document:
    """Build the match for *where*, about the values at *path*, which are those of *field*.

    Raises:
        CallRejected: A text is too long to be searched for.
    """
    if where.operator is Operator.IS_NULL:
        # First, since every read of a resource with soft deletion has one.
        return _build_null_check(path, field, is_null=where.value)
    if (rewritten := rewrite_unstorable(where, field, allows_nul=False)) is not where:
        return _build_rewritten(rewritten, path, field, codec)
    match where.operator:
        case Operator.EQUALS | Operator.NOT_EQUALS as operator:
            return _build_equality(operator, where.value, path, codec)
        case Operator.IN:
            return {path: {"$in": _encode_operands(where.value, codec)}}
        case Operator.NOT_IN:
            return {path: {"$nin": _encode_operands(where.value, codec)}}
        case Operator.BETWEEN:
            low, high = where.value
            bounds = ((Operator.GREATER_OR_EQUAL, low), (Operator.LESS_OR_EQUAL, high))
            return {
                "$and": [
                    _build_order_comparison(operator, each, path, field, codec) for operator, each in bounds
                ]
            }
        case Operator.HAS | Operator.HAS_ANY | Operator.HAS_ALL:
            return _build_array_match(where, path, codec)
        case (
            Operator.EQUALS_ANY_CASE
            | Operator.CONTAINS
            | Operator.CONTAINS_ANY_CASE
            | Operator.STARTS_WITH
            | Operator.STARTS_WITH_ANY_CASE
            | Operator.ENDS_WITH
            | Operator.ENDS_WITH_ANY_CASE
        ) as operator:
            return _build_pattern_match(operator, where.value, path, field)
        case (
            Operator.GREATER | Operator.GREATER_OR_EQUAL | Operator.LESS | Operator.LESS_OR_EQUAL
        ) as operator:
            return _build_order_comparison(operator, where.value, path, field, codec)
        case never:
            assert_never(never)


def _build_equality(operator: Operator, value: object, path: str, codec: Codec) -> Document:
    is_equal = operator is Operator.EQUALS
    encoded = _encode_operands((value,), codec)
    if not encoded:
        # What cannot be stored is equal to nothing, and unequal to everything.
        return dict(NO_MATCH) if is_equal else {}
    return {path: {"$eq" if is_equal else "$ne": encoded[0]}}


def _build_rewritten(specification: Specification, path: str, field: Field, codec: Codec) -> Document:
    match specification:
        case Everything():
            return {}
        case Where():
            return build_comparison(specification, path, field, codec)
        case Not():
            return dict(NO_MATCH)
        case AllOf(parts):
            return {"$and": [_build_rewritten(part, path, field, codec) for part in parts]}
        case AnyOf() | Related():
            raise TypeError("rewrite_unstorable makes no such specification")
        case never:
            assert_never(never)


def _build_null_check(path: str, field: Field, *, is_null: bool) -> Document:
    if not is_null:
        return {"$nor": [_build_null_check(path, field, is_null=True)]}
    # A missing field counts as null, which is what `$eq` means too. A null inside of an array does not count.
    return {path: {"$eq": None, "$not": {"$type": "array"}} if field.kind in _NESTED_KINDS else {"$eq": None}}


def _encode_operands(values: Iterable[object], codec: Codec) -> list[object]:
    """Encode those of *values* that a stored value can be equal to."""
    encoded: list[object] = []
    for value in values:
        try:
            encoded.append(codec.encode_operand(value))
        except Unstorable:
            continue
    return encoded


def _build_order_comparison(
    operator: Operator, value: Any, path: str, field: Field, codec: Codec
) -> Document:
    if is_object_id(field):
        return _build_expression_match(
            path, {_ORDER_OPERATORS[operator]: [{"$toString": f"${path}"}, {"$literal": value}]}
        )
    try:
        return {path: {_ORDER_OPERATORS[operator]: codec.encode_operand(value)}}
    except Unstorable:
        # A value of another type, or NaN, is neither above nor below any.
        may_lie_between = isinstance(value, _ROUNDED_TYPES.get(field.kind, ())) and value == value  # noqa: PLR0124
    return (
        {path: {_FLOOR_OPERATORS[operator]: encode_floor(field.kind, value)}}
        if may_lie_between
        else dict(NO_MATCH)
    )


def _build_array_match(where: Where, path: str, codec: Codec) -> Document:
    if codec.item is None:
        raise TypeError(f"{where.field} is no array")
    wanted = (where.value,) if where.operator is Operator.HAS else where.value
    encoded = _encode_operands(wanted, codec.item)
    if where.operator is not Operator.HAS_ALL:
        return {path: {"$elemMatch": {"$in": encoded}}}
    if len(encoded) < len(wanted):
        # One of them cannot be stored, so no array has all.
        return dict(NO_MATCH)
    # `$type` for an empty list: every array has all of no values, but null does not.
    return {
        "$and": [{path: {"$type": "array"}}, *({path: {"$elemMatch": {"$eq": each}}} for each in encoded)]
    }


def _build_pattern_match(operator: Operator, text: str, path: str, field: Field) -> Document:
    pattern = _PATTERNS[operator].format(build_pattern(text, any_case=operator in _CASE_INSENSITIVE))
    if len(pattern.encode()) > MAX_PATTERN_BYTES:
        raise CallRejected(TooLarge(field.name, MAX_PATTERN_BYTES))
    if is_object_id(field):
        return _build_expression_match(
            path, {"$regexMatch": {"input": {"$toString": f"${path}"}, "regex": pattern}}
        )
    return {path: {"$regex": pattern}}


def _build_expression_match(path: str, expression: Document) -> Document:
    # Expressions compare null too, as less than any text; in a filter it satisfies no comparison.
    return {"$and": [{path: {"$ne": None}}, {"$expr": expression}]}
