"""Which columns of a table hold other forms than ours, or values of other types than declared."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    CHAR,
    Column,
    ColumnElement,
    Connection,
    Table,
    and_,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    type_coerce,
)
from sqlalchemy.exc import OperationalError

from fastapi_easy.infrastructure.relational.column_types import ColumnType
from fastapi_easy.infrastructure.relational.sqlite.checked_types import CheckedInteger, SqliteUuid, checked
from fastapi_easy.infrastructure.relational.sqlite.normal_form import normal_form
from fastapi_easy.infrastructure.relational.sqlite.number_types import SqliteDecimal
from fastapi_easy.infrastructure.relational.sqlite.spelled_type import SqliteType

_COLUMNS: Final = text("SELECT name, type, dflt_value FROM pragma_table_info(:table, :schema)")
_TRIGGERS: Final = text("SELECT sql FROM sqlite_master WHERE type = 'trigger'")
_TEXT_AFFINITY: Final = re.compile(r"CHAR|CLOB|TEXT|BLOB|^$", re.IGNORECASE)
"""Types of columns that keep a number as text, if they are given one; but for those of `_INTEGER_AFFINITY`."""

_INTEGER_AFFINITY: Final = re.compile("INT", re.IGNORECASE)

MAX_ROWS: Final = 100_000
"""Rows that are looked at from each end of a table: some hundred milliseconds at most."""


class _Stored(NamedTuple):
    declared: str
    default: str | None


def find_other_forms(connection: Connection, table: Table) -> frozenset[str]:
    """Return the names of the columns of *table* that hold other forms than ours, or will, or values of other types.

    The rows are looked at once, up to `MAX_ROWS` from each end: a column whose values are all ours can be compared and
    sorted as it is, with its indexes. Defaults and triggers of the table tell of rows that are still to come.
    """
    stored = {
        name: _Stored(str(declared), default)
        for name, declared, default in connection.execute(
            _COLUMNS, {"table": table.name, "schema": table.schema or "main"}
        )
    }
    triggers = "\n".join(
        sql for (sql,) in connection.execute(_TRIGGERS) if sql and _mentions(sql, table.name)
    )
    columns = [each for each in table.columns if each.name in stored]
    spelled = [each for each in columns if isinstance(each.type, SqliteType)]
    found = {each.name for each in spelled if _will_differ(connection, each, stored[each.name], triggers)}
    signs = {
        each.name: sign
        for each in columns
        if each.name not in found and (sign := _is_other(each, each.type)) is not None
    }
    found.update(_look_at(connection, table, signs))
    return frozenset(found - _take_over_dashes(connection, table, found))


def _take_over_dashes(connection: Connection, table: Table, found: Collection[str]) -> set[str]:
    """Let the UUIDs in columns of *found* be read and written with dashes, or without them, if all in the column are.

    Returns:
        The names of those columns, which hold no other form now.
    """
    other = {
        each.name: SqliteUuid(dashes=not each.type.dashes)
        for each in table.columns
        if each.name in found and isinstance(each.type, SqliteUuid)
    }
    signs = {
        name: sign
        for name, declared in other.items()
        if (sign := _is_other(table.columns[name], declared)) is not None
    }
    uniform = set(other) - _look_at(connection, table, signs)
    for column in table.columns:
        if column.name in uniform:
            column.type = other[column.name]
    return uniform


def _look_at(
    connection: Connection, table: Table, signs: Mapping[str, ColumnElement[bool]]
) -> frozenset[str]:
    """Return which of *signs* hold for some row, from both ends of *table*."""
    if not signs:
        return frozenset()
    labelled = [sign.label(f"sign_{number}") for number, sign in enumerate(signs.values())]
    found: set[str] = set()
    for order in ((), tuple(each.desc() for each in table.primary_key.columns)):
        some = select(*labelled).select_from(table).order_by(*order).limit(MAX_ROWS).subquery()
        counted, *answers = connection.execute(
            select(func.count(), *(func.max(each) for each in some.columns))
        ).one()
        found.update(name for name, answer in zip(signs, answers, strict=True) if answer)
        if counted < MAX_ROWS or not table.primary_key.columns:
            break
    return frozenset(found)


def _will_differ(connection: Connection, column: Column[Any], stored: _Stored, triggers: str) -> bool:
    declared: Any = column.type
    if isinstance(declared, SqliteDecimal):
        return bool(_TEXT_AFFINITY.search(stored.declared)) and not _INTEGER_AFFINITY.search(stored.declared)
    if stored.declared.upper().startswith(declared.foreign_types):
        return True
    if _mentions(triggers, column.name):
        return True
    if stored.default is None:
        return False
    try:
        default = connection.exec_driver_sql(f"SELECT ({stored.default})").scalar_one()
    except OperationalError:
        # An expression that only a row has a value for.
        return True
    given: ColumnElement[Any] = literal(default)
    return bool(connection.execute(select(normal_form(given, declared).is_distinct_from(given))).scalar_one())


def _is_other(column: Column[Any], declared: Any) -> ColumnElement[bool] | None:
    """Return the condition that a value of *column* is in another form than values of type *declared*.

    Or that it is of another type, where SQLite does not decode values; `None` where none would be.
    """
    value: ColumnElement[Any] = type_coerce(column, CHAR())
    if isinstance(declared, SqliteDecimal):
        return None
    if not isinstance(declared, SqliteType):
        return _is_of_other_type(declared, value)
    if declared.own_pattern is not None:
        unlike: ColumnElement[bool] = value.op("NOT GLOB")(literal_column(f"'{declared.own_pattern}'"))
    else:
        unlike = or_(
            func.length(value) != literal_column(str(declared.own_length)),
            value.op("GLOB")(literal_column(f"'{declared.odd_characters}'")),
        )
    # What stands for no value has no other form either.
    other = type_coerce(normal_form(value, declared), CHAR()).is_distinct_from(value)
    return and_(unlike, other)


def _is_of_other_type(declared: ColumnType, value: ColumnElement[Any]) -> ColumnElement[bool] | None:
    wanted = checked(declared)
    if wanted is None:
        return None
    own = "'integer'" if isinstance(wanted, CheckedInteger) else "'text'"
    return func.typeof(value).not_in([literal_column(own), literal_column("'null'")])


def _mentions(sql: str, name: str) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", sql, re.IGNORECASE) is not None


def prepare_types(
    table: Table, unlike: Collection[str], found: Callable[[], None], *, checks_all: bool
) -> frozenset[str]:
    """Let the types of *table* know what was found, before statements are made of them.

    Args:
        table: Our copy of a table.

        unlike: What `find_other_forms` said of it.

        found: Called when another form is read from a column that had none.

        checks_all: Whether values that are not decoded are checked whatever was found.

    Returns:
        *unlike*, and the columns in which other forms were read before.
    """
    mixed = set(unlike)
    for column in table.columns:
        if isinstance(column.type, SqliteType):
            watch = column.type.watch
            watch.is_mixed = watch.is_mixed or column.name in unlike
            watch.found = found
            mixed.update((column.name,) if watch.is_mixed else ())
        elif (checks_all or column.name in unlike) and (checking := checked(column.type)) is not None:
            column.type = checking
    return frozenset(mixed)
