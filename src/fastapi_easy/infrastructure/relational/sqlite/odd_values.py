"""Stored values that are not what was declared: which texts name them in queries, and what is bound for them."""

import copy
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from fastapi_easy.domain.field import Kind
from fastapi_easy.domain.values.limits import INTEGER_LIMITS
from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.domain.values.value_parsing import format_text
from fastapi_easy.infrastructure.relational.column_types import ColumnType
from fastapi_easy.infrastructure.relational.driver.unreadable import UNREADABLE, as_stored, is_undecodable
from fastapi_easy.infrastructure.relational.sqlite.checked_types import checked
from fastapi_easy.infrastructure.relational.sqlite.spelled_type import Processor, SpellingWatch, SqliteType
from fastapi_easy.infrastructure.relational.sqlite.spellings import NUMBER

ANY_TEXT: Final = r"[\s\S]*"
_NONE: Final = r"(?!)"
_BYTES: Final = r"\{[\s\S]*"
"""Texts that stand for bytes, and for texts that are no UTF-8."""

_DIALECT: Final = SQLiteDialect()


def other_types(kind: Kind) -> str:
    """Return the texts that spell a value of *kind*, and are shown of values of other types as well."""
    match kind:
        case Kind.TEXT:
            return _BYTES
        case Kind.BOOLEAN | Kind.ENUM | Kind.DURATION:
            # Stored as something else than what is shown, which others may have stored all the same.
            return ANY_TEXT
        case _:
            return _NONE


def odd_values(shown: Sequence[UnexpectedValue], declared: ColumnType) -> list[Any]:
    """Return what is bound for those of *shown* that a column of type *declared* does not show in another way.

    These are values that are not read as what was declared, and numbers of more digits than a query may give.
    """
    read = _reader(declared)
    return [stored for each in shown for stored in _stored_forms(each, read)]


def _stored_forms(value: UnexpectedValue, read: Processor | None) -> Iterator[Any]:
    try:
        stored = as_stored(value)
    except ValueError:
        # No base64.
        return
    match stored:
        case bool():
            # SQLite has none, and would compare a number.
            return
        case bytes() if _is_shown_as(value, stored, read):
            yield value if is_undecodable(value) else stored
        case str() | int() | float():
            # A column of numbers makes one of a text that spells one, also where it is only compared.
            forms: list[Any] = [] if (number := _number(stored)) is None else [number]
            if isinstance(stored, str):
                forms.append(stored)
            if all(_is_shown_as(value, each, read) for each in forms):
                yield from forms
        case _:
            return


def _number(stored: str | float) -> int | float | None:
    """Return *stored*, or what it spells, as the number that SQLite holds; `None` for none."""
    if isinstance(stored, str):
        if NUMBER.fullmatch(stored) is None:
            return None
        try:
            stored = int(stored)
        except ValueError:
            stored = float(stored)
    if isinstance(stored, float):
        return int(stored) if stored.is_integer() and abs(stored) < INTEGER_LIMITS[1] else stored
    if INTEGER_LIMITS[0] <= stored <= INTEGER_LIMITS[1]:
        return stored
    try:
        return float(stored)
    except OverflowError:
        return None


def _is_shown_as(value: UnexpectedValue, stored: Any, read: Processor | None) -> bool:
    try:
        return read is not None and format_text(read(stored)) == value.shown
    except UNREADABLE:
        return True


@lru_cache(maxsize=1024)
def _reader(declared: ColumnType) -> Processor | None:
    own: Any = checked(declared) or declared
    if isinstance(own, SqliteType):
        own = copy.copy(own)
        # What callers write says nothing about what the column holds.
        own.watch = SpellingWatch()
    read: Processor | None = own.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
    return read
