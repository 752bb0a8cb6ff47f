"""Many values of a column as one parameter, which PostgreSQL takes apart again."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Enum, Identity, Insert, Table, bindparam, func, insert, select
from sqlalchemy import Sequence as Counter
from sqlalchemy.engine import Dialect
from sqlalchemy.types import UserDefinedType

from fastapi_easy.domain.field import Kind
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan import Plan
from fastapi_easy.infrastructure.relational.column_types import ColumnType


class ArrayOf(UserDefinedType[Sequence[Any]]):
    """A list whose items go through what a single value of the type *item* goes through.

    Args:
        item: Of the column.

        type_name: What PostgreSQL calls the items.
    """

    cache_ok = True
    render_bind_cast = True

    def __init__(self, item: ColumnType, type_name: str) -> None:
        self.item = item
        self.type_name = type_name

    def get_col_spec(self, **_: Any) -> str:
        """Return PostgreSQL's name of the type."""
        return f"{self.type_name}[]"

    def bind_processor(self, dialect: Dialect) -> Any:
        """Return what converts the items of a list for the driver; `None` when they stay as they are."""
        process = self.item.dialect_impl(dialect).bind_processor(dialect)
        return None if process is None else lambda values: [process(value) for value in values]


def array_of(column: Column[Any], dialect: Dialect) -> ArrayOf | None:
    """Return the type of lists of values of *column*; `None` where PostgreSQL's type of a value is unknown."""
    type_name = str(bindparam("value", type_=column.type).compile(dialect=dialect)).partition("::")[2]
    if not type_name and isinstance(column.type, Enum) and not column.type.native_enum:
        type_name = "VARCHAR"
    return ArrayOf(column.type, type_name.partition(" COLLATE ")[0]) if type_name else None


def insert_arrays(table: Table, names: Sequence[str], dialect: Dialect) -> Insert:
    """Return what inserts rows of *table* from one list for each of *names*, as parameters of these names, in order."""
    columns = [table.columns[name] for name in names]
    lists = [bindparam(each.name, type_=array_of(each, dialect)) for each in columns]
    parts = [f"value_{number}" for number in range(len(columns))]
    given = func.unnest(*lists).table_valued(*parts, with_ordinality="place").render_derived()
    rows = select(*(given.columns[part] for part in parts)).order_by(given.columns["place"])
    return insert(table).inline().from_select(columns, rows)


def can_insert_arrays(plan: Plan, fields: Sequence[str]) -> bool:
    """Return whether new rows with *fields* can be sent as one list per field, and be put in order afterwards."""
    dialect = plan.server.dialect
    if dialect.driver != "asyncpg" or not fields:
        return False
    columns = [plan.columns[name] for name in fields]
    given = {column.key for column in columns}
    return (
        # Lists of lists cannot be taken apart by one level.
        all(plan.resource.stored_fields[name].kind is not Kind.ARRAY for name in fields)
        and not any(_is_wrapped(column) for column in columns)
        and all(array_of(column, dialect) is not None for column in columns)
        # What Python fills in would be made once for all.
        and all(column.key in given or not _is_filled_here(column) for column in plan.table.columns)
        and _has_known_order(plan, fields)
    )


def _is_wrapped(column: Column[Any]) -> bool:
    """Tell whether the type of *column* puts something around each value, which a list cannot have."""
    return column.type.bind_expression(bindparam("value", type_=column.type)) is not None


def _is_filled_here(column: Column[Any]) -> bool:
    return column.default is not None and (column.default.is_scalar or column.default.is_callable)


def _has_known_order(plan: Plan, fields: Sequence[str]) -> bool:
    """Return whether the keys tell which row is which: they are given, or counted up."""
    if all(name in fields for name in plan.resource.key):
        return True
    if plan.autoincrement_key is None:
        return False
    column = plan.columns[plan.autoincrement_key]
    counter: Identity | Counter | None = column.identity or (
        column.default if isinstance(column.default, Counter) else None
    )
    return counter is None or not (counter.cycle or (counter.increment or 1) < 0)
