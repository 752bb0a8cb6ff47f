"""What every interface and every journal has to know of one kind of value."""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from fastapi_easy.domain.field import Field, Kind

T = TypeVar("T")
JsonScalar: TypeAlias = str | int | float | bool | None
JsonSchema: TypeAlias = dict[str, Any]
TextReader: TypeAlias = Callable[[Field, str], T]


class ParseError(ValueError):
    """A value is not of the field's type, or out of its range. Never carries the value.

    Attributes:
        code: A stable word for programs.
    """

    def __init__(self, message: str, code: str) -> None:
        self.code = code
        super().__init__(message)


class JsonForm(enum.Enum):
    """The form of a kind's values in JSON."""

    LITERAL = enum.auto()
    """A number, or `true` and `false`."""

    STRING = enum.auto()
    """A string, even if it spells a number."""

    DOCUMENT = enum.auto()
    """An array, an object, or anything."""


def inner_schema(_: Field, inner: JsonSchema) -> JsonSchema:
    """Return the JSON Schema of the Python type."""
    return inner


def no_body_reader(_: Field) -> None:
    """Leave members of bodies to the strict check of the Python type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindFormat(Generic[T]):
    """The functions that read, write and describe values of one kind. Strict: nothing is guessed.

    Attributes:
        json_form: What its values are in JSON.

        read_text: Reads what a path, a query string or a cell of CSV spells. Raises `ParseError`.

        read_json: Reads a scalar of a `where` tree, or the Python object that a program has in its place. Raises
            `ParseError`.

        body_reader: Builds the reader of a body's member, which raises `ParseError`; `None` where a strict check of the
            Python type says the same.

        write_json: Spells a value in an answer; `None` where the encoder of JSON does.

        write_key: Spells a value in keys and cursors, so that `read_json` makes it again.

        is_key_spelling: Returns whether text from which `read_text` has made a value is the spelling of that value in
            paths; `None` where each text is.

        write_journal: Spells a value in journals, the same for every store.

        read_journal: Makes the value again that `write_journal` has spelt. Raises `ValueError` or `TypeError` for
            anything else.

        query_schema: JSON Schema of what `read_text` reads.

        body_schema: JSON Schema of what the reader of `body_reader` reads, from that of the Python type.
    """

    json_form: JsonForm
    read_text: TextReader[T]
    read_json: Callable[[Field, object], T]
    body_reader: Callable[[Field], Callable[[object], object] | None] = no_body_reader
    write_json: Callable[[T], str] | None = None
    write_key: Callable[[T], JsonScalar]
    is_key_spelling: Callable[[str], bool] | None = None
    write_journal: Callable[[T], object]
    read_journal: Callable[[Field, Any], T]
    query_schema: Callable[[Field], JsonSchema]
    body_schema: Callable[[Field, JsonSchema], JsonSchema] = inner_schema


def checked_text(kind: Kind, read: TextReader[T]) -> TextReader[T]:
    """Make *read* raise `ParseError` alone, and also for text that no database in UTF-8 takes."""

    def read_checked(field: Field, text: str) -> T:
        if "\x00" in text or not (text.isprintable() or _is_encodable(text)):
            raise ParseError("Must be valid Unicode text without NUL", "unsafe_text")
        try:
            return read(field, text)
        except ParseError:
            raise
        except (ValueError, OverflowError):
            # Spelt as it should be, and yet none: the 31st of February, a year 0, too many days.
            raise ParseError(f"Must be a valid {kind}", f"{kind}_parsing") from None

    return read_checked


def string_body_reader(
    read_text: TextReader[T], own: type, keep: Callable[[object], object]
) -> Callable[[Field], Callable[[object], object]]:
    """Build readers of members that are strings in JSON and of the type *own* in Python, which *keep* takes over."""

    def reader_of(field: Field) -> Callable[[object], object]:
        def read(value: object) -> object:
            if isinstance(value, str):
                return read_text(field, value)
            if isinstance(value, own):
                return keep(value)
            raise ParseError("Must be a string", "string_type")

        return read

    return reader_of


def type_error(field: Field) -> ParseError:
    """Return the error of a value of another type than *field* has."""
    return ParseError(f"Must be a valid {field.kind}", f"{field.kind}_type")


def fixed_schema(schema: JsonSchema) -> Callable[[Field], JsonSchema]:
    """Make *schema* the one of every field; each gets a copy."""
    return lambda _: dict(schema)


def fixed_body_schema(schema: JsonSchema) -> Callable[[Field, JsonSchema], JsonSchema]:
    """Add *schema* to the one of the Python type, of which it takes precedence."""
    return lambda _, inner: {**inner, **schema}


def unchanged(value: T) -> T:
    """Return *value*."""
    return value


def read_unchanged(field: Field, value: T) -> T:
    """Return *value*, which journals hold as *field* does.

    Raises:
        TypeError: It is of another type.
    """
    if not isinstance(value, field.python_type):
        raise TypeError
    return value


def _is_encodable(text: str) -> bool:
    try:
        _ = text.encode()
    except UnicodeEncodeError:
        return False
    return True
