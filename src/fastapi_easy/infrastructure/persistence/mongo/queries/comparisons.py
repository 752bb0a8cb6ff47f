"""One comparison → what `$match` takes.

Values never reach a place where the server looks for operators: each stands behind an operator of ours.
"""

import datetime
import decimal
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from fastapi_easy.domain.errors import TooLarge
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.queries.specification import Everything, Not, Operator, Specification, Where
from fastapi_easy.infrastructure.entities.bounds import reworded
from fastapi_easy.infrastructure.persistence.mongo.documents.case_folding import pattern_of
from fastapi_easy.infrastructure.persistence.mongo.documents.codec import Codec, is_object_id
from fastapi_easy.infrastructure.persistence.mongo.documents.scalars import Unstorable, floor
from fastapi_easy.infrastructure.persistence.mongo.errors import Refused

Document: TypeAlias = dict[str, Any]

LONGEST_PATTERN: Final = 32_000
"""Bytes of a pattern; the server takes some more."""

NOBODY: Final[Mapping[str, Any]] = {"_id": {"$in": []}}
"""What no document matches, as the server knows without looking."""

_COMPARED: Final[Mapping[Operator, str]] = {
    Operator.GREATER: "$gt",
    Operator.GREATER_OR_EQUAL: "$gte",
    Operator.LESS: "$lt",
    Operator.LESS_OR_EQUAL: "$lte",
}
_FLOORED: Final[Mapping[Operator, str]] = {
    Operator.GREATER: "$gt",
    Operator.GREATER_OR_EQUAL: "$gt",
    Operator.LESS: "$lte",
    Operator.LESS_OR_EQUAL: "$lte",
}
"""The same about what lies right below a value that cannot be kept."""

_PATTERNS: Final[Mapping[Operator, str]] = {
    Operator.EQUALS_ANY_CASE: r"\A{}\z",
    Operator.CONTAINS: "{}",
    Operator.CONTAINS_ANY_CASE: "{}",
    Operator.STARTS_WITH: r"\A{}",
    Operator.STARTS_WITH_ANY_CASE: r"\A{}",
    Operator.ENDS_WITH: r"{}\z",
    Operator.ENDS_WITH_ANY_CASE: r"{}\z",
}
_ANY_CASE: Final = frozenset(each for each in _PATTERNS if each.name.endswith("ANY_CASE"))
_HOLLOW: Final = frozenset({Kind.ARRAY, Kind.JSON})
"""Kinds of which a comparison with null would also look inside."""

_ROUNDED: Final[Mapping[Kind, tuple[type, ...]]] = {
    Kind.DATETIME: (datetime.datetime,),
    Kind.DECIMAL: (decimal.Decimal, int),
    Kind.DURATION: (datetime.timedelta,),
}
"""Ordered kinds that cannot keep every value, and what these are."""


def compared(where: Where, path: str, field: Field, codec: Codec) -> Document:
    """What *where* means of the values at *path*, which are those of *field*.

    Raises:
        Refused: A text is too long to be looked for.
    """
    if where.operator is Operator.IS_NULL:
        return _null(path, field, is_null=where.value)
    if (said := reworded(where, field, allows_nul=False)) is not where:
        return _said(said, path, field, codec)
    match where.operator:
        case Operator.EQUALS | Operator.DIFFERS | Operator.IN | Operator.NOT_IN:
            return _equal(where, path, codec)
        case Operator.BETWEEN:
            low, high = where.value
            bounds = ((Operator.GREATER_OR_EQUAL, low), (Operator.LESS_OR_EQUAL, high))
            return {"$and": [_ordered(operator, each, path, field, codec) for operator, each in bounds]}
        case Operator.HAS | Operator.HAS_ANY | Operator.HAS_ALL:
            return _items(where, path, codec)
        case operator if operator in _PATTERNS:
            return _matched(operator, where.value, path, field)
        case operator:
            return _ordered(operator, where.value, path, field, codec)


def _equal(where: Where, path: str, codec: Codec) -> Document:
    match where.operator:
        case Operator.IN:
            return {path: {"$in": _kept(where.value, codec)}}
        case Operator.NOT_IN:
            return {path: {"$nin": _kept(where.value, codec)}}
        case operator:
            kept = _kept((where.value,), codec)
            is_equal = operator is Operator.EQUALS
    if not kept:
        return dict(NOBODY) if is_equal else {}
    return {path: {"$eq" if is_equal else "$ne": kept[0]}}


def _said(specification: Specification, path: str, field: Field, codec: Codec) -> Document:
    match specification:
        case Everything():
            return {}
        case Where():
            return compared(specification, path, field, codec)
        case Not():
            return dict(NOBODY)
        case _:
            parts = getattr(specification, "specifications", ())
            return {"$and": [_said(part, path, field, codec) for part in parts]}


def _null(path: str, field: Field, *, is_null: bool) -> Document:
    if not is_null:
        return {"$nor": [_null(path, field, is_null=True)]}
    # A field that is not there counts as null. What is inside of an array does not.
    return {path: {"$eq": None, "$not": {"$type": "array"}} if field.kind in _HOLLOW else {"$eq": None}}


def _kept(values: Iterable[Any], codec: Codec) -> list[Any]:
    """Those of *values* that something kept can be equal to, as they are kept."""
    kept = []
    for value in values:
        try:
            kept.append(codec.exact(value))
        except Unstorable:
            continue
    return kept


def _ordered(operator: Operator, value: Any, path: str, field: Field, codec: Codec) -> Document:
    if is_object_id(field):
        return _as_text(path, {_COMPARED[operator]: [{"$toString": f"${path}"}, {"$literal": value}]})
    try:
        return {path: {_COMPARED[operator]: codec.exact(value)}}
    except Unstorable:
        # What is no value of the field, or no number at all, is neither above nor below any.
        may_lie_between = isinstance(value, _ROUNDED.get(field.kind, ())) and value == value  # noqa: PLR0124
    return {path: {_FLOORED[operator]: floor(field.kind, value)}} if may_lie_between else dict(NOBODY)


def _items(where: Where, path: str, codec: Codec) -> Document:
    if codec.item is None:
        raise TypeError(f"{where.field} is no array")
    wanted = (where.value,) if where.operator is Operator.HAS else where.value
    kept = _kept(wanted, codec.item)
    if where.operator is Operator.HAS_ALL:
        # An array of nothing has all of nothing; null has not.
        has = [{path: {"$elemMatch": {"$eq": each}}} for each in kept]
        return {"$and": [{path: {"$type": "array"}}, *has]} if len(kept) == len(wanted) else dict(NOBODY)
    return {path: {"$elemMatch": {"$in": kept}}}


def _matched(operator: Operator, text: str, path: str, field: Field) -> Document:
    pattern = _PATTERNS[operator].format(pattern_of(text, any_case=operator in _ANY_CASE))
    if len(pattern.encode()) > LONGEST_PATTERN:
        raise Refused(TooLarge(field.name, LONGEST_PATTERN))
    if is_object_id(field):
        return _as_text(path, {"$regexMatch": {"input": {"$toString": f"${path}"}, "regex": pattern}})
    return {path: {"$regex": pattern}}


def _as_text(path: str, expression: Document) -> Document:
    return {"$and": [{path: {"$ne": None}}, {"$expr": expression}]}
