"""JSON of a type that an annotation says ↔ documents, whose values are of MongoDB's types.

Other programs keep a time inside of a document as a date, and not as the text that JSON has for it. It is shown as the
text where the annotation says time, and that text is kept as a date again; likewise decimals and UUIDs. A text that no
value of MongoDB's is shown as, such as a time in microseconds, is kept as it is, so that nothing is lost.
"""

import datetime
import decimal
import uuid
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Final

from bson import ObjectId

from fastapi_easy.infrastructure.entities.annotations import parts_of
from fastapi_easy.infrastructure.entities.document_places import Place
from fastapi_easy.infrastructure.persistence.mongo.documents.decoding import (
    Decoder,
    NotOfKind,
    decimal_decoder,
    decode_date,
    decode_float,
    decode_integer,
    decode_uuid,
)
from fastapi_easy.infrastructure.persistence.mongo.documents.extended_json import is_extended
from fastapi_easy.infrastructure.persistence.mongo.documents.json_values import (
    check_depth,
    check_name,
    decode_json,
    encode_json,
)
from fastapi_easy.infrastructure.persistence.mongo.documents.scalars import (
    Encoder,
    encode_date,
    encode_decimal,
    encode_text,
)

_PLAIN_TYPES: Final = frozenset({str, int, bool, type(None)})
_decode_decimal: Final = decimal_decoder(None)


def typed_json(annotation: object) -> tuple[Encoder, Decoder]:
    """Return the encoder and the decoder of documents that are what *annotation* says."""
    root, has_integers = Place([annotation]), any(each is int for each in parts_of(annotation))

    def decode(kept: object) -> object:
        # Most documents hold what JSON has too: a look is cheaper than places.
        return kept if _is_plain(kept, has_integers=has_integers) else _decode(kept, root)

    return lambda value: _encode(value, root, 0), decode


def _is_plain(kept: object, *, has_integers: bool) -> bool:
    kind = type(kept)
    if kind in _PLAIN_TYPES:
        return True
    if isinstance(kept, float):
        return isfinite(kept) and not (has_integers and kept.is_integer())
    if isinstance(kept, dict):
        return all(_is_plain(each, has_integers=has_integers) for each in kept.values())
    return isinstance(kept, list) and all(_is_plain(each, has_integers=has_integers) for each in kept)


def _decode(kept: object, place: Place) -> object:
    if place.is_free:
        return decode_json(kept)
    if isinstance(kept, dict):
        return {name: _decode(each, place.member(name)) for name, each in kept.items()}
    if isinstance(kept, list):
        return [_decode(each, place.item) for each in kept]
    if not _is_plain(kept, has_integers=int in place.scalars and float not in place.scalars):
        for kind, spell in _SPELLINGS.items():
            if kind in place.scalars:
                try:
                    return spell(kept)
                except NotOfKind:
                    continue
    return decode_json(kept)


def _encode(value: object, place: Place, depth: int) -> object:
    if place.is_free:
        return encode_json(value, depth)
    check_depth(depth)
    if isinstance(value, Mapping) and not is_extended(value):
        return {
            check_name(name): _encode(each, place.member(name), depth + 1) for name, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [_encode(each, place.item, depth + 1) for each in value]
    if isinstance(value, str) and str not in place.scalars:
        for kind, keep in _KEEPERS.items():
            if kind in place.scalars and (kept := _kept_as(value, keep, place)) is not None:
                return kept
        return encode_text(value)
    return encode_json(value, depth)


def _kept_as(text: str, keep: Callable[[str], Any], place: Place) -> object:
    """Return the value of MongoDB's that is shown as just this *text* at *place*, if there is one."""
    try:
        kept = keep(text)
        return kept if _decode(kept, place) == text else None
    except (ValueError, ArithmeticError):
        return None


def _spell_datetime(kept: object) -> str:
    if isinstance(kept, datetime.datetime):
        return f"{kept.isoformat()}Z"
    raise NotOfKind


def _spell_text(kept: object) -> str:
    if isinstance(kept, ObjectId):
        return str(kept)
    raise NotOfKind


def _keep_datetime(text: str) -> datetime.datetime:
    found = datetime.datetime.fromisoformat(text.removesuffix("Z"))
    if found.microsecond % 1000:
        raise ValueError("is finer than a millisecond")
    return found


_SPELLINGS: Final[Mapping[type, Decoder]] = {
    datetime.datetime: _spell_datetime,
    datetime.date: lambda kept: decode_date(kept).isoformat(),
    decimal.Decimal: lambda kept: str(_decode_decimal(kept)),
    uuid.UUID: lambda kept: str(decode_uuid(kept)),
    int: decode_integer,
    float: decode_float,
    str: _spell_text,
}
"""The JSON of values of MongoDB's types that JSON does not have. Raise `NotOfKind`."""

_KEEPERS: Final[Mapping[type, Callable[[str], Any]]] = {
    datetime.datetime: _keep_datetime,
    datetime.date: lambda text: encode_date(datetime.date.fromisoformat(text)),
    decimal.Decimal: lambda text: encode_decimal(decimal.Decimal(text)),
    uuid.UUID: uuid.UUID,
}
"""What is kept for texts."""
