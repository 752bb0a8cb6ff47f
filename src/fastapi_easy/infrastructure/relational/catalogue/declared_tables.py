"""The schema that a database should have, as SQLAlchemy's tables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, MetaData
from sqlalchemy.schema import FetchedValue

from fastapi_easy.infrastructure.relational.column_types import ColumnType


@dataclass(frozen=True, slots=True, kw_only=True)
class OldRowValue:
    """What rows that exist can get in a column that must not be null.

    Attributes:
        sql: An expression.

        declared: It is what the class gives a new entity; else an example of the type, which nobody has asked for.
    """

    sql: str
    declared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredTables:
    """The schema that a database should have.

    Attributes:
        metadata: Every table that should exist, with the types in which this system stores its columns there.

        as_written: The types of the user's own classes, by the columns of `metadata`. A stored column of either type is
            as declared: databases that others have made stay as they are.

        defaults_as_written: The server defaults of the user's own classes, by the columns of `metadata`, where they are
            something else. A stored default of either kind is as declared.

        declared_by: The names of the resources, by those of their tables, for sentences.

        fills: Returns what rows that exist can get in a column that must not be null; `None` when nobody can tell. By
            `table.column`, and asked for those that differ only.

        system: The names of the tables that are the system's own.
    """

    metadata: MetaData
    as_written: Mapping[Column[Any], ColumnType] = field(default_factory=dict)
    defaults_as_written: Mapping[Column[Any], FetchedValue | None] = field(default_factory=dict)
    declared_by: Mapping[str, str] = field(default_factory=dict)
    fills: Mapping[str, Callable[[], OldRowValue | None]] = field(default_factory=dict)
    system: frozenset[str] = frozenset()
