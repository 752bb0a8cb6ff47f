"""Stored values that the kind of their field cannot hold: how they are shown, and what is meant by what was shown."""

import datetime
import decimal
import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any, Final

import bson
from bson import DBRef, Decimal128, ObjectId, Regex
from bson.errors import BSONError

from fastapi_easy.domain.values.limits import INTEGER_LIMITS
from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.domain.values.value_parsing import spell
from fastapi_easy.infrastructure.persistence.mongo.documents.extended_json import CODEC_OPTIONS, is_extended
from fastapi_easy.infrastructure.persistence.mongo.documents.json_values import decode_json, encode_json
from fastapi_easy.infrastructure.persistence.mongo.documents.scalars import Unstorable, encode_text

NON_FINITE: Final = "-?Infinity|NaN"
"""The numbers that JSON does not have, as a regular expression."""

ANY_TEXT: Final = r"[\s\S]{0,2000}"
"""Whatever a value may be shown as."""

OTHER_TYPES_OF_TEXT: Final = r"([-0-9{\[tfIN]|[0-9a-f]{8})[\s\S]*"
"""What a text has to begin with to be shown of another type: a number, a document, an ObjectId and so on."""

_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?", re.ASCII)
_OBJECT_ID: Final = re.compile("[0-9a-f]{24}")


def unexpected(kept: object) -> UnexpectedValue:
    """Return the place holder of *kept*, which is no null."""
    return UnexpectedValue(_shown(kept))


def position_of(kept: object) -> UnexpectedValue:
    """Return what a cursor carries of *kept*: its Extended JSON, which says the type as well."""
    return UnexpectedValue(decode_json(kept))


def kept_at(position: UnexpectedValue) -> object:
    """Return the stored value that `position_of` made *position* of."""
    return _restore(position.shown)


def _restore(shown: Any) -> object:
    match shown:
        case list():
            return [_restore(each) for each in shown]
        case dict() if is_extended(shown):
            try:
                return encode_json(shown)
            except Unstorable:
                # Kept like this, by a program that does not mind such names.
                return {name: _restore(each) for name, each in shown.items()}
        case dict():
            return {name: _restore(each) for name, each in shown.items()}
        case _:
            return shown


def may_be_key(kept: object) -> bool:
    """Return whether *kept* may be in an `_id`, and in a list of those that are looked for, where patterns match."""
    return not (isinstance(kept, Regex | DBRef) or (isinstance(kept, dict) and is_extended(kept)))


def candidates(shown: object) -> Iterator[Any]:
    """Yield every stored value that is shown as *shown*, or by that text."""
    text = spell(shown)
    for read in _READERS:
        try:
            yield read(text)
        except (ValueError, LookupError, ArithmeticError, RecursionError, BSONError):
            # Another reader may know it.
            continue


def _shown(kept: object) -> object:
    match kept:
        case ObjectId() | uuid.UUID() | Decimal128():
            return str(kept)
        case datetime.datetime():
            return f"{kept.isoformat(timespec='milliseconds')}Z"
        case float() if kept != kept or kept in _INFINITE:  # noqa: PLR0124 - NaN is no number
            return _INFINITE.get(kept, "NaN")
        case _:
            return decode_json(kept)


def _read_integer(text: str) -> int:
    number = int(text) if _NUMBER.fullmatch(text) else INTEGER_LIMITS[1] + 1
    if not INTEGER_LIMITS[0] <= number <= INTEGER_LIMITS[1]:
        raise ValueError("is no integer of 64 bits")
    return number


def _read_float(text: str) -> float:
    if not (_NUMBER.fullmatch(text) or re.fullmatch(NON_FINITE, text)):
        raise ValueError("is no number")
    return float(text)


def _read_decimal(text: str) -> Decimal128:
    return Decimal128(decimal.Decimal(str(_read_float(text)) and text))


def _read_object_id(text: str) -> ObjectId:
    if not _OBJECT_ID.fullmatch(text):
        raise ValueError("is no ObjectId")
    return ObjectId(text)


def _read_datetime(text: str) -> datetime.datetime:
    found = datetime.datetime.fromisoformat(text.removesuffix("Z"))
    if _shown(found) != text:
        raise ValueError("is not spelt as dates are shown")
    return found


def _read_boolean(text: str) -> bool:
    return {"true": True, "True": True, "false": False, "False": False}[text]


def _read_document(text: str) -> object:
    if not text.startswith(("{", "[")):
        raise ValueError("is no document")
    shown = json.loads(text)
    try:
        kept = encode_json(shown)
    except Unstorable:
        # With names that only other programs give.
        kept = _restore(shown)
        # Raises for what no document can hold.
        _ = bson.encode({"kept": kept}, codec_options=CODEC_OPTIONS)
    if _shown(kept) != shown:
        raise ValueError("is shown in another way")
    return kept


_READERS: Final[tuple[Callable[[str], Any], ...]] = (
    encode_text,
    _read_object_id,
    _read_integer,
    _read_float,
    _read_decimal,
    uuid.UUID,
    _read_datetime,
    _read_boolean,
    _read_document,
)
_INFINITE: Final = {float("inf"): "Infinity", float("-inf"): "-Infinity"}
