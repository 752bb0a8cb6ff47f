"""Exceptions of drivers → the errors that callers can act on."""

import decimal
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias, assert_never

from returns.result import Failure
from sqlalchemy import CheckConstraint, Table, UniqueConstraint
from sqlalchemy.exc import SQLAlchemyError

from fastapi_easy.domain.changes.patch import Patch, Values
from fastapi_easy.domain.errors import (
    AlreadyExists,
    CheckFailed,
    Error,
    Fault,
    Forbidden,
    Invalid,
    Key,
    NotFound,
    ReferenceBroken,
    Stale,
    TooLarge,
    Unavailable,
    UnavailableReason,
    Unsupported,
)
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.ports.breaker import CallNotPermitted
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.values.decimal_digits import significant_digits, too_many_digits
from fastapi_easy.domain.values.limits import integer_limits
from fastapi_easy.infrastructure.relational.catalogue.stored_references import (
    NO_REFERENCES,
    StoredReferences,
)
from fastapi_easy.infrastructure.relational.column_types import ALIVE_COLUMN
from fastapi_easy.infrastructure.relational.driver.error_classification import (
    ClassifiedError,
    classify_error,
    unavailable_for,
)
from fastapi_easy.infrastructure.relational.error_codes import ErrorCause
from fastapi_easy.infrastructure.relational.transaction import TransactionLost

DATABASE_ERRORS: Final = (SQLAlchemyError, OSError, TransactionLost)
"""What running a statement may raise; `translate` raises again what means a defect of ours."""

NO_KEY_MADE: Final = "The database gives no value to a field that only it can fill in"
"""Why nothing was stored, in `CheckFailed`."""

NO_WAY_TO_CHANGE: Final = "this change of a view"
"""What a store lacks, in `Unsupported`."""

_Fields: TypeAlias = tuple[str, ...]
_WORD: Final = re.compile(r"\w+")


class TableConstraints:
    """The constraints of one table, and the fields they are about.

    Args:
        resource: The resource of the table.

        table: Our copy of the table.

        fields: The fields by the names of their columns.

        stored_references: The foreign keys that the database has, where it does not name one that is violated.
    """

    def __init__(
        self,
        resource: Resource[Any],
        table: Table,
        fields: Mapping[str, str],
        stored_references: StoredReferences = NO_REFERENCES,
    ) -> None:
        self.resource = resource
        self._table = table.name
        self._fields = fields
        self._key = self._fields_of(column.name for column in table.primary_key.columns)
        self._unique = dict(self._unique_rules(table))
        self._references = dict(self._reference_rules(table))
        self._referred = frozenset(self._fields_of(stored_references.referred))
        for columns in stored_references.referring:
            _ = self._references.setdefault(f"({', '.join(columns)})", self._fields_of(columns))
        self._checks = {
            str(each.name): self._fields_in(each)
            for each in table.constraints
            if isinstance(each, CheckConstraint) and each.name is not None
        }

    def owns(self, classified: ClassifiedError) -> bool:
        """Return whether a constraint of this table was violated, as far as the driver tells."""
        if classified.table is not None:
            return classified.table == self._table
        name = classified.constraint
        return name in self._unique or name in self._references or name in self._checks

    def error_for(self, classified: ClassifiedError, written: Sequence[Values], *, removing: bool) -> Error:
        """Return the error for a violated constraint or a value that does not fit."""
        match classified.cause:
            case ErrorCause.UNIQUE:
                return AlreadyExists(self.resource.name, self._given_fields(classified, written))
            case ErrorCause.FOREIGN_KEY:
                return self._broken_reference(classified, written, removing=removing)
            case ErrorCause.CHECK:
                name = classified.constraint
                fields = self._checks.get(str(name)) or self._fields_mentioned_in(str(name))
                return CheckFailed(self.resource.name, fields, name)
            case ErrorCause.NOT_NULL:
                return self._null_not_allowed(classified, written)
            case ErrorCause.INVALID_VALUE:
                return self._invalid_value(classified, written)
            case ErrorCause.RAISED:
                return CheckFailed(self.resource.name, (), reason=classified.sentence)
            case ErrorCause.NOT_PERMITTED:
                return not_permitted(self.resource, written, removing=removing)
            case ErrorCause.NOT_CHANGEABLE:
                return Unsupported(self.resource.name, NO_WAY_TO_CHANGE)
            case (
                ErrorCause.TIMEOUT
                | ErrorCause.LOCK_TIMEOUT
                | ErrorCause.ROLLED_BACK
                | ErrorCause.DEADLOCK
                | ErrorCause.SERIALIZATION
                | ErrorCause.UNREACHABLE
                | ErrorCause.ACCESS_DENIED
                | ErrorCause.UNKNOWN_DATABASE
                | ErrorCause.READ_ONLY
                | ErrorCause.STORAGE_FULL
                | ErrorCause.STALE_STATEMENT
            ):
                raise LookupError(f"{classified.cause} is about no table")
            case _:
                assert_never(classified.cause)

    def _null_not_allowed(self, classified: ClassifiedError, written: Sequence[Values]) -> Error:
        fields, known = self._known_fields(classified, written), self.resource.stored_fields
        if not fields:
            # A column of another table, or one that the class does not have: no value of a caller's helps.
            return CheckFailed(self.resource.name, (), classified.constraint)
        if all(name in known and known[name].generated for name in fields):
            return CheckFailed(self.resource.name, (), reason=NO_KEY_MADE)
        return null_not_allowed(fields)

    def _given_fields(self, classified: ClassifiedError, written: Sequence[Values]) -> _Fields:
        """Return the fields that are taken; none where the store has made their values: its counter is behind."""
        fields, known = self._unique_fields(classified, written), self.resource.stored_fields
        is_made = all(name in known and known[name].generated for name in fields)
        is_given = any(values.get(name) is not None for values in written for name in fields)
        return () if is_made and not is_given else fields

    def _unique_fields(self, classified: ClassifiedError, written: Sequence[Values]) -> _Fields:
        name = classified.constraint or ""
        if name in self._unique:
            return self._unique[name]
        if name == f"{self._table}_pkey":
            return self._key
        if name == "PRIMARY":
            # The name of every table's; a key that nobody has given is that of a row that a trigger writes.
            return self._key if any(field in values for values in written for field in self._key) else ()
        if classified.columns:
            return self._known_fields(classified, written)
        # MySQL names the index of a nameless constraint after its first column, PostgreSQL after all of them.
        for fields in (*self._unique.values(), self._key):
            columns = [column for field in fields for column, mine in self._fields.items() if mine == field]
            if name in {columns[0], f"{self._table}_{'_'.join(columns)}_key"}:
                return fields
        return ()

    def _known_fields(self, classified: ClassifiedError, written: Sequence[Values]) -> _Fields:
        """Return the fields of the columns that *classified* names; none when they are those of another table.

        Partitions, and what is behind a view, have other names and the same columns; what a trigger writes may have.
        """
        if not all(column in self._fields for column in classified.columns):
            return ()
        fields = self._fields_of(classified.columns)
        is_own = classified.table is None or classified.table.casefold() == self._table.casefold()
        return fields if is_own or any(name in values for values in written for name in fields) else ()

    def _broken_reference(
        self, classified: ClassifiedError, written: Sequence[Values], *, removing: bool
    ) -> ReferenceBroken:
        given = {
            fields
            for fields in self._references.values()
            if any(all(values.get(field) is not None for field in fields) for values in written)
        }
        is_missing = classified.is_target_missing
        if is_missing is None:
            is_missing = not removing and self._is_target_missing(classified, written, given)
        fields = self._foreign_key_fields(classified, written, given) if is_missing and not removing else ()
        return ReferenceBroken(self.resource.name, fields, is_target_missing=is_missing and not fields)

    def _is_target_missing(
        self, classified: ClassifiedError, written: Sequence[Values], given: Collection[_Fields]
    ) -> bool:
        """Return whether a broken reference is one that was written, where the driver does not tell."""
        if classified.table is not None:
            if classified.table.casefold() != self._table.casefold():
                return False
            # A table that refers to itself.
            own = self._references.get(str(classified.constraint))
            return own is None or not classified.columns or self._fields_of(classified.columns) == own
        if not written:
            # Deferred until the commit.
            return bool(self._references)
        changed = {name for values in written if isinstance(values, Patch) for name in values}
        return bool(given) or not changed & self._referred

    def _foreign_key_fields(
        self, classified: ClassifiedError, written: Sequence[Values], given: Collection[_Fields]
    ) -> _Fields:
        if classified.constraint in self._references:
            return self._references[classified.constraint]
        if classified.columns:
            return self._known_fields(classified, written)
        # SQLite does not name the constraint: only a reference that stands alone can be told.
        return next(iter(given)) if len(given) == 1 else ()

    def _invalid_value(self, classified: ClassifiedError, written: Sequence[Values]) -> Error:
        fields = self.resource.stored_fields
        named = [(name, "The value does not fit") for name in self._known_fields(classified, written)]
        guilty = named or list(
            {
                name: reason
                for values in written
                for name, value in values.items()
                if name in fields and (reason := _explain_invalid(fields[name], value)) is not None
            }.items()
        )
        if not guilty:
            return Invalid((Fault("", "A value does not fit its column", "out_of_range"),))
        return Invalid(tuple(Fault(f"/{name}", reason, "out_of_range") for name, reason in guilty))

    def _fields_of(self, columns: Iterable[str]) -> _Fields:
        return tuple(self._fields.get(column, column) for column in columns)

    def _fields_mentioned_in(self, text: str) -> _Fields:
        words = set(_WORD.findall(text))
        return tuple(field for column, field in self._fields.items() if column in words)

    def _unique_rules(self, table: Table) -> Iterator[tuple[str, _Fields]]:
        if table.primary_key.name is not None:
            yield str(table.primary_key.name), self._key
        for rule in table.constraints:
            if isinstance(rule, UniqueConstraint):
                fields = self._fields_of(column.name for column in rule.columns)
                yield str(rule.name or f"{table.name}_{'_'.join(c.name for c in rule.columns)}_key"), fields
        for index in table.indexes:
            if index.unique:
                yield (
                    str(index.name),
                    self._fields_of(c.name for c in index.columns if c.name != ALIVE_COLUMN),
                )

    def _reference_rules(self, table: Table) -> Iterator[tuple[str, _Fields]]:
        for rule in table.foreign_key_constraints:
            columns = [column.name for column in rule.columns]
            # PostgreSQL makes up this name for a constraint without one.
            yield str(rule.name or f"{table.name}_{'_'.join(columns)}_fkey"), self._fields_of(columns)

    def _fields_in(self, rule: CheckConstraint) -> _Fields:
        named = self._fields_of(column.name for column in rule.columns)
        return named or self._fields_mentioned_in(str(rule.sqltext))


def owner_of(many: Sequence[TableConstraints], classified: ClassifiedError) -> TableConstraints | None:
    """Return those of *many* that *classified* is about; the first where the driver does not tell."""
    return next((each for each in many if each.owns(classified)), many[0] if many else None)


def translate(
    error: BaseException,
    database: str,
    constraints: Callable[[ClassifiedError], TableConstraints | None],
    written: Sequence[Values],
    *,
    removing: bool,
) -> Error:
    """Turn what running a statement raised into an error a caller can act on.

    Args:
        error: What was raised.

        database: The name of the database.

        constraints: Finds the constraints of the table that an error is about.

        written: The values that were to be written, of each row; empty for reads.

        removing: Whether the statement was to remove rows.

    Raises:
        BaseException: *error* itself, when it means a defect of ours.
    """
    unavailable = as_unavailable(error, database)
    if unavailable is not None:
        return unavailable
    classified = classify_error(error)
    found = None if classified is None else constraints(classified)
    if classified is None or found is None or classified.cause is ErrorCause.STALE_STATEMENT:
        raise error
    return found.error_for(classified, written, removing=removing)


def as_unavailable(error: BaseException, database: str) -> Unavailable | None:
    """Return that *database* is unavailable, if *error* means just that; else `None`."""
    if isinstance(error, TransactionLost):
        return Unavailable(database, reason=UnavailableReason.CONFLICT)
    if isinstance(error, CallNotPermitted):
        return Unavailable(database, error.retry_after, error.reason)
    return unavailable_for(error, database)


def null_not_allowed(fields: Iterable[str]) -> Invalid:
    """Return the error for *fields* that were null, or left out, and must not be."""
    return Invalid(tuple(Fault(f"/{field}", "A value is needed", "null_not_allowed") for field in fields))


def not_permitted(resource: Resource[Any], written: Sequence[Values], *, removing: bool) -> Forbidden:
    """Return that the user of the database may not do this with *resource*."""
    return Forbidden(resource.name, "delete" if removing else "write" if written else "read")


def not_found(resource: Resource[Any], key: Key) -> Failure[Error]:
    """Return the failure that no entity has *key*."""
    return Failure(NotFound(resource.name, key))


def stale(resource: Resource[Any], key: Key, current: str) -> Failure[Error]:
    """Return the failure that the entity with *key* has version *current* by now."""
    return Failure(Stale(resource.name, key, current))


def too_many(max_affected: int) -> Failure[Error]:
    """Return the failure that a change would reach more than *max_affected* entities."""
    return Failure(TooLarge("affected", max_affected, "entities"))


def _explain_invalid(field: Field, value: object) -> str | None:
    """Return why *value* is likely to be the one that the database refused; `None` when it is not."""
    match value:
        case str() if field.kind is Kind.TEXT:
            return _explain_text(field, value)
        case bytes() if field.kind is Kind.BINARY and field.max_length is not None:
            return f"Longer than {field.max_length} bytes" if len(value) > field.max_length else None
        case int() if field.kind is Kind.INTEGER and not _is_in_range(field, value):
            return "Outside the range of the field"
        case decimal.Decimal() if field.kind is Kind.DECIMAL and not _fits_precision(field, value):
            limit = field.significant_digits
            return "Has more digits than can be stored" if limit is None else f"{too_many_digits(limit)}."
        case _:
            return None


def _explain_text(field: Field, text: str) -> str | None:
    if "\x00" in text or not _is_encodable(text):
        return "Holds a character that cannot be stored"
    if field.max_length is not None and len(text) > field.max_length:
        return f"Longer than {field.max_length} characters"
    return None


def _is_encodable(text: str) -> bool:
    try:
        _ = text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_in_range(field: Field, value: int) -> bool:
    low, high = integer_limits(field)
    return low <= value <= high


def _fits_precision(field: Field, value: decimal.Decimal) -> bool:
    limit = field.significant_digits
    if limit is not None and (not value.is_finite() or significant_digits(value) > limit):
        return False
    if field.precision is None or not value.is_finite():
        return value.is_finite()
    digits = value.normalize().as_tuple()
    exponent = int(digits.exponent)
    whole = len(digits.digits) + exponent
    scale = field.precision if field.scale is None else field.scale
    return len(digits.digits) <= field.precision and whole <= field.precision - min(scale, max(0, -exponent))
