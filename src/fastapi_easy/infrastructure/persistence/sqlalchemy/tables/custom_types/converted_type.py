"""The column type that stands in for one of the user's, and lets none of its exceptions through (ADR 42)."""

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import Column, String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from fastapi_easy.domain.field import Comparison, Field, Kind
from fastapi_easy.domain.values.kind_format import ParseError
from fastapi_easy.domain.values.plain_json import to_plain_json
from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.domain.values.value_parsing import parse_value
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.custom_types.conversions import (
    Conversion,
    Unreadable,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.kinds import unwrap_decorators
from fastapi_easy.infrastructure.relational.column_types import ColumnType, Unstorable

_SENT_AS_SHOWN = frozenset({Kind.TEXT, Kind.INTEGER, Kind.FLOAT, Kind.BOOLEAN})


class ConvertedType(TypeDecorator[Any]):
    """Values of a row in place of the objects that the user's type takes and gives.

    What the user's type cannot read is an `UnexpectedValue`, which is sent as it is stored.

    Args:
        conversion: What the user's type does.

        column: The name of the column, for errors.

        comparison: How far the column can be compared.

    Attributes:
        stored_kind: The kind of what the column holds; `None` when it is known to the database alone.
    """

    impl = String
    cache_ok = True
    # As columns of no special type, whatever the user's type would do.
    comparator_factory = TypeDecorator.Comparator

    def __init__(self, conversion: Conversion, column: str, comparison: Comparison) -> None:
        super().__init__()
        self.conversion = conversion
        self.column = column
        self.comparison = comparison
        vars(self).update(impl=conversion.declared, impl_instance=conversion.declared)
        self.stored_kind = None if conversion.column is None else conversion.column.kind

    @property
    def holds_plain_text(self) -> bool:
        """Whether the column holds the very texts that are shown."""
        return self.conversion.value.kind is Kind.TEXT and self.comparison is Comparison.FULL

    def kept(self, value: Any) -> Any:
        """Return the value that is compared with instead of *value*; `None` when it is never stored."""
        if type(value) is UnexpectedValue:
            return value
        found = self.conversion.kept(value)
        # What a type makes of a text is found by the text as well: an address in capitals, say.
        return value if found is not None and self.conversion.value.kind is Kind.TEXT else found

    def shows(self, value: UnexpectedValue) -> bool:
        """Return whether the column may hold what is shown as *value*, since the user's type cannot read that."""
        kind, is_sqlite = self.stored_kind, self.conversion.dialect.name == "sqlite"
        if kind is None:
            # What the database would take is known to it alone.
            return False
        try:
            stored = _as_stored(value.shown, kind, is_sqlite=is_sqlite)
            if not isinstance(stored, bytes):
                stored = parse_value(Field(name="stored", kind=kind), stored)
        except ValueError:
            # No base64, or nothing that the column could hold.
            return False
        try:
            _ = self.conversion.to_value(stored)
        except Unreadable:
            return True
        return False

    def load_dialect_impl(self, dialect: Dialect) -> ColumnType:
        """Return what the column is in the database, beneath the user's type."""
        found = self.conversion.declared
        while isinstance(found, TypeDecorator):
            found = found.load_dialect_impl(dialect)
        return found

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Return what encodes a value of a row."""
        convert, column = replace(self.conversion, dialect=dialect).to_stored, self.column
        kind, is_sqlite = self.stored_kind, dialect.name == "sqlite"

        def process(value: Any) -> Any:
            if type(value) is UnexpectedValue:
                return _as_stored(value.shown, kind, is_sqlite=is_sqlite)
            try:
                return convert(value)
            except Unstorable as error:
                raise Unstorable(str(error), column) from error

        return process

    def result_processor(self, dialect: Dialect, coltype: Any) -> Callable[[Any], Any]:
        """Return what decodes a value of the driver."""
        convert = replace(self.conversion, dialect=dialect, coltype=coltype).to_value

        def process(stored: Any) -> Any:
            try:
                return convert(stored)
            except Unreadable:
                return UnexpectedValue(_shown(stored))

        return process


class ExpressedType(ConvertedType):
    """The same for a type that wraps values in SQL, on their way in or out."""

    cache_ok = True

    def bind_expression(self, bindvalue: Any) -> Any:
        """Return what the user's type makes of a parameter."""
        expression = self.conversion.declared.bind_expression(bindvalue)
        return bindvalue if expression is None else expression

    def column_expression(self, column: Any) -> Any:
        """Return what the user's type selects in place of *column*."""
        expression = self.conversion.declared.column_expression(column)
        return column if expression is None else expression


def convert_column(column: Column[Any], field: Field) -> None:
    """Give *column*, the copy of one with a type of the user's, the type that stands in for that."""
    if isinstance(field.check, Conversion) and not isinstance(column.type, ConvertedType):
        conversion = replace(field.check, declared=unwrap_decorators(column.type))
        kind = ExpressedType if conversion.has_expressions else ConvertedType
        column.type = kind(conversion, column.name, field.comparison)


def comparable(type_: ColumnType, value: Any, raw: Any) -> Any:
    """Return *value*, or a place holder of *raw*, from which it was read, where a type of the user's refuses it."""
    if not isinstance(type_, ConvertedType) or type_.holds_plain_text or type(value) is UnexpectedValue:
        return value
    try:
        _ = type_.conversion.to_stored(value)
    except Unstorable:
        return UnexpectedValue(_shown(raw))
    return value


class StoredText(TypeDecorator[str]):
    """Text that is compared as it is stored, an `UnexpectedValue` perhaps."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return value.shown if isinstance(value, UnexpectedValue) else value


def _shown(stored: Any) -> object:
    try:
        return to_plain_json(stored)
    except TypeError:
        return str(stored)


def _as_stored(shown: Any, kind: Kind | None, *, is_sqlite: bool) -> Any:
    """Return what a driver takes for the stored value that is shown as *shown*."""
    if kind is Kind.BINARY and isinstance(shown, str):
        return base64.b64decode(shown)
    if is_sqlite or kind is None or kind in _SENT_AS_SHOWN:
        return shown
    try:
        return parse_value(Field(name="stored", kind=kind), shown)
    except ParseError:
        # What Python has no object for either, `infinity` say: the driver has given it, and takes it back.
        return UnexpectedValue(shown)
