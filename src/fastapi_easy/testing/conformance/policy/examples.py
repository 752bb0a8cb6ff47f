"""Valid values for the fields of any resource, each as JSON spells it, and no two alike where the field allows."""

import base64
import uuid
from typing import Any, Final

from fastapi_easy.domain.field import Field, Kind

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


def example_of(field: Field, number: int, mark: str) -> Any:  # noqa: C901, PLR0911, PLR0912 (a line for each kind)
    """Return a valid value of *field* in JSON.

    Args:
        field: The field.

        number: Tells one value from the next; larger than 0.

        mark: What texts begin with where they are long enough.
    """
    match field.kind:
        case Kind.TEXT:
            return _text(field, number, mark)
        case Kind.INTEGER:
            return _within(field, number)
        case Kind.DECIMAL:
            return _decimal(field, number)
        case Kind.FLOAT:
            return float(_within(field, number))
        case Kind.BOOLEAN:
            return False
        case Kind.DATE:
            return f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}"
        case Kind.TIME:
            return f"08:{number % 60:02}:00"
        case Kind.DATETIME:
            return f"2026-11-{number % 28 + 1:02}T08:{number % 60:02}:00Z"
        case Kind.DURATION:
            return f"PT{number % 1000 + 1}M"
        case Kind.UUID:
            return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{mark} {number} {field.name}"))
        case Kind.BINARY:
            return base64.b64encode(f"{mark}{number}".encode()[: field.max_length]).decode()
        case Kind.ENUM:
            members = list(field.enumeration or ())
            return members[0].value if members else field.name
        case Kind.JSON:
            return {}
        case Kind.ARRAY:
            item = Field(name=field.name, kind=field.item or Kind.TEXT)
            return [example_of(item, number + each, mark) for each in range(field.min_length or 0)]


def _text(field: Field, number: int, mark: str) -> str:
    whole = f"{mark}-{number}-{field.name}"
    if field.max_length is not None and len(whole) > field.max_length:
        # The mark has no room. What tells the values apart has: its first letter is that of the mark.
        whole = mark[:1] + _spelled(number)
        whole = whole if len(whole) <= field.max_length else whole[-field.max_length :]
    return whole.ljust(field.min_length or 1, "x")


def _spelled(number: int) -> str:
    spelled = ""
    while number:
        number, place = divmod(number, len(_DIGITS))
        spelled = _DIGITS[place] + spelled
    return spelled


def _decimal(field: Field, number: int) -> str:
    whole = _within(field, number)
    if field.precision is not None:
        whole %= 10 ** min(field.precision - (field.scale or 0), 15)
    return str(max(whole, 1))


def _within(field: Field, number: int) -> int:
    """Return *number*, moved between the bounds of *field*."""
    low = [value for value in (field.minimum, *_bounds(field, "ge")) if value is not None]
    low += [value + 1 for value in _bounds(field, "gt")]
    high = [value for value in (field.maximum, *_bounds(field, "le")) if value is not None]
    high += [value - 1 for value in _bounds(field, "lt")]
    smallest = max((int(each) for each in low), default=0)
    largest = min((int(each) for each in high), default=2**31 - 1)
    if smallest <= number <= largest:
        return number
    return smallest + number % max(largest - smallest + 1, 1)


def _bounds(field: Field, name: str) -> list[Any]:
    every = [rule for each in field.rules for rule in (each, *getattr(each, "metadata", ()))]
    return [bound for rule in every if isinstance(bound := getattr(rule, name, None), int | float)]
