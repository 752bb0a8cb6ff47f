"""What SQLAlchemy's declared tables say: names as they will be, foreign keys, enumerations."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    Enum,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Table,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import Constraint
from sqlalchemy.sql.elements import quoted_name
from sqlalchemy.types import TypeDecorator

from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.shapes import ReferenceShape
from fastapi_easy.infrastructure.migrations.relational.detection.catalogue.sql_tokens import unquote
from fastapi_easy.infrastructure.relational.column_types import ColumnType
from fastapi_easy.infrastructure.relational.server import server_name_of


def full_name(schema: str | None, name: str, dialect: Dialect) -> str:
    """Return *name* with its schema in front, unless that is the default one."""
    return name if schema is None or schema == dialect.default_schema_name else f"{schema}.{name}"


def name_of(table: Table, dialect: Dialect) -> str:
    """Return the name of *table* as changes have it."""
    return full_name(table.schema, table.name, dialect)


def rename(table: Table, name: str) -> None:
    """Let *table* be called *name*; what its metadata calls it stays."""
    table.name = quoted_name(name, None)


def real_name(item: Constraint | Index, dialect: Dialect) -> str | None:
    """Return the name that *item* gets in the database, by conventions and cut to what the server takes."""
    if item.name is None:
        return None
    rendered = dialect.identifier_preparer.format_constraint(item)
    return None if rendered is None else unquote(rendered)


def copy_metadata(metadata: MetaData) -> MetaData:
    """Return a copy of *metadata* whose columns do not say `index` and `unique` beside the rules that follow of it."""
    copied = MetaData()
    for table in metadata.tables.values():
        _ = table.to_metadata(copied)
    for key, table in copied.tables.items():
        for column in table.columns:
            column.index = column.unique = None
        _leave_out_removed(metadata.tables[key], table)
    return copied


def _leave_out_removed(original: Table, copied: Table) -> None:
    """Take the rules from *copied* that *original* no longer has, whatever the flags of its columns say."""
    kept = [_columns_of(each) for each in original.constraints if isinstance(each, UniqueConstraint)]
    for rule in tuple(copied.constraints):
        if isinstance(rule, UniqueConstraint):
            if _columns_of(rule) in kept:
                kept.remove(_columns_of(rule))
            else:
                copied.constraints.remove(rule)
    names = {each.name for each in original.indexes}
    for index in tuple(copied.indexes):
        if index.name not in names:
            copied.indexes.remove(index)


def _columns_of(rule: UniqueConstraint) -> tuple[str, ...]:
    return tuple(each.name for each in rule.columns)


def enumerations_of(metadata: MetaData, dialect: Dialect) -> Iterator[tuple[Table, Any, Enum]]:
    """Yield table, column and type for each column that has an enumeration type of PostgreSQL."""
    for table in metadata.tables.values():
        for column in table.columns:
            enumeration = native_enumeration(column.type, dialect)
            if enumeration is not None:
                yield table, column, enumeration


def native_enumeration(declared: ColumnType, dialect: Dialect) -> Enum | None:
    """Return the enumeration type of PostgreSQL that *declared* is, or is an array of; `None` for others."""
    if dialect.name != "postgresql":
        return None
    if isinstance(declared, ARRAY):
        return native_enumeration(declared.item_type, dialect)
    if isinstance(declared, TypeDecorator):
        return native_enumeration(declared.impl_instance, dialect)
    return declared if isinstance(declared, Enum) and declared.native_enum and declared.name else None


def checks_of(column: Column[Any]) -> Iterator[CheckConstraint]:
    """Yield the checks that are declared at *column*, which its table does not list."""
    for each in column.constraints:
        if isinstance(each, CheckConstraint):
            yield each


def references_of(table: Table, dialect: Dialect) -> tuple[ReferenceShape, ...]:
    """Return the foreign keys of *table*."""
    found = (each for each in table.constraints if isinstance(each, ForeignKeyConstraint))
    return tuple(sorted((reference_shape(each, dialect) for each in found), key=lambda each: each.columns))


def reference_shape(reference: ForeignKeyConstraint, dialect: Dialect) -> ReferenceShape:
    """Return *reference* as the server would tell it."""
    parts = [element.target_fullname.rpartition(".") for element in reference.elements]
    schema, _, target = parts[0][0].rpartition(".")
    is_postgres = server_name_of(dialect.name) == "postgresql"
    options = []
    if reference.deferrable:
        options.append("deferrable")
    if str(reference.initially or "").upper() == "DEFERRED":
        # It implies the other.
        options = ["deferrable", "initially deferred"]
    if is_postgres and str(reference.match or "").upper() == "FULL":
        options.append("match full")
    return ReferenceShape(
        name=real_name(reference, dialect),
        columns=tuple(each.name for each in reference.columns),
        table=full_name(schema or None, target, dialect),
        referred=tuple(column for _, _, column in parts),
        on_delete=_action(reference.ondelete, dialect),
        on_update=_action(reference.onupdate, dialect),
        options=() if server_name_of(dialect.name) == "mysql" else tuple(options),
    )


def _action(declared: str | None, dialect: Dialect) -> str | None:
    action = " ".join(str(declared or "").upper().split())
    # MySQL does the same for both, and does not tell which it was.
    usual = {"", "NO ACTION", "RESTRICT"} if server_name_of(dialect.name) == "mysql" else {"", "NO ACTION"}
    return None if action in usual else action
