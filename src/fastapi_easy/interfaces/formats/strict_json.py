"""Bytes → JSON values, exactly or not at all.

`json` of the standard library, because it can be told to keep numbers exact and to show repeated names; it takes
1 µs for a small object. What is refused: anything but UTF-8, NaN and infinities, numbers beyond a float's range,
repeated names, NUL, lone surrogates, deep nesting.
"""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NoReturn, TypeAlias

from fastapi_easy.domain import Fault, Invalid
from fastapi_easy.domain.values.json import (
    is_number,
    is_storable_text,
    join_pointer,
    non_finite_number_fault,
    unstorable_name_fault,
    unstorable_text_fault,
)
from fastapi_easy.domain.values.limits import MAX_DEPTH, MAX_FAULTS

JsonValue: TypeAlias = Any
"""`None`, `bool`, `int`, `Decimal` for every other number, `str`, `list`, or `dict` of these."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """Bytes that are not a JSON document.

    Attributes:
        detail: A sentence for people that says why. Never repeats input.
    """

    detail: str


NOT_UTF_8: Final = Malformed("The body is not valid UTF-8.")

TOO_DEEP: Final = Malformed("The body is nested too deeply.")


class _NeedsDiagnosisError(ValueError):
    """Something is wrong that the quick reading cannot place."""


class _ObjectWithDuplicates(dict[str, JsonValue]):
    """An object some of whose names come more than once."""

    names: tuple[str, ...] = ()


class _OutOfRange:
    """A number that no float can hold, or that is none."""


def read_json(body: bytes) -> JsonValue | Invalid | Malformed:
    """Return the value that *body* spells; `Invalid` or `Malformed` when it spells none that may be stored."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return NOT_UTF_8
    try:
        value, end = _FAST_DECODER.raw_decode(text) if text[:1] == "{" else (None, -1)
        if end != len(text):
            # White space around it, or something else.
            value = _FAST_DECODER.decode(text)
    except _NeedsDiagnosisError:
        return _diagnose(text)
    except json.JSONDecodeError as error:
        return _not_json(f"{error.msg} at line {error.lineno} column {error.colno}")
    except RecursionError:
        return TOO_DEEP
    except ValueError:  # of int(), for more than 4,300 digits
        return _not_json("A number has too many digits")
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_too_deep(value):
        return TOO_DEEP
    if "\\u" in text:
        faults = _first_faults(value)
        if faults:
            return Invalid(faults)
    return value


_CONTAINERS: Final = frozenset({dict, list, _ObjectWithDuplicates})


def _not_json(reason: str) -> Malformed:
    return Malformed(f"The body is not valid JSON: {reason}.")


def _diagnose(text: str) -> Invalid | Malformed:
    try:
        value = _DIAGNOSTIC_DECODER.decode(text)
    except RecursionError:
        return TOO_DEEP
    except ValueError:
        return _not_json("It is cut off or has a number with too many digits")
    return TOO_DEEP if _is_too_deep(value) else Invalid(_first_faults(value))


def _first_faults(value: JsonValue) -> tuple[Fault, ...]:
    return tuple(itertools.islice(_faults(value, ""), MAX_FAULTS))


def _faults(value: JsonValue, pointer: str) -> Iterator[Fault]:
    if isinstance(value, str):
        if not is_storable_text(value):
            yield unstorable_text_fault(pointer)
    elif isinstance(value, dict):
        yield from _faults_in_object(value, pointer)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _faults(item, join_pointer(pointer, index))
    elif isinstance(value, _OutOfRange):
        yield non_finite_number_fault(pointer)


def _faults_in_object(members: dict[str, JsonValue], pointer: str) -> Iterator[Fault]:
    if isinstance(members, _ObjectWithDuplicates):
        for name in members.names:
            yield Fault(join_pointer(pointer, name), "Given more than once", "duplicate_name")
    for name, member in members.items():
        if not is_storable_text(name):
            yield unstorable_name_fault(pointer)
        else:
            yield from _faults(member, join_pointer(pointer, name))


def _is_too_deep(value: JsonValue) -> bool:
    level = [value] if type(value) in _CONTAINERS else []
    for _ in range(MAX_DEPTH):
        if not level:
            return False
        level = [
            inner
            for each in level
            for inner in (each if type(each) is list else each.values())
            if type(inner) in _CONTAINERS
        ]
    return bool(level)


def _reject_duplicates(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _NeedsDiagnosisError
    return members


def _mark_duplicates(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = _ObjectWithDuplicates(pairs)
    if len(members) == len(pairs):
        return dict(members)
    names = [name for name, _ in pairs]
    members.names = tuple(name for name in members if names.count(name) > 1)
    return members


def _in_range(literal: str) -> Decimal | None:
    number = Decimal(literal)
    return number if is_number(number) else None


def _number(literal: str) -> Decimal:
    number = _in_range(literal)
    if number is None:
        raise _NeedsDiagnosisError
    return number


def _reject_constant(literal: str) -> NoReturn:
    raise _NeedsDiagnosisError


_FAST_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_reject_duplicates, parse_float=_number, parse_constant=_reject_constant
)
_DIAGNOSTIC_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_mark_duplicates,
    parse_float=lambda literal: _OutOfRange() if (number := _in_range(literal)) is None else number,
    parse_constant=lambda _: _OutOfRange(),
)
