"""What a column type of the user's makes of its values on one dialect (ADR 42).

Others decide how such a column stores its values, so that nothing about it is known but what its annotation says and
what it does with samples. Both are looked at once, when the application starts.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import pydantic
from sqlalchemy import bindparam
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from fastapi_easy.domain.field import UNSET, Comparison, Field, Kind
from fastapi_easy.domain.values.kind_format import ParseError
from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.custom_types.samples import SAMPLES
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.custom_types.value_types import ValueType
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.field_type import FieldType
from fastapi_easy.infrastructure.relational.column_types import ColumnType, Unstorable

_NUMBERS: Final = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT})
_PARTICULAR: Final = frozenset({Kind.TEXT, Kind.JSON})
"""Kinds of which a type may take a few values only, and none of the samples."""

_NOT_COMPARED: Final = frozenset({Kind.JSON, Kind.BINARY})
"""Kinds whose values no field can be compared with."""

_NUMERIC: Final = 1700
"""PostgreSQL's OID of NUMERIC; other databases do not ask."""

_LONGEST: Final = 200
"""Characters of a message of the user's that are shown."""


class Unreadable(Exception):
    """Raised for a stored value of which the user's type makes none of the values that it should."""


@dataclass(frozen=True, slots=True, eq=False)
class Conversion:
    """The conversions of one column type on one dialect.

    As `Field.check` it refuses what the column cannot take.

    Attributes:
        declared: The user's column type.

        value: What it gives.

        dialect: Of the database.

        column: What the column itself holds; `None` when that is known to the database alone.

        coltype: The type that the driver reports for the column; psycopg's numbers depend on it.
    """

    declared: ColumnType
    value: ValueType
    dialect: Dialect
    column: FieldType | None = None
    coltype: Any = _NUMERIC
    _bind: Callable[[Any], Any] = field(init=False)
    _result: Callable[[Any], Any] = field(init=False)
    _samples: list[tuple[Any, Any]] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Look the processors up."""
        impl = self.declared.dialect_impl(self.dialect)
        object.__setattr__(self, "_bind", impl.bind_processor(self.dialect) or _unchanged)
        object.__setattr__(self, "_result", impl.result_processor(self.dialect, self.coltype) or _unchanged)

    def __call__(self, value: object) -> None:
        """Check that the column takes *value*.

        Raises:
            ParseError: It does not.
        """
        if value is not None:
            self._check(value)

    def to_stored(self, value: Any) -> Any:
        """Return what is sent to the database for *value* of a row.

        Raises:
            Unstorable: The user's type refuses it.
        """
        if value is None:
            # Null is null, whatever the type would make of it.
            return None
        try:
            return self._bind(value if self.value.to_object is None else self.value.to_object(value))
        except Exception as error:
            # The user's code may raise anything.
            raise Unstorable(_sentence(error, self.declared)) from error

    def to_value(self, stored: Any) -> Any:
        """Return the value of a row that *stored* is read as.

        Raises:
            Unreadable: The user's type does not know it, or makes a value of another type of it.
        """
        if stored is None:
            return None
        made = self.read_by_type(stored)
        try:
            value = made if self.value.to_value is None or made is None else self.value.to_value(made)
        except Exception as error:
            raise Unreadable from error
        if not self.value.holds(value):
            raise Unreadable
        return value

    def read_by_type(self, stored: Any) -> Any:
        """Return the object that the user's type makes of *stored*.

        Raises:
            Unreadable: The type refuses it.
        """
        try:
            return self._result(stored)
        except Exception as error:
            # The user's code may raise anything.
            raise Unreadable from error

    def value_of_default(self, default: Any) -> Any:
        """Return the value of a row for *default*, which may be an object of the user's, or a value already."""
        if self.value.to_object is None or self.value.to_value is None or default is None or default is UNSET:
            return default
        return self.value.to_value(default)

    def kept(self, value: Any) -> Any:
        """Return what is read again when *value* has been stored; `None` when that is null, or nothing."""
        try:
            return self.to_value(_plain_bytes(self.to_stored(value)))
        except (Unreadable, Unstorable):
            return None

    @property
    def takes_any_sample(self) -> bool:
        """Whether there is a sample that the type takes."""
        return bool(self._stored_samples())

    @property
    def gives_samples_back(self) -> bool:
        """Whether the type takes more than one sample, and each comes back as it was, of the same Python type."""
        samples = self._stored_samples()
        return len(samples) > 1 and all(
            type(back) is type(value) and back == value
            for value, stored in samples
            for back in (self._reads(stored),)
        )

    @property
    def has_expressions(self) -> bool:
        """Whether the type wraps its values in SQL, which cannot be tried here."""
        value: Any = bindparam("value", type_=self.declared)
        return (
            self.declared.bind_expression(value) is not None
            or self.declared.column_expression(value) is not None
        )

    @property
    def comparison(self) -> Comparison:
        """How far the database can compare the stored values as the values themselves compare."""
        if self.has_expressions:
            return Comparison.NONE
        if self.value.kind in _NOT_COMPARED:
            return Comparison.FULL
        samples = self._stored_samples()
        if not all(self._is_found_again(value, stored) for value, stored in samples):
            return Comparison.NONE
        if self.value.kind is Kind.ENUM:
            return Comparison.FULL
        if self.value.kind is Kind.TEXT:
            return Comparison.FULL if self._is_plain_text() else Comparison.EQUALITY
        if not samples or not _is_ascending([stored for _, stored in samples]):
            return Comparison.EQUALITY
        return Comparison.FULL if self._is_linear() else Comparison.ORDER

    def mistake(self) -> str | None:
        """Return why the type does not do what its annotation says; `None` when it does."""
        if self.value.kind not in _PARTICULAR and not self._stored_samples():
            return f"takes no {self.value.name}"
        for value, stored in self._stored_samples():
            if stored is None:
                continue
            try:
                back = self.to_value(stored)
            except Unreadable:
                return f"reads what it has stored for a value of type {self.value.name} as something else"
            if self.value.kind is not Kind.TEXT and back != value and self.kept(back) != back:
                return f"reads another {self.value.name} than it has stored"
        return None

    def _check(self, value: Any) -> None:
        if self.value.to_object is None and not isinstance(value, self.value.classes):
            raise ParseError(f"Must be a {self.value.name}", f"{self.value.name}_type")
        try:
            stored = _plain_bytes(self.to_stored(value))
        except Unstorable as error:
            raise ParseError(str(error), "value_refused") from None
        column = self.column
        if column is None:
            return
        longest = column.max_length
        if isinstance(stored, str | bytes) and longest is not None and len(stored) > longest:
            raise ParseError("Is too long for its column", "out_of_range")
        low, high = column.minimum, column.maximum
        is_bounded = isinstance(stored, int) and low is not None and high is not None
        if is_bounded and not low <= stored <= high:
            raise ParseError("Is outside the range of its column", "out_of_range")

    def _stored_samples(self) -> list[tuple[Any, Any]]:
        """Return the samples that the type takes, from small to large, and what it makes of each."""
        if self._samples is None:
            # Once: a type may be slow, one that hashes above all.
            object.__setattr__(self, "_samples", list(self._store_samples()))
        return self._samples or []

    def _store_samples(self) -> Iterator[tuple[Any, Any]]:
        members = self.value.enumeration
        for sample in SAMPLES.get(self.value.kind, ()) if members is None else members:
            if self.value.kind is Kind.JSON and not isinstance(sample, self.value.classes):
                continue
            try:
                yield sample, _plain_bytes(self.to_stored(sample))
            except Unstorable:
                continue

    def _is_found_again(self, value: Any, stored: Any) -> bool:
        """Return whether comparing with what is shown of *value* finds it: it is stored the same way each time."""
        if stored is None:
            return True
        try:
            shown = self.to_value(stored)
            return all(_plain_bytes(self.to_stored(each)) == stored for each in (value, shown))
        except (Unreadable, Unstorable):
            return False

    def _is_plain_text(self) -> bool:
        stored = [stored for _, stored in self._stored_samples() if stored is not None]
        if not stored:
            return reads_as_it_is(self.declared) and self.value.to_value is None
        return all(isinstance(each, str) and self._reads(each) == each for each in stored)

    def _reads(self, stored: Any) -> Any:
        try:
            return self.to_value(stored)
        except Unreadable:
            return None

    def _is_linear(self) -> bool:
        """Return whether the sum of stored numbers is the stored sum."""
        if self.value.kind not in _NUMBERS:
            return True
        samples = self._stored_samples()
        value, stored = samples[-1]
        try:
            return all(self.to_stored(one + value) == other + stored for one, other in samples)
        except (Unstorable, TypeError):
            return False


def object_of(described: Field, value: Any) -> Any:
    """Return what an instance of the user's class holds for *value* of a row."""
    if not isinstance(described.check, Conversion) or value is None or type(value) is UnexpectedValue:
        return value
    make = described.check.value.to_object
    return value if make is None else make(value)


def value_of(described: Field, held: Any) -> Any:
    """Return the value of a row for what an instance of the user's class holds."""
    return described.check.value_of_default(held) if isinstance(described.check, Conversion) else held


def _plain_bytes(stored: Any) -> Any:
    """Return the bytes that a driver has wrapped for its own ends, or *stored* as it is."""
    inner = getattr(stored, "obj", stored)
    return inner if isinstance(inner, bytes) else stored


def _unchanged(value: Any) -> Any:
    return value


def reads_as_it_is(declared: ColumnType) -> bool:
    """Return whether the decorator *declared* gives what its column gives."""
    return isinstance(declared, TypeDecorator) and (
        type(declared).process_result_value is TypeDecorator.process_result_value
        and type(declared).result_processor is TypeDecorator.result_processor
    )


def _is_ascending(stored: list[Any]) -> bool:
    try:
        return stored[0] < stored[-1] and all(one <= other for one, other in pairwise(stored))
    except TypeError:
        return False


def _sentence(error: Exception, declared: ColumnType) -> str:
    """Return what to tell the caller: what is raised on purpose carries a message for them."""
    if isinstance(error, pydantic.ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        # What the user's own validator has raised stands behind a prefix of pydantic's in its message.
        message = str(first.get("ctx", {}).get("error") or first["msg"])
        return ": ".join((*map(str, first["loc"]), message))[:_LONGEST]
    message = str(error)
    if type(error) in {ValueError, AssertionError} and message and "\n" not in message:
        return message[:_LONGEST]
    return f"Is refused by {type(declared).__name__}"
