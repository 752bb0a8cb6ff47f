"""Canonical JSON (RFC 8785): the one spelling of a value, byte by byte, which can be hashed and signed."""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from json.encoder import encode_basestring
from types import NoneType
from typing import Any, Final

MAX_EXACT_INTEGER: Final = 2**53 - 1
"""Beyond it two integers may be one number of JSON (RFC 7493)."""

_MAX_PLAIN_DIGITS: Final = 21
_MAX_LEADING_ZEROS: Final = 6


def to_canonical_json(value: object) -> bytes:
    """Return *value* in the canonical form of RFC 8785, as UTF-8.

    Args:
        value: Plain JSON: `None`, truth values, numbers, texts, lists, tuples and mappings with texts as names.

    Raises:
        ValueError: It holds a number or a text that JSON cannot say exactly: see `to_exact_json`.

        TypeError: It holds something else.
    """
    return _spell(value).encode()


def to_exact_canonical_json(value: object) -> bytes:
    """Return `to_canonical_json` of `to_exact_json` of *value*, plain JSON: of nearly every value, of itself."""
    try:
        return _spell(value).encode()
    except ValueError:
        return to_canonical_json(to_exact_json(value))


def spell(value: object) -> str:
    """Return what `to_canonical_json` encodes, for a part of a larger text.

    Raises:
        ValueError, TypeError: As there; a half of a surrogate pair is refused only when the text is encoded.
    """
    return _spell(value)


def from_canonical_json(data: bytes) -> Any:
    """Return what `to_canonical_json` made *data* from; the same bytes can be made of it again.

    Raises:
        ValueError: It is no JSON.
    """
    return json.loads(data, parse_int=_read_integer)


def to_exact_json(value: object) -> object:
    """Return *value*, plain JSON, with what canonical JSON cannot say replaced by a text that says the same.

    Integers beyond `MAX_EXACT_INTEGER` and numbers that are not finite become texts; halves of surrogate pairs, which
    no text in UTF-8 can hold, become U+FFFD.
    """
    match value:
        case str():
            return clean_text(value)
        case bool() | None:
            return value
        case int():
            return value if -MAX_EXACT_INTEGER <= value <= MAX_EXACT_INTEGER else str(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case Mapping():
            return {clean_text(str(name)): to_exact_json(each) for name, each in value.items()}
        case list() | tuple():
            return [to_exact_json(each) for each in value]
        case _:
            return value


def clean_text(text: str) -> str:
    """Return *text* with U+FFFD in place of halves of surrogate pairs."""
    # Nearly no text has any, and to find out is faster than to replace them.
    if text.isascii() or not any("\ud800" <= each <= "\udfff" for each in text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _read_integer(digits: str) -> int | float:
    # Numbers that were written as integers are small: a longer one was a float.
    return (
        float(digits)
        if len(digits) > _MAX_PLAIN_DIGITS + 1 or abs(int(digits)) > MAX_EXACT_INTEGER
        else int(digits)
    )


def _spell(value: object) -> str:
    # Looked up by the exact type first: nearly every value has one of these.
    spell = _SPELLINGS.get(type(value))
    return _spell_other(value) if spell is None else spell(value)


def _spell_other(value: object) -> str:
    """Return *value*, of a type derived from those of JSON."""
    match value:
        case str():
            return encode_basestring(value)
        case int():
            return _spell_integer(int(value))
        case float():
            return _spell_number(value)
        case list() | tuple():
            return _spell_items(value)
        case Mapping():
            return _spell_members(value)
        case _:
            raise TypeError(f"{type(value).__name__} is not plain JSON")


def _spell_nothing(_: None) -> str:
    return "null"


def _spell_boolean(value: bool) -> str:
    return "true" if value else "false"


def _spell_integer(value: int) -> str:
    if not -MAX_EXACT_INTEGER <= value <= MAX_EXACT_INTEGER:
        raise ValueError("an integer is too large to be exact in JSON")
    return str(value)


def _spell_items(items: Iterable[object]) -> str:
    return f"[{','.join(map(_spell, items))}]"


def _spell_members(members: Mapping[Any, object]) -> str:
    names = list(members)
    try:
        is_ascii = "".join(names).isascii()
    except TypeError:
        raise TypeError("the name of a member is a text") from None
    # UTF-16 units: another order than that of code points above U+FFFF.
    names.sort(key=None if is_ascii else _utf_16_units)
    return f"{{{','.join([f'{encode_basestring(name)}:{_spell(members[name])}' for name in names])}}}"


def _utf_16_units(name: str) -> bytes:
    return name.encode("utf-16-be")


def _spell_number(number: float) -> str:
    """Return *number* as ECMAScript does (ECMA-262, Number::toString)."""
    if not math.isfinite(number):
        raise ValueError("a number of JSON is finite")
    if number == 0:
        return "0"
    sign, places, exponent = Decimal(repr(number)).normalize().as_tuple()
    digits, minus = "".join(map(str, places)), "-" if sign else ""
    # How many of the digits stand before the decimal point.
    point = len(digits) + int(exponent)
    if len(digits) <= point <= _MAX_PLAIN_DIGITS:
        return f"{minus}{digits}{'0' * (point - len(digits))}"
    if 0 < point <= _MAX_PLAIN_DIGITS:
        return f"{minus}{digits[:point]}.{digits[point:]}"
    if -_MAX_LEADING_ZEROS < point <= 0:
        return f"{minus}0.{'0' * -point}{digits}"
    mantissa = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{minus}{mantissa}e{point - 1:+d}"


_SPELLINGS: Final[Mapping[type, Callable[[Any], str]]] = {
    # Escapes what has to be, in the short form where there is one, and nothing else: as RFC 8785 asks.
    str: encode_basestring,
    NoneType: _spell_nothing,
    bool: _spell_boolean,
    int: _spell_integer,
    float: _spell_number,
    list: _spell_items,
    tuple: _spell_items,
    dict: _spell_members,
}
