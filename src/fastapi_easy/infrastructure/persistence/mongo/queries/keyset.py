"""Positions in an order → the filter of all that comes after (keyset pagination), whatever types the values have.

The server sorts values of different types by type, and an array by its least item, or its greatest where the order is
descending. Its operators `$gt` and `$lt` compare values of one type only, and every item of an array. So what comes
after a position is said the other way round: it holds nothing at or before the position, whatever the type.
"""

import datetime
import math
import uuid
from collections.abc import Sequence
from typing import Any, Final

from bson import Binary, Code, Decimal128, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS
from bson.int64 import Int64

from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.infrastructure.persistence.mongo.documents.codec import Codec
from fastapi_easy.infrastructure.persistence.mongo.documents.decoding import NotOfKind
from fastapi_easy.infrastructure.persistence.mongo.documents.document import KEY, Document
from fastapi_easy.infrastructure.persistence.mongo.documents.other_values import kept_at, position_of
from fastapi_easy.infrastructure.persistence.mongo.documents.scalars import Unstorable

_ORDER: Final[Sequence[tuple[tuple[str, ...], tuple[type, ...]]]] = (
    (("minKey",), (MinKey,)),
    ((), ()),  # an empty array, which has no item to be sorted by
    (("null",), (type(None),)),
    (("number",), (int, float, Decimal128)),
    (("string", "symbol"), (str,)),
    (("object",), (dict,)),
    (("array",), (list,)),
    (("binData",), (bytes, Binary, uuid.UUID)),
    (("objectId",), (ObjectId,)),
    (("bool",), (bool,)),
    (("date",), (datetime.datetime, DatetimeMS)),
    (("timestamp",), (Timestamp,)),
    (("regex",), (Regex,)),
    (("dbPointer",), ()),
    (("javascript", "javascriptWithScope"), (Code,)),
    (("maxKey",), (MaxKey,)),
)
"""MongoDB's names of types, and the driver's classes, from the least to the greatest."""

_EMPTY, _NULL, _NUMBER, _ARRAY, _REGEX = 1, 2, 3, 6, 12
_RANKS: Final = {kind: rank for rank, (_, kinds) in enumerate(_ORDER) for kind in kinds}
_NAN: Final[Document] = {"$eq": math.nan}


def position(kept: object, codec: Codec) -> object:
    """Return what a cursor carries of *kept*: a value of the field, where the server finds that equal to *kept*."""
    if kept is None:
        return None
    try:
        value = codec.decode(kept)
        operand = codec.encode_operand(value)
    except (NotOfKind, Unstorable):
        return position_of(kept)
    # The driver reads a long as a class of its own, but is given an `int`.
    is_of_type = type(operand) is type(kept) or (isinstance(kept, Int64) and type(operand) is int)
    return value if is_of_type and operand == kept else position_of(kept)


def kept_of(value: object, codec: Codec) -> Any:
    """Return the BSON that `position` was given."""
    if value is None:
        return None
    return kept_at(value) if isinstance(value, UnexpectedValue) else codec.encode_operand(value)


def after(path: str, kept: Any, *, descending: bool) -> Document:
    """Build the filter for all that comes after *kept* in the order of the values at *path*."""
    if path == KEY:
        # No key is an array, and then an expression compares as the sort does; it uses the index likewise.
        operand = kept if isinstance(kept, int | ObjectId) else {"$literal": kept}
        return {"$expr": {"$lt" if descending else "$gt": [f"${path}", operand]}}
    return {"$nor": _reaches(path, kept, descending=descending, inclusive=True)}


def at(path: str, kept: Any, *, descending: bool) -> Document:
    """Build the filter for all that is at the same place as *kept* in the order of the values at *path*."""
    before = _reaches(path, kept, descending=descending, inclusive=False)
    not_before: Document = {"$nor": before} if before else {}
    if isinstance(kept, list) or _rank(kept) >= _REGEX:
        return {"$or": _reaches(path, kept, descending=descending, inclusive=True), **not_before}
    return {path: {"$eq": kept}, **not_before}


def at_or_after(path: str, kept: Any, *, descending: bool) -> Document:
    """Build a filter for all at or after *kept*, and little else, for which the server can use an index."""
    if isinstance(kept, list) or not _NULL < _rank(kept) < _REGEX or _is_nan(kept):
        return {}
    return {path: {"$not": {"$gt" if descending else "$lt": kept}}}


def _reaches(path: str, kept: Any, *, descending: bool, inclusive: bool) -> list[Document]:
    """Return filters of which one holds for what has an item, or is a value, before *kept*; *inclusive*, or at it.

    Of an array *kept*, something comes before its least item, by which it is sorted, if it comes before every item.
    """
    compare = _at_least if descending else _at_most
    if isinstance(kept, list) and kept:
        alternatives = [compare(path, each, _rank_of_item(each), inclusive=inclusive) for each in kept]
        # Of no filter none can hold.
        return [{"$and": [{"$or": each} for each in alternatives]}] if all(alternatives) else []
    return compare(path, kept, _rank(kept), inclusive=inclusive)


def _at_most(path: str, kept: Any, rank: int, *, inclusive: bool) -> list[Document]:
    found: list[Document] = [{path: {"$type": names}} for names in [_names(_ORDER[:rank])] if names]
    if rank > _EMPTY or (rank == _EMPTY and inclusive):
        found.append({path: {"$size": 0}})
    if rank > _NULL:
        found.append({path: {"$eq": None}})
    if rank > _ARRAY:
        found.append({path: {"$elemMatch": {"$type": "array"}}})
    if rank == _NUMBER and not _is_nan(kept):
        found.append({path: _NAN})
    return [*found, *_within(path, kept, rank, "$lte" if inclusive else "$lt")]


def _at_least(path: str, kept: Any, rank: int, *, inclusive: bool) -> list[Document]:
    found: list[Document] = [{path: {"$type": names}} for names in [_names(_ORDER[rank + 1 :])] if names]
    if rank < _EMPTY or (rank == _EMPTY and inclusive):
        found.append({path: {"$size": 0}})
    if rank < _NULL:
        found.append({path: {"$eq": None}})
    if rank < _ARRAY:
        found.append({path: {"$elemMatch": {"$type": "array"}}})
    if rank == _NUMBER and _is_nan(kept):
        found.append({path: {"$gte": -math.inf}})
    return [*found, *_within(path, kept, rank, "$gte" if inclusive else "$gt")]


def _within(path: str, kept: Any, rank: int, operator: str) -> list[Document]:
    """Return the filters that compare values of the type of *kept*; none where nothing can fulfil it."""
    inclusive = operator.endswith("e")
    if rank == _EMPTY:
        # `$size` was asked already.
        return [] if not inclusive else [{path: {"$size": 0}}]
    if rank == _NULL:
        return [{path: {"$eq": None}}] if inclusive else []
    if _is_nan(kept):
        return [{path: _NAN}] if inclusive else []
    if isinstance(kept, MinKey | MaxKey):
        return [{path: {"$type": list(_ORDER[rank][0])}}] if inclusive else []
    if isinstance(kept, list):
        return [{path: {"$elemMatch": {operator: kept}}}]
    if rank >= _REGEX:
        # No operator of a filter takes one; an expression compares as the sort does, but an array as a whole.
        items = {"$cond": [{"$isArray": f"${path}"}, f"${path}", [f"${path}"]]}
        compared = {"$map": {"input": items, "in": {operator: ["$$this", {"$literal": kept}]}}}
        return [{path: {"$type": list(_ORDER[rank][0])}, "$expr": {"$anyElementTrue": compared}}]
    return [{path: {operator: kept}}]


def _names(types: Sequence[tuple[tuple[str, ...], tuple[type, ...]]]) -> list[str]:
    """Return the names of *types* that `$type` finds as it should: an array is of the type `array` itself."""
    return [name for names, _ in types for name in names if name not in {"array", "null"}]


def _rank(kept: Any) -> int:
    if isinstance(kept, list):
        # Any other list is sorted by one of its items.
        return _EMPTY
    return next((_RANKS[each] for each in type(kept).__mro__ if each in _RANKS), _RANKS[dict])


def _rank_of_item(kept: Any) -> int:
    return _ARRAY if isinstance(kept, list) else _rank(kept)


def _is_nan(kept: Any) -> bool:
    return math.isnan(
        kept if isinstance(kept, float) else kept.to_decimal() if isinstance(kept, Decimal128) else 0
    )
