"""The tables of one database, and the plans of its resources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, Table, inspect

from fastapi_easy.domain.resources.options import Operation, Reading
from fastapi_easy.domain.resources.resource import Relation, Resource
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.indexes.path_indexes import (
    add_path_indexes,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.indexes.text_index import (
    declare_text_index,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan import Plan
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan_tables import (
    PlanTables,
    joined_tables,
    one_table,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.terms import (
    RelationTarget,
    ResolveRelation,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.copies import TableCopies
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.custom_types.converted_type import (
    convert_column,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.entities import Entities
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.mapping import VIEW
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.resource_part import (
    ResourcePart,
    resource_parts,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.server_types.text_types import DomainValue
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.soft_delete import exclude_deleted
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.stored_types import type_as_stored
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.table_parts import DerivedTable
from fastapi_easy.infrastructure.relational.catalogue.stored_table import StoredTable, find_stored_table
from fastapi_easy.infrastructure.relational.server import Server
from fastapi_easy.infrastructure.relational.sqlite.survey import prepare_types


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedTable:
    """A table as it is declared.

    Attributes:
        name: The resource, or the relation, that it is for.

        declared_by: The name of the class, or of the user's own table, that declares it.

        table: Our copy.

        deleted_column: The column that marks rows as deleted, if there is one.

        given: The columns that new rows get values for; all where it is `None`, which is for tables between others.

        counted: The columns of the key to which the database gives values.

        has_new_rows: Whether any operation of the resource creates entities.
    """

    name: str
    declared_by: str
    table: Table
    deleted_column: str | None = None
    given: frozenset[str] | None = None
    counted: frozenset[str] = frozenset()
    has_new_rows: bool = True


@dataclass(frozen=True, slots=True)
class StoredResource:
    """What the server says about the tables of a resource.

    Attributes:
        tables: Of each part, as `find_stored_table` tells it.

        derived: Our copies of those tables of derived classes that exist.
    """

    tables: Sequence[StoredTable]
    derived: Sequence[DerivedTable]


_CREATING: Final = frozenset({Operation.CREATE, Operation.UPSERT, Operation.BULK, Operation.IMPORT})


class MappedTables:
    """Our copies of the tables of one database, and the plans of its resources.

    Args:
        server: The server of the database.

        entities: Maps the classes stored there to tables.

    Attributes:
        server: The server of the database.

        tables: The copies.

        plans: Of the resources that were used.
    """

    def __init__(self, server: Server, entities: Entities) -> None:
        self.server = server
        self.tables = TableCopies(server)
        self._entities = entities
        self.plans: dict[Resource[Any], Plan] = {}

    def parts_of(self, resource: Resource[Any]) -> Sequence[ResourcePart]:
        """Return what each table holds of *resource*, the uppermost first; mostly all in one."""
        return resource_parts(resource, self._entities.parts_of(resource.stored))

    def table_of(self, part: ResourcePart) -> Table:
        """Return our copy of the table of *part*, whose unique rules leave out rows marked as deleted."""
        resource, table = part.resource, self.tables.copy_of(part.declared.table)
        for declared, name in part.declared.attributes.items():
            if name in resource.stored_fields:
                convert_column(table.columns[declared.key], resource.stored_fields[name])
                if declared.primary_key and not resource.stored_fields[name].generated:
                    # By itself SQLAlchemy counts every whole number that is a key.
                    table.columns[declared.key].autoincrement = False
        held = {name: column for column, name in part.declared.attributes.items()}
        full_text = resource.query.full_text
        if full_text is not None and held.keys() >= set(full_text.fields):
            columns = [table.columns[held[name].key] for name in full_text.fields]
            declare_text_index(table, full_text, columns, self.server)
        if resource.soft_delete is not None:
            exclude_deleted(table, table.columns[part.column_of(resource.soft_delete).key], self.server.name)
        indexed = [
            (path, table.columns[held[path.document].key])
            for path in resource.paths.values()
            if path.is_indexed and path.document in held
        ]
        if indexed:
            add_path_indexes(table, indexed, self.server)
        return table

    def without_views(self) -> list[Table]:
        """Return the copies of all tables but those that are views, which others create."""
        return [each for each in self.tables.metadata.sorted_tables if not each.info.get(VIEW)]

    def tables_of(self, resources: Sequence[Resource[Any]]) -> Sequence[MappedTable]:
        """Return our copies of the tables of *resources*, and of the association tables between them."""
        mapped = []
        for part in (part for each in resources for part in self.parts_of(each)):
            each = part.resource
            deleted_column = None if each.soft_delete is None else part.column_of(each.soft_delete).name
            mapped.append(
                MappedTable(
                    name=each.name,
                    declared_by=each.stored.__name__,
                    table=self.table_of(part),
                    deleted_column=deleted_column,
                    given=part.columns,
                    counted=frozenset(
                        part.column_of(name).name for name in each.key if each.stored_fields[name].generated
                    ),
                    has_new_rows=not _CREATING.isdisjoint(each.operations),
                )
            )
        for relation in (relation for each in resources for relation in each.relations.values()):
            if relation.through is not None:
                between = self.tables.copy_of(self._entities.association_table(relation.through.table))
                if all(between is not each.table for each in mapped):
                    mapped.append(MappedTable(name=repr(relation), declared_by=between.name, table=between))
        return mapped

    def without_plan(self, resource: Resource[Any]) -> Sequence[Resource[Any]]:
        """Return *resource* and all that relations lead to from it, without those that have a plan already."""
        reached, around = [], [resource]
        while around:
            each = around.pop()
            if each not in reached:
                reached.append(each)
                around += [relation.target for relation in each.relations.values()]
        return [each for each in reached if each not in self.plans]

    def find_stored(self, connection: Connection, resource: Resource[Any]) -> StoredResource:
        """Ask the server about the tables of *resource*."""
        tables = [
            find_stored_table(connection, self.server, self.table_of(part))
            for part in self.parts_of(resource)
        ]
        derived = []
        for each in self._entities.derived_tables_of(resource.stored):
            # Nobody has to declare the class: what nobody stores has no table.
            if inspect(connection).has_table(each.table.name, schema=each.table.schema):
                table = self.tables.copy_of(each.table)
                key = tuple(table.columns[column.key] for column in each.key)
                derived.append(DerivedTable(table=table, key=key, kinds=each.kinds))
        return StoredResource(tables, derived)

    def make_plans(self, resource: Resource[Any], stored: Mapping[Resource[Any], StoredResource]) -> Plan:
        """Make the plans of the resources in *stored*, and return that of *resource*.

        Args:
            resource: Whose plan is wanted.

            stored: The result of `find_stored` for each resource without a plan.
        """
        plans = self.plans
        # Bound to this dictionary, which `clear_plans` replaces: a call that is under way keeps consistent plans.
        resolve_relation = partial(self._resolve_relation, plans)
        for each, found in stored.items():
            parts = [
                Plan(part.resource, self.server, self._plan_tables(part, of, resolve_relation))
                for part, of in zip(self.parts_of(each), found.tables, strict=True)
            ]
            plan = parts[0]
            if len(parts) > 1 or found.derived:
                tables = joined_tables(each.key, [part.tables for part in parts])
                plan = Plan(each, self.server, tables, parts, found.derived)
            _ = plans.setdefault(each, plan)
        return plans[resource]

    def clear_plans(self) -> None:
        """Forget every plan, because the tables may have changed."""
        self.plans = {}

    def _plan_tables(
        self, part: ResourcePart, found: StoredTable, resolve_relation: ResolveRelation
    ) -> PlanTables:
        resource, table = part.resource, self.table_of(part)
        for column in table.columns:
            if isinstance(column.type, DomainValue):
                column.type = column.type.inner
            if column.name in found.columns.types:
                column.type = type_as_stored(column.type, found.columns.types[column.name], self.server)
        if self.server.name == "sqlite":
            # Others write while we run: what is read in another form has the plans made anew.
            is_strict, unlike = resource.reading is Reading.STRICT, found.columns.nonstandard
            unlike = prepare_types(table, unlike, self.clear_plans, checks_all=is_strict)
            found = replace(found, columns=replace(found.columns, nonstandard=unlike))
        return one_table(resource, table, self.server, found, part.declared.attributes, resolve_relation)

    def _resolve_relation(self, plans: Mapping[Resource[Any], Plan], relation: Relation) -> RelationTarget:
        between = None
        if relation.through is not None:
            between = self.tables.copy_of(self._entities.association_table(relation.through.table))
        return RelationTarget(plans[relation.target].terms, between)
