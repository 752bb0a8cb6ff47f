"""Values as a program has them → what JSON could have said, in containers of our own."""

import datetime
import math
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from fastapi_easy.domain.errors import Fault, Invalid
from fastapi_easy.domain.field import UNSET
from fastapi_easy.domain.values.json import (
    Json,
    is_number,
    is_storable_text,
    join_pointer,
    non_finite_number_fault,
    unstorable_name_fault,
    unstorable_text_fault,
)
from fastapi_easy.domain.values.limits import MAX_DEPTH, MAX_FAULTS

_UNCHANGED: Final = frozenset(
    {
        bool,
        int,
        type(None),
        bytes,
        datetime.date,
        datetime.datetime,
        datetime.time,
        datetime.timedelta,
        uuid.UUID,
    }
)
_CONTAINERS: Final = (dict, list, tuple, Mapping)


def to_document(values: object) -> object:
    """Return *values* as a document that may be read like one of JSON, or what no accepted JSON could say.

    Containers are copied, what was left `UNSET` is left out, and texts and numbers are of no subclass. What JSON has no
    form for stays as it is: whoever knows the field knows whether it fits.
    """
    faults: list[Fault] = []
    try:
        document = _to_document(values.document if isinstance(values, Json) else values, "", 1, faults)
    except _TooDeepError as error:
        return Invalid(
            (Fault(error.pointer, f"Must not be nested deeper than {MAX_DEPTH} levels", "too_deep"),)
        )
    return Invalid(tuple(faults[:MAX_FAULTS])) if faults else document


class _TooDeepError(Exception):
    def __init__(self, pointer: str) -> None:
        self.pointer = pointer
        super().__init__(pointer)


def _to_document(value: object, pointer: str, depth: int, faults: list[Fault]) -> object:
    """Copy *value*, which is at *pointer* inside *depth* containers, counting itself if it is one."""
    if type(value) in _UNCHANGED:
        return value
    if isinstance(value, str):
        text = str.__str__(value)
        if not is_storable_text(text):
            faults.append(unstorable_text_fault(pointer))
        return text
    if isinstance(value, Decimal | float):
        if not (is_number(value) if isinstance(value, Decimal) else math.isfinite(value)):
            faults.append(non_finite_number_fault(pointer))
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, _CONTAINERS):
        if depth > MAX_DEPTH:
            raise _TooDeepError(pointer)
        if isinstance(value, Mapping):
            return _members(value, pointer, depth, faults)
        return [
            _to_document(item, join_pointer(pointer, place), depth + 1, faults)
            for place, item in enumerate(value)
        ]
    return value


def _members(members: Mapping[Any, Any], pointer: str, depth: int, faults: list[Fault]) -> dict[str, object]:
    copied: dict[str, object] = {}
    for name, member in members.items():
        if type(name) is not str and isinstance(name, str):
            name = str.__str__(name)  # noqa: PLW2901 (the same name)
        kind = type(member)
        if type(name) is not str:
            faults.append(Fault(join_pointer(pointer, str(name)), "Keys should be strings", "invalid_key"))
        elif not is_storable_text(name):
            faults.append(unstorable_name_fault(pointer))
        elif kind in _UNCHANGED or (kind is str and is_storable_text(member)):
            # Most are like that, and need no pointer.
            copied[name] = member
        elif member is not UNSET:
            copied[name] = _to_document(member, join_pointer(pointer, name), depth + 1, faults)
    return copied
