"""The schema that the classes of one database declare."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Column, Connection, Index, Table, UniqueConstraint
from sqlalchemy.schema import DefaultClause, FetchedValue

from fastapi_easy.domain.changes.journal import SystemTable
from fastapi_easy.domain.field import Field
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.infrastructure.persistence.sqlalchemy.mapped_tables import MappedTables
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.entities import Entities
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.mapping import VIEW
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.old_rows import old_row_value
from fastapi_easy.infrastructure.relational.catalogue.declared_tables import DeclaredTables
from fastapi_easy.infrastructure.relational.column_types import WRITTEN_TYPE, ColumnType, info_of
from fastapi_easy.infrastructure.relational.server import Server, detect_server
from fastapi_easy.infrastructure.relational.system_tables.journal_tables import table_of
from fastapi_easy.infrastructure.relational.system_tables.own_tables import existing_own_tables


class DeclaredSchema:
    """The schema that *resources* need, made once for all who ask; see `declare_tables`.

    Args:
        entities: `entities` of the database.

        resources: All that are kept there.

        systems: The journal's tables that are in use.
    """

    def __init__(
        self, entities: Entities, resources: Sequence[Resource[Any]], systems: Sequence[SystemTable]
    ) -> None:
        self._entities = entities
        self._resources = resources
        self._systems = systems
        self._made: tuple[Server, list[str], DeclaredTables] | None = None

    def __call__(self, connection: Connection) -> DeclaredTables:
        """Return the schema for the server of *connection*, and for the system's tables that are in use by now."""
        server, own = detect_server(connection), existing_own_tables(connection)
        names = [each.name for each in own]
        if self._made is None or self._made[:2] != (server, names):
            made = declare_tables(connection, self._entities, self._resources, self._systems, own)
            self._made = server, names, made
        return self._made[2]


def declare_tables(
    connection: Connection,
    entities: Entities,
    resources: Sequence[Resource[Any]],
    systems: Iterable[SystemTable] = (),
    own: Iterable[Table] = (),
) -> DeclaredTables:
    """Return the schema that *resources* need, in the types in which it is created here.

    Args:
        connection: To the database; the types depend on its server.

        entities: `entities` of the database.

        resources: All that are kept there.

        systems: The journal's tables that are in use.

        own: The system's other tables that are in use: of leases, of the fence.
    """
    # Copies of our own: those that statements are made of take on the types that are stored.
    mapped = MappedTables(detect_server(connection), entities)
    declared_by: dict[str, str] = {}
    for each in mapped.tables_of(resources):
        _ = declared_by.setdefault(each.table.name, each.name)
    types: dict[Column[Any], ColumnType] = {}
    defaults: dict[Column[Any], FetchedValue | None] = {}
    for original, copied in mapped.tables.originals.items():
        for column in original.columns:
            copy = copied.columns[column.key]
            types[copy] = info_of(column).get(WRITTEN_TYPE, column.type)
            if _differs(column, copy):
                defaults[copy] = column.server_default
    metadata = mapped.tables.metadata
    for table in [each for each in metadata.sorted_tables if each.info.get(VIEW)]:
        # Whoever has made it changes it.
        metadata.remove(table)
    fills = {
        f"{table.name}.{column.name}": partial(
            old_row_value, field, column, connection.dialect, is_unique=_is_unique(table, column, field)
        )
        for each in resources
        for table, column, field in _fields_of(mapped, each)
    }
    added = [table.to_metadata(metadata) for table in (*map(table_of, systems), *own)]
    return DeclaredTables(
        metadata=metadata,
        as_written=types,
        defaults_as_written=defaults,
        declared_by=declared_by,
        fills=fills,
        system=frozenset(table.name for table in added),
    )


def _differs(original: Column[Any], copied: Column[Any]) -> bool:
    one, other = original.server_default, copied.server_default
    return (
        isinstance(one, DefaultClause) and isinstance(other, DefaultClause) and str(one.arg) != str(other.arg)
    )


def _fields_of(mapped: MappedTables, resource: Resource[Any]) -> Iterator[tuple[Table, Column[Any], Field]]:
    for part in mapped.parts_of(resource):
        table, fields = mapped.table_of(part), part.resource.stored_fields
        for declared, name in part.declared.attributes.items():
            if name in fields:
                yield table, table.columns[declared.key], fields[name]


def _is_unique(table: Table, column: Column[Any], field: Field) -> bool:
    rules = [*table.constraints, *(each for each in table.indexes if each.unique)]
    alone = any(
        isinstance(each, Index | UniqueConstraint) and [part.name for part in each.columns] == [column.name]
        for each in rules
    )
    return field.unique or bool(column.unique) or alone
