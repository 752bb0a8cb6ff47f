"""Many values of a column as one parameter, which PostgreSQL takes apart again."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Enum, Identity, bindparam
from sqlalchemy import Sequence as Counter
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine, UserDefinedType

from fastapi_easy.domain.field import Kind
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan import Plan


class ListOf(UserDefinedType[Sequence[Any]]):
    """A list whose items go through what a single value of the type *item* goes through.

    Args:
        item: Of the column.

        word: What PostgreSQL calls the items.
    """

    cache_ok = True
    render_bind_cast = True

    def __init__(self, item: TypeEngine[Any], word: str) -> None:
        self.item = item
        self.word = word

    def get_col_spec(self, **_: Any) -> str:
        """What PostgreSQL calls it."""
        return f"{self.word}[]"

    def bind_processor(self, dialect: Dialect) -> Any:
        """What the items go through on their way in; `None` when they stay as they are."""
        process = self.item.dialect_impl(dialect).bind_processor(dialect)
        return None if process is None else lambda values: [process(value) for value in values]


def list_of(column: Column[Any], dialect: Dialect) -> ListOf | None:
    """The type of lists of values of *column*; `None` where a single value is sent in a way of its own."""
    word = str(bindparam("value", type_=column.type).compile(dialect=dialect)).partition("::")[2]
    if not word and isinstance(column.type, Enum) and not column.type.native_enum:
        word = "VARCHAR"
    return ListOf(column.type, word.partition(" COLLATE ")[0]) if word else None


def takes_lists(plan: Plan[Any], fields: Sequence[str]) -> bool:
    """Whether new rows with *fields* can be given as lists, one for each field, and come back in their order."""
    dialect = plan.server.dialect
    if dialect.driver != "asyncpg" or not fields:
        return False
    columns = [plan.columns[name] for name in fields]
    given = {column.key for column in columns}
    return (
        # Lists of lists cannot be taken apart by one level.
        all(plan.resource.fields[name].kind is not Kind.ARRAY for name in fields)
        and not any(column.type._has_bind_expression for column in columns)  # noqa: SLF001 - there is no other way to ask
        and all(list_of(column, dialect) is not None for column in columns)
        # What Python fills in would be made once for all.
        and all(column.key in given or not _is_filled_here(column) for column in plan.table.columns)
        and _tells_order(plan, fields)
    )


def _is_filled_here(column: Column[Any]) -> bool:
    return column.default is not None and (column.default.is_scalar or column.default.is_callable)


def _tells_order(plan: Plan[Any], fields: Sequence[str]) -> bool:
    """The keys say which row is which: they are given, or counted up."""
    if all(name in fields for name in plan.resource.key):
        return True
    if plan.counted_key is None:
        return False
    column = plan.columns[plan.counted_key]
    counter: Identity | Counter | None = column.identity or (
        column.default if isinstance(column.default, Counter) else None
    )
    return counter is None or not (counter.cycle or (counter.increment or 1) < 0)
