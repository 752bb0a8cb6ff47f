"""Unique rules that hold only among what is not marked as deleted.

A partial unique index where the database has those. MySQL and MariaDB have not; there a column that is computed
from the mark, and is null for what is deleted, becomes part of each rule: nulls are not compared.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import (
    Column,
    Computed,
    Index,
    Inspector,
    SmallInteger,
    Table,
    UniqueConstraint,
    case,
    literal_column,
)

from fastapi_easy.infrastructure.relational.column_types import ALIVE_COLUMN, OWN_COLUMN

MAX_NAME_LENGTH: Final = 60
"""Characters in the name of an index; PostgreSQL allows 63."""


def exclude_deleted(table: Table, deleted_column: Column[Any], dialect: str) -> None:
    """Make the unique rules of *table*, our own copy, leave out the rows whose *deleted_column* is not null.

    The primary key stays as it is, and so does what the user has made partial already. Twice does nothing.
    """
    for name, columns in tuple(_rules(table)):
        if dialect == "mysql":
            _ = Index(name, *columns, _alive(table, deleted_column), unique=True)
        else:
            here = deleted_column.is_(None)
            _ = Index(name, *columns, unique=True, postgresql_where=here, sqlite_where=here)


def is_partial(index: Index) -> bool:
    """Return whether *index* leaves out some rows."""
    return any(index.dialect_kwargs.get(f"{name}_where") is not None for name in ("postgresql", "sqlite"))


def find_strict_constraints(inspector: Inspector, table: Table, deleted_column: str) -> Iterator[str]:
    """Yield how to mend each stored unique rule of *table* that also holds for deleted rows."""
    dialect = inspector.dialect.name
    rules: list[Any] = [*inspector.get_unique_constraints(table.name, schema=table.schema)]
    rules += [each for each in inspector.get_indexes(table.name, schema=table.schema) if each["unique"]]
    seen = set()
    for rule in rules:
        columns = [str(name) for name in rule.get("expressions") or rule["column_names"]]
        options = rule.get("dialect_options", {})
        is_relaxed = (
            deleted_column in columns
            or ALIVE_COLUMN in columns
            or options.get(f"{dialect}_where") is not None
        )
        # The index behind a constraint is listed as well: one sentence is enough.
        if is_relaxed or tuple(columns) in seen:
            continue
        seen.add(tuple(columns))
        name = rule["name"] or f"on ({', '.join(columns)})"
        yield (
            f"the unique constraint {name} of the table {table.name} holds for deleted rows too, whose values "
            "then cannot be"
            f" used again; drop it and create {_describe_index(columns, deleted_column, dialect)}"
        )


def _describe_index(columns: Sequence[str], deleted_column: str, dialect: str) -> str:
    listed = ", ".join(columns)
    if dialect in {"mysql", "mariadb"}:
        computed = (
            f"{ALIVE_COLUMN} SMALLINT GENERATED ALWAYS AS (CASE WHEN {deleted_column} IS NULL THEN 1 END)"
        )
        return f"the column {computed}, and a unique index on ({listed}, {ALIVE_COLUMN})"
    return f"a unique index on ({listed}) WHERE {deleted_column} IS NULL"


def _rules(table: Table) -> Iterator[tuple[str, list[Column[Any]]]]:
    """Remove the unique rules that hold for all rows from *table*, and yield them."""
    for rule in sorted(table.constraints, key=lambda each: str(each.name)):
        if isinstance(rule, UniqueConstraint):
            table.constraints.remove(rule)
            yield _name(table, rule.name, rule.columns), list(rule.columns)
    for index in sorted(table.indexes, key=lambda each: str(each.name)):
        plain = all(isinstance(each, Column) for each in index.expressions)
        if index.unique and plain and not is_partial(index) and ALIVE_COLUMN not in index.columns:
            table.indexes.remove(index)
            yield _name(table, index.name, index.columns), list(index.columns)


def _name(table: Table, given: object, columns: Iterable[Column[Any]]) -> str:
    if given is not None:
        return str(given)
    name = "_".join([table.name, *(column.name for column in columns), "alive"])
    if len(name) <= MAX_NAME_LENGTH:
        return name
    digest = hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
    return f"{name[: MAX_NAME_LENGTH - len(digest) - 1]}_{digest}"


def _alive(table: Table, deleted_column: Column[Any]) -> Column[Any]:
    if ALIVE_COLUMN not in table.columns:
        computed = Computed(case((deleted_column.is_(None), literal_column("1"))), persisted=False)
        table.append_column(Column(ALIVE_COLUMN, SmallInteger, computed, info={OWN_COLUMN: True}))
    column: Column[Any] = table.columns[ALIVE_COLUMN]
    return column
