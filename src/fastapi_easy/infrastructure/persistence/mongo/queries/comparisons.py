"""One comparison → the filter of a `$match`.

Values never stand where the server looks for operators: each is the operand of an operator of ours.
"""

import contextlib
import datetime
import decimal
from collections.abc import Iterable, Mapping
from typing import Any, Final, assert_never

from bson import DBRef, Regex

from fastapi_easy.domain.errors import TooLarge
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.queries.shown_where import ShownWhere
from fastapi_easy.domain.queries.specification import (
    AllOf,
    AnyOf,
    Everything,
    Not,
    Operator,
    Related,
    Specification,
    Where,
    is_satisfied_by,
)
from fastapi_easy.domain.queries.words import HoldsWords
from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.domain.values.value_parsing import format_text
from fastapi_easy.infrastructure.entities.bounds import rewrite_unstorable
from fastapi_easy.infrastructure.persistence.mongo.documents.case_folding import build_pattern
from fastapi_easy.infrastructure.persistence.mongo.documents.codec import Codec, is_object_id
from fastapi_easy.infrastructure.persistence.mongo.documents.decoding import NotOfKind
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import Plan
from fastapi_easy.infrastructure.persistence.mongo.documents.other_values import candidates
from fastapi_easy.infrastructure.persistence.mongo.documents.scalars import Unstorable, encode_floor
from fastapi_easy.infrastructure.persistence.mongo.errors import CallRejected
from fastapi_easy.infrastructure.persistence.mongo.queries.document_values import holds_value, opposite_of

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

_NOT_LISTED: Final = (dict, DBRef, Regex)
"""Types of values of which `$in`, `$nin` and `$ne` match or refuse some; `$eq` alone compares all."""

_NEGATIVE: Final = frozenset({Operator.NOT_EQUALS, Operator.NOT_IN})
_INCLUSIVE: Final = frozenset({Operator.GREATER_OR_EQUAL, Operator.LESS_OR_EQUAL})

_ROUNDED_TYPES: Final[Mapping[Kind, tuple[type, ...]]] = {
    Kind.DATETIME: (datetime.datetime,),
    Kind.DECIMAL: (decimal.Decimal, int),
    Kind.DURATION: (datetime.timedelta,),
}
"""Ordered kinds that cannot store every value, and the types of such values."""


def build_comparison(where: Where, plan: Plan) -> Document:
    """Build the match for *where*, about the documents of *plan*; those without the field have its default.

    Raises:
        CallRejected: A text is too long to be searched for.
    """
    name = where.field
    if name in plan.path_codecs:
        return _build_inside(where, plan)
    if type(where) is ShownWhere and where.fitting and not where.doubted and name in plan.enforced:
        # No document holds the others.
        where = Where(name, where.operator, where.fitting)
    path, field, codec = plan.path(name), plan.resource.stored_fields[name], plan.codecs[name]
    match = _build_match(where, path, field, codec, is_enforced=name in plan.enforced)
    default = plan.default(name)
    if default is None:
        return match
    if is_satisfied_by(where, {name: codec.decode(default)}):
        return {"$or": [match, {path: {"$exists": False}}]} if match else match
    return {"$and": [match, {path: {"$exists": True}}]} if _may_match_missing(where) else match


def _build_inside(where: Where, plan: Plan) -> Document:
    """Build the match for *where*, about a value inside of a JSON field; what its kind cannot hold counts as null."""
    path, field = plan.path(where.field), plan.resource.comparable[where.field]
    if where.operator is Operator.IS_NULL:
        held = holds_value(path, field)
        return {"$nor": [held]} if where.value else held
    opposite = opposite_of(where)
    if opposite is not None:
        return {"$nor": [_build_inside(opposite, plan)]}
    match = _build_match(where, path, field, plan.path_codecs[where.field], is_enforced=True)
    # The comparison first: an index on the path serves it.
    return {"$and": [match, holds_value(path, field)]}


def _may_match_missing(where: Where) -> bool:
    return where.operator in _NEGATIVE or (where.operator is Operator.IS_NULL and where.value)


def _build_match(where: Where, path: str, field: Field, codec: Codec, *, is_enforced: bool) -> Document:
    """Build the match for *where*, about the values at *path*, which are those of *field*.

    Args:
        where: The comparison.

        path: Of the values.

        field: Of the resource.

        codec: Of the field.

        is_enforced: Whether the collection holds no values of other types there.
    """
    if where.operator is Operator.IS_NULL:
        # First, since every read of a resource with soft deletion has one.
        return _build_null_check(path, field, is_null=where.value)
    if (rewritten := rewrite_unstorable(where, field, allows_nul=False)) is not where:
        return _build_rewritten(rewritten, path, field, codec, is_enforced=is_enforced)
    match where.operator:
        case Operator.EQUALS | Operator.NOT_EQUALS as operator:
            return _build_equality(operator, where.value, path, codec, is_enforced=is_enforced)
        case Operator.IN | Operator.NOT_IN as operator:
            encoded = _encode_operands(where.value, codec, is_enforced=is_enforced)
            return _build_membership(path, encoded, is_among=operator is Operator.IN)
        case Operator.BETWEEN:
            low, high = where.value
            bounds = ((Operator.GREATER_OR_EQUAL, low), (Operator.LESS_OR_EQUAL, high))
            comparisons = [Where(where.field, operator, bound) for operator, bound in bounds]
            return {
                "$and": [
                    _build_order_comparison(each, path, field, codec, is_enforced=is_enforced)
                    for each in comparisons
                ]
            }
        case Operator.HAS | Operator.HAS_ANY | Operator.HAS_ALL:
            return _build_array_match(where, path, codec, is_enforced=is_enforced)
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
        case Operator.GREATER | Operator.GREATER_OR_EQUAL | Operator.LESS | Operator.LESS_OR_EQUAL:
            return _build_order_comparison(where, path, field, codec, is_enforced=is_enforced)
        case never:
            assert_never(never)


def _build_equality(
    operator: Operator, value: object, path: str, codec: Codec, *, is_enforced: bool
) -> Document:
    is_equal = operator is Operator.EQUALS
    match _encode_operands((value,), codec, is_enforced=is_enforced):
        case []:
            # What cannot be stored is equal to nothing, and unequal to everything.
            return dict(NO_MATCH) if is_equal else {}
        case [encoded] if not isinstance(encoded, _NOT_LISTED):
            return {path: {"$eq" if is_equal else "$ne": encoded}}
        case encoded:
            return _build_membership(path, encoded, is_among=is_equal)


def _build_membership(path: str, encoded: list[Any], *, is_among: bool) -> Document:
    apart = [each for each in encoded if isinstance(each, _NOT_LISTED)]
    if not apart:
        return {path: {"$in" if is_among else "$nin": encoded}}
    listed = [each for each in encoded if not isinstance(each, _NOT_LISTED)]
    alternatives = [{path: {"$in": listed}}, *({path: {"$eq": each}} for each in apart)]
    return {"$or" if is_among else "$nor": alternatives}


def _build_rewritten(
    specification: Specification, path: str, field: Field, codec: Codec, *, is_enforced: bool
) -> Document:
    match specification:
        case Everything():
            return {}
        case Where():
            return _build_match(specification, path, field, codec, is_enforced=is_enforced)
        case Not():
            return dict(NO_MATCH)
        case AllOf(parts):
            return {
                "$and": [
                    _build_rewritten(part, path, field, codec, is_enforced=is_enforced) for part in parts
                ]
            }
        case AnyOf() | Related() | HoldsWords():
            raise TypeError("rewrite_unstorable makes no such specification")
        case never:
            assert_never(never)


def _build_null_check(path: str, field: Field, *, is_null: bool) -> Document:
    if not is_null:
        return {"$nor": [_build_null_check(path, field, is_null=True)]}
    # A missing field counts as null, which is what `$eq` means too. A null inside of an array does not count.
    return {path: {"$eq": None, "$not": {"$type": "array"}} if field.kind in _NESTED_KINDS else {"$eq": None}}


def _encode_operands(values: Iterable[object], codec: Codec, *, is_enforced: bool = True) -> list[Any]:
    """Encode those of *values* that a stored value can be equal to, in every form that it may be stored in."""
    encoded: list[Any] = []
    for value in values:
        if isinstance(value, UnexpectedValue):
            encoded += (each for each in candidates(value.shown) if _is_shown_as(value, each, codec))
            continue
        with contextlib.suppress(Unstorable):
            encoded.append(codec.encode_operand(value))
        if not is_enforced:
            encoded += codec.other_forms(value)
    return encoded


def _is_shown_as(value: UnexpectedValue, kept: object, codec: Codec) -> bool:
    """Return whether *kept* is no value of the kind, or one with more digits than a query may give."""
    try:
        return bool(format_text(codec.decode(kept)) == value.shown)
    except NotOfKind:
        return True


def _build_order_comparison(
    where: Where, path: str, field: Field, codec: Codec, *, is_enforced: bool
) -> Document:
    operator, value = where.operator, where.value
    if is_object_id(field):
        text = _as_text(path)
        return _build_expression_match(
            path, {"$and": [text, {_ORDER_OPERATORS[operator]: [text, {"$literal": value}]}]}
        )
    if isinstance(value, UnexpectedValue):
        # Between values of the same type only, as the server compares.
        return {"$or": [{path: {_ORDER_OPERATORS[operator]: each}} for each in candidates(value.shown)]}
    try:
        compared: Document = {path: {_ORDER_OPERATORS[operator]: codec.encode_operand(value)}}
    except Unstorable:
        # A value of another type, or NaN, is neither above nor below any.
        may_lie_between = isinstance(value, _ROUNDED_TYPES.get(field.kind, ())) and value == value  # noqa: PLR0124
        return (
            {path: {_FLOOR_OPERATORS[operator]: encode_floor(field.kind, value)}}
            if may_lie_between
            else dict(NO_MATCH)
        )
    # What is shown as the same value is neither above nor below it, though the server may find it so.
    others = [] if is_enforced or field.kind is not Kind.DECIMAL else list(codec.other_forms(value))
    if not others:
        return compared
    if operator in _INCLUSIVE:
        return {"$or": [compared, {path: {"$in": others}}]}
    return {"$and": [compared, {path: {"$nin": others}}]}


def _build_array_match(where: Where, path: str, codec: Codec, *, is_enforced: bool) -> Document:
    if codec.item is None:
        raise TypeError(f"{where.field} is no array")
    wanted = (where.value,) if where.operator is Operator.HAS else where.value
    encoded = _encode_operands(wanted, codec.item, is_enforced=is_enforced)
    if where.operator is not Operator.HAS_ALL:
        return {path: {"$elemMatch": {"$in": encoded}}}
    forms = [_encode_operands((each,), codec.item, is_enforced=is_enforced) for each in wanted]
    # One of them may not be storable: then no array has all. `$type` for an empty list: every array has all of no
    # values, but null does not.
    return {"$and": [{path: {"$type": "array"}}, *({path: {"$elemMatch": {"$in": each}}} for each in forms)]}


def _build_pattern_match(operator: Operator, text: str, path: str, field: Field) -> Document:
    pattern = _PATTERNS[operator].format(build_pattern(text, any_case=operator in _CASE_INSENSITIVE))
    if len(pattern.encode()) > MAX_PATTERN_BYTES:
        raise CallRejected(TooLarge(field.name, MAX_PATTERN_BYTES))
    if is_object_id(field):
        return _build_expression_match(path, {"$regexMatch": {"input": _as_text(path), "regex": pattern}})
    return {path: {"$regex": pattern}}


def _as_text(path: str) -> Document:
    """Return the expression of the text that an ObjectId is shown as; null of what has no text."""
    return {"$convert": {"input": f"${path}", "to": "string", "onError": None, "onNull": None}}


def _build_expression_match(path: str, expression: Document) -> Document:
    # Expressions compare null too, as less than any text; in a filter it satisfies no comparison.
    return {"$and": [{path: {"$ne": None}}, {"$expr": expression}]}
