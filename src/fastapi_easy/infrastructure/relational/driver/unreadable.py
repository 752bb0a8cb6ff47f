"""Rows with values that their columns' types cannot read: shown as they are stored, value by value."""

import base64
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.infrastructure.relational.driver.executor import ResultDecoder

UNREADABLE: Final = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)
"""What a type raises for a value that it cannot read."""

_BYTES: Final = "bytes"
_TEXT: Final = "text"
_UNDECODABLE: Final = "undecodable"
_INFINITE: Final = frozenset({"Infinity", "-Infinity"})


class UnexpectedRows(list[Sequence[Any]]):
    """Rows of which some hold an `UnexpectedValue`, so that nobody may take all values for what was declared."""


def unexpected(stored: Any) -> UnexpectedValue:
    """Return the place holder of *stored*, which `as_stored` makes of it again."""
    if isinstance(stored, UnexpectedValue):
        return stored
    if isinstance(stored, bytes):
        return UnexpectedValue({_BYTES: base64.b64encode(stored).decode()})
    if isinstance(stored, float) and not math.isfinite(stored):
        return UnexpectedValue("Infinity" if stored > 0 else "-Infinity" if stored < 0 else "NaN")
    if isinstance(stored, str) and stored in _INFINITE:
        # Not the number that is shown like this.
        return UnexpectedValue({_TEXT: stored})
    return UnexpectedValue(stored if isinstance(stored, str | int | float) else str(stored))


def decode_text(stored: bytes) -> Any:
    """Return the text of *stored*, or the place holder of one that is no UTF-8."""
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return UnexpectedValue({_UNDECODABLE: base64.b64encode(stored).decode()})


def is_undecodable(value: object) -> bool:
    """Return whether *value* stands for a text that is no UTF-8, whose bytes are bound."""
    return (
        isinstance(value, UnexpectedValue)
        and isinstance(value.shown, Mapping)
        and _UNDECODABLE in value.shown
    )


class UnexpectedDecoder:
    """Decodes an answer that holds texts which are no UTF-8.

    Args:
        decoder: Decodes all other values.
    """

    texts: Mapping[int, Callable[[str], Any]] = MappingProxyType({})

    def __init__(self, decoder: ResultDecoder) -> None:
        self._decoder = decoder

    def rows(self, records: Sequence[Sequence[Any]], *, keeps_texts: bool = False) -> Sequence[Sequence[Any]]:
        """Decode *records* to values of the types that were declared, or place holders."""
        return UnexpectedRows(self._decoder.rows(records, keeps_texts=keeps_texts))


def as_stored(value: UnexpectedValue) -> Any:
    """Return the value that *value* stands for."""
    match value.shown:
        case "Infinity" | "-Infinity":
            return float(value.shown)
        case Mapping() as form if _BYTES in form:
            return base64.b64decode(form[_BYTES])
        case Mapping() as form if _TEXT in form:
            return form[_TEXT]
        case Mapping() as form if _UNDECODABLE in form:
            return base64.b64decode(form[_UNDECODABLE])
        case shown:
            return shown
