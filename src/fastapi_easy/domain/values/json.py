"""JSON that callers sent, and which of it no store can keep."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from fastapi_easy.domain.errors import Fault
from fastapi_easy.domain.values.limits import JSON_NUMBER_EXPONENTS

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


class Json(Mapping[str, Any]):
    """A document that a caller sent as JSON: parsed, and not checked against anything yet.

    Takes the place of values in a command; the step `validate` makes values of it. As a mapping it has the members of
    an object, and none when it is something else.

    Attributes:
        document: What was sent. Belongs to whoever checks it.
    """

    __slots__ = ("document",)

    def __init__(self, document: object) -> None:
        self.document = document

    def __getitem__(self, name: str) -> Any:
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __repr__(self) -> str:
        """Show its type, and not what was sent, which may be secret."""
        return f"Json({type(self.document).__name__})"

    @property
    def _members(self) -> Mapping[str, Any]:
        return self.document if isinstance(self.document, dict) else {}


class JsonMergePatch(Json):
    """A JSON merge patch (RFC 7396) that a caller sent; reaches into JSON fields, where `Json` replaces them."""

    __slots__ = ()


def is_storable_text(text: str) -> bool:
    """Return whether *text* has neither NUL nor lone surrogates, which no database in UTF-8 takes."""
    return ("\x00" not in text) if text.isascii() else _UNSTORABLE.search(text) is None


def is_number(number: Decimal) -> bool:
    """Return whether *number* is finite and within the range of floats, as numbers of JSON have to be."""
    if not number.is_finite():
        return False
    below, largest = JSON_NUMBER_EXPONENTS
    return not number or below < number.adjusted() <= largest


def unstorable_text_fault(pointer: str) -> Fault:
    """Return the fault of text that cannot be stored."""
    return Fault(pointer, "Must not contain NUL or lone surrogates", "string_unicode")


def unstorable_name_fault(pointer: str) -> Fault:
    """Return the fault of an object at *pointer* one of whose names cannot be stored."""
    return Fault(pointer, "A name contains NUL or lone surrogates", "string_unicode")


def non_finite_number_fault(pointer: str) -> Fault:
    """Return the fault of a number that is none, or beyond every float."""
    return Fault(pointer, "Must be a finite number", "finite_number")


def join_pointer(pointer: str, part: str | int) -> str:
    """Return the JSON Pointer (RFC 6901) to *part* of what *pointer* leads to; long names are cut."""
    token = _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", str(part)[:64]).replace("~", "~0").replace("/", "~1")
    return f"{pointer}/{token}"
