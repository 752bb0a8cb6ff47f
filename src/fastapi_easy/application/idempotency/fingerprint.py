"""What identifies a call with an idempotency key, and what tells it from another call."""

import dataclasses
import datetime
import enum
import hashlib
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from returns.result import Failure

from fastapi_easy.application.context import Context
from fastapi_easy.domain.changes.merge import Merge
from fastapi_easy.domain.errors import Error, Fault, Invalid
from fastapi_easy.domain.values.json import Json, JsonMergePatch

_KEY: Final = re.compile("[!-~]{1,255}")


def check_idempotency_key(key: str) -> Failure[Error] | None:
    """Return an `Invalid` failure unless *key* has 1 to 255 visible ASCII characters; `None` when it has."""
    if _KEY.fullmatch(key):
        return None
    return refuse_idempotency_key("Must be 1 to 255 visible ASCII characters")


def refuse_idempotency_key(message: str) -> Failure[Error]:
    """Return an `Invalid` failure: the idempotency key cannot be used, because of *message*."""
    return Failure(Invalid((Fault("/idempotency-key", message, "idempotency_key", "header"),)))


def call_id(context: Context) -> str:
    """Return what identifies the key of *context* among the keys of all callers: 64 hexadecimal digits."""
    return _digest([context.tenant, context.principal.id, context.idempotency_key])


def fingerprint(key: str, resource: str, action: str, command: object) -> str:
    """Return a fingerprint of *command*: equal for equal calls with one *key*, 64 hexadecimal digits.

    What a caller gave counts, not how it was spelt: members of objects may stand in any order, and `9.5` equals
    `9.50`. To be made before validation, which may add defaults that differ each time.

    The key is part of it, and stored nowhere: otherwise whoever reads the record could find out a short secret in the
    command by trial.
    """
    return _digest([key, resource, str(action), _canonical(command)])


def _digest(document: object) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode("ascii")).hexdigest()


def _canonical(value: Any) -> object:  # noqa: C901, PLR0911 (a line for each form)
    """Return *value* as JSON in which equal values are equal, and values of different types are not."""
    match value:
        case None | bool() | str() if not isinstance(value, enum.Enum):
            return value
        case enum.Enum():
            return ["enum", _canonical(value.value)]
        case int() | Decimal() | float():
            return ["number", _number(value)]
        case JsonMergePatch() | Merge():
            return ["merge", _canonical(value.document)]
        case Json():
            return _canonical(value.document)
        case Mapping():
            return {str(name): _canonical(each) for name, each in value.items()}
        case list() | tuple():
            return [_canonical(each) for each in value]
        case set() | frozenset():
            return ["set", sorted(json.dumps(_canonical(each), sort_keys=True) for each in value)]
        case bytes() | bytearray() | memoryview():
            return ["bytes", bytes(value).hex()]
        case datetime.datetime() if value.tzinfo is not None:
            return ["datetime", value.astimezone(datetime.UTC).isoformat()]
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            members = {each.name: _canonical(getattr(value, each.name)) for each in dataclasses.fields(value)}
            return [type(value).__name__, members]
        case _:
            return [type(value).__name__, repr(value)]


def _number(value: float | Decimal) -> str:
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not exact.is_finite():
        return str(exact)
    sign, digits, exponent = exact.as_tuple()
    # By hand: `normalize` would round to the precision of the context.
    text = "".join(map(str, digits)).lstrip("0")
    significant = text.rstrip("0")
    if not significant:
        return "0"
    return f"{'-' if sign else ''}{significant}e{int(exponent) + len(text) - len(significant)}"
