"""What rows that exist can get in a column that is new to them, or must not be null any more."""

import contextlib
import datetime
import decimal
import enum
import inspect
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Column, String, literal
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import CompileError

from fastapi_easy.domain.field import UNSET, Field, Kind
from fastapi_easy.infrastructure.relational.catalogue.declared_tables import OldRowValue
from fastapi_easy.infrastructure.relational.server import server_name_of

_EXAMPLES: Final[Mapping[Kind, Any]] = {
    Kind.TEXT: "",
    Kind.INTEGER: 0,
    Kind.DECIMAL: decimal.Decimal(0),
    Kind.FLOAT: 0.0,
    Kind.BOOLEAN: False,
    Kind.DURATION: datetime.timedelta(0),
    Kind.BINARY: b"",
    Kind.ARRAY: [],
}
"""Values for rows about which nobody has said anything; of other kinds no value is more likely than another."""

_MOMENTS: Final[Mapping[Kind, Any]] = {
    Kind.DATE: datetime.date(2000, 1, 2),
    Kind.DATETIME: datetime.datetime(2000, 1, 2, tzinfo=datetime.UTC),
}

_PURE_FACTORIES: Final[tuple[Callable[[], Any], ...]] = (str, int, float, bool, bytes, list, dict)
"""Those of the user's own may have effects, and are not called."""


def old_row_value(
    field: Field, column: Column[Any], dialect: Dialect, *, is_unique: bool
) -> OldRowValue | None:
    """Return what rows that exist can get in *column*; `None` when nothing can be guessed.

    Args:
        field: What the column holds.

        column: Of a table of `MappedTables`.

        dialect: Whose SQL it is.

        is_unique: No two rows may get the same value.
    """
    if column.primary_key:
        return None
    if field.default is not UNSET and field.default is not None:
        return _value(field.default, column, dialect, declared=True)
    has_factory = field.default_factory is not None
    if has_factory and field.kind is Kind.UUID:
        return _random_uuid(column, dialect)
    if is_unique or column.foreign_keys:
        return None
    if field.default_factory is not None and inspect.unwrap(field.default_factory) in _PURE_FACTORIES:
        return _value(field.default_factory(), column, dialect, declared=True)
    if field.kind in _MOMENTS:
        return _now(_MOMENTS[field.kind], column, dialect, declared=has_factory)
    example = _example(field)
    return None if example is UNSET else _value(example, column, dialect, declared=False)


def _example(field: Field) -> Any:
    if field.enumeration is not None:
        return next(iter(field.enumeration), UNSET)
    if field.kind is Kind.JSON:
        rule = field.document
        candidates: tuple[object, ...] = ({}, [])
        return next((each for each in candidates if rule is None or rule.fits(each)), UNSET)
    return _EXAMPLES.get(field.kind, UNSET)


def _now(sample: Any, column: Column[Any], dialect: Dialect, *, declared: bool) -> OldRowValue | None:
    """Return an expression, not a literal: a plan that differs each day could not be reviewed."""
    written = _literal(sample, column, dialect)
    if written is None or not written.strip("'").startswith("2000-01-02"):
        return None
    if isinstance(sample, datetime.datetime):
        sql = "CURRENT_TIMESTAMP"
        if server_name_of(dialect.name) == "sqlite":
            sql = "replace(CURRENT_TIMESTAMP, ' ', 'T')" if "T" in written else sql
            sql = f"{sql} || '+00:00'" if "+00:00" in written else sql
        return OldRowValue(sql=sql, declared=declared)
    return OldRowValue(sql="CURRENT_DATE", declared=declared)


def _value(value: Any, column: Column[Any], dialect: Dialect, *, declared: bool) -> OldRowValue | None:
    written = _literal(value, column, dialect)
    return None if written is None else OldRowValue(sql=written, declared=declared)


def _literal(value: Any, column: Column[Any], dialect: Dialect) -> str | None:
    """Return *value* as SQL; `None` when it has no literal form."""
    given = [value]
    if isinstance(value, datetime.datetime):
        given.append(value.replace(tzinfo=None))
    for each in given:
        for render in (_bound, _rendered):
            # The type may be the user's own, and refuse the value in any way.
            with contextlib.suppress(
                CompileError, NotImplementedError, TypeError, ValueError, AttributeError
            ):
                return render(each, column, dialect)
    return None


def _bound(value: Any, column: Column[Any], dialect: Dialect) -> str:
    """Return what is given to the driver for *value*, as SQL.

    Raises:
        TypeError: It is of a type that only the driver knows how to write.
    """
    process = column.type.dialect_impl(dialect).bind_processor(dialect)
    bound = value if process is None else process(value)
    if isinstance(bound, bytes | bytearray | memoryview):
        digits = bytes(bound).hex()
        return f"'\\x{digits}'" if dialect.name == "postgresql" else f"x'{digits}'"
    if isinstance(bound, int | float | decimal.Decimal) and not isinstance(bound, bool | enum.Enum):
        return str(literal(bound).compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    if isinstance(bound, str) and "\0" not in bound and not isinstance(bound, enum.Enum):
        return str(literal(bound, String()).compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    raise TypeError(type(bound).__name__)


def _rendered(value: Any, column: Column[Any], dialect: Dialect) -> str:
    written = literal(value, column.type)
    return str(written.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def _random_uuid(column: Column[Any], dialect: Dialect) -> OldRowValue | None:
    text = (_literal(uuid.UUID(int=0), column, dialect) or "").strip("'")
    hyphen = "-" if "-" in text else ""
    match server_name_of(dialect.name):
        case "postgresql":
            return OldRowValue(sql="gen_random_uuid()", declared=True)
        case "sqlite" if text.replace("-", "") == "0" * 32:
            groups = ("hex(randomblob(4))", "hex(randomblob(2))", _marked("4"), _marked("8"))
            separator = f" || '{hyphen}' || " if hyphen else " || "
            return OldRowValue(sql=f"lower({separator.join((*groups, 'hex(randomblob(6))'))})", declared=True)
        case "mysql" if text.replace("-", "") == "0" * 32:
            return OldRowValue(sql="uuid()" if hyphen else "replace(uuid(), '-', '')", declared=True)
        case _:
            return None


def _marked(digit: str) -> str:
    """Return SQL of four digits of which the first says which kind of UUID it is."""
    return f"'{digit}' || substr(hex(randomblob(2)), 2)"
