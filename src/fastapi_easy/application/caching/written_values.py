"""Values as JSON that gives them back exactly: of the same type, digits and offset.

Each value has a code that says how it is read. No code makes anything but values of the kinds of fields, so that bytes
from a shared cache cannot make a program do what it did not mean to.
"""

import datetime
import decimal
import enum
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from fastapi_easy.application.caching.uncacheable import Uncacheable
from fastapi_easy.domain.field import Field
from fastapi_easy.domain.values.unexpected import UnexpectedValue

Written: TypeAlias = tuple[str, Any]
"""The code of a value, and its JSON."""

PLAIN: Final = ""
"""The code of what JSON has itself."""

MEMBER: Final = "e"
"""The code of a member of the enumeration of a field, by its name."""

MIXED: Final = "*"
"""The code of a column whose values each have their own."""

_PLAIN_TYPES: Final = frozenset({type(None), bool, int, float, str})


def write_column(values: Sequence[Any], field: Field | None) -> Written:
    """Return the code of *values*, which belong to *field* if to any, and their JSON.

    Raises:
        Uncacheable: One of them cannot be read again as it is.
    """
    kinds = set(map(type, values))
    if kinds <= _PLAIN_TYPES or all(map(_is_plain, values)):
        return PLAIN, values
    kinds.discard(type(None))
    codec = _CODECS.get(next(iter(kinds))) if len(kinds) == 1 else None
    if codec is not None:
        write = codec.write
        return codec.code, [None if each is None else write(each) for each in values]
    return MIXED, [_write(each, field) for each in values]


def read_column(code: str, values: Sequence[Any], field: Field | None) -> Sequence[Any]:
    """Return the values that `write_column` has written.

    Raises:
        KeyError, TypeError, ValueError: It has not written these.
    """
    if code == PLAIN:
        return values
    if code == MIXED:
        return [_read(code, each, field) for code, each in values]
    read = _READERS[code]
    return [None if each is None else read(each) for each in values]


def _write(value: Any, field: Field | None) -> Written:
    kind = type(value)
    if _is_plain(value):
        return PLAIN, value
    codec = _CODECS.get(kind)
    if codec is not None:
        return codec.code, codec.write(value)
    if isinstance(value, enum.Enum):
        enumeration = None if field is None else field.enumeration
        if kind is not enumeration or value.name is None:
            raise Uncacheable
        return MEMBER, value.name
    if kind is list:
        return "[", [_write(each, field) for each in value]
    if kind is dict and all(type(name) is str for name in value):
        return "{", {name: _write(each, None) for name, each in value.items()}
    if kind is UnexpectedValue:
        return "x", _write(value.shown, None)
    if isinstance(value, uuid.UUID):
        # Of a driver's own class.
        return "u", value.hex
    raise Uncacheable


def _is_plain(value: Any) -> bool:
    """Return whether JSON itself gives *value* back as it is."""
    kind = type(value)
    if kind is list:
        return all(map(_is_plain, value))
    if kind is dict:
        return all(type(name) is str and _is_plain(each) for name, each in value.items())
    return kind in _PLAIN_TYPES


def _read(code: str, written: Any, field: Field | None) -> Any:
    match code:
        case "":
            return written
        case "e":
            enumeration: Any = None if field is None else field.enumeration
            return enumeration[written]
        case "[":
            return [_read(inner, each, field) for inner, each in written]
        case "{":
            return {name: _read(inner, each, None) for name, (inner, each) in written.items()}
        case "x":
            inner, shown = written
            return UnexpectedValue(_read(inner, shown, None))
        case _:
            return _READERS[code](written)


class _Codec(NamedTuple):
    code: str
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _write_aware(value: Any) -> str:
    offset = value.tzinfo
    # Another object of the same offset would be another version: versions are made from how a time is written.
    is_exact = offset is None or offset is datetime.UTC or type(offset) is datetime.timezone
    if not is_exact or value.fold or (offset is not datetime.UTC and value.utcoffset() == _NO_TIME):
        raise Uncacheable
    return str(value.isoformat())


_NO_TIME: Final = datetime.timedelta()

_CODECS: Final[Mapping[type, _Codec]] = {
    decimal.Decimal: _Codec("d", str, decimal.Decimal),
    datetime.datetime: _Codec("t", _write_aware, datetime.datetime.fromisoformat),
    datetime.date: _Codec("D", datetime.date.isoformat, datetime.date.fromisoformat),
    datetime.time: _Codec("h", _write_aware, datetime.time.fromisoformat),
    datetime.timedelta: _Codec(
        "l",
        lambda each: (each.days, each.seconds, each.microseconds),
        lambda parts: datetime.timedelta(*parts),
    ),
    uuid.UUID: _Codec("u", lambda each: each.hex, uuid.UUID),
    bytes: _Codec("b", bytes.hex, bytes.fromhex),
}

_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {each.code: each.read for each in _CODECS.values()}
