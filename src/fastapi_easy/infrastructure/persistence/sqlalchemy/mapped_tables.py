"""The tables of one database, and the plans of its resources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from sqlalchemy import Column, Table

from fastapi_easy.domain.resources.options import Operation, Reading
from fastapi_easy.domain.resources.resource import Relation, Resource
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.path_indexes import add_path_indexes
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan import Plan
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.terms import RelationTarget
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.copies import TableCopies
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.custom_types.converted_type import (
    convert_column,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.entities import Entities
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.mapping import VIEW
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.server_types.text_types import DomainValue
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.soft_delete import exclude_deleted
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.stored_types import type_as_stored
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.text_index import declare_text_index
from fastapi_easy.infrastructure.relational.catalogue.stored_table import StoredTable
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


_CREATING: Final = frozenset({Operation.CREATE, Operation.UPSERT, Operation.BULK, Operation.IMPORT})


class MappedTables:
    """Our copies of the tables of one database, and the plans of its resources.

    Args:
        server: The server of the database.

        entities: Maps the classes stored there to tables.

    Attributes:
        server: The server of the database.

        tables: The copies.
    """

    def __init__(self, server: Server, entities: Entities) -> None:
        self.server = server
        self.tables = TableCopies(server)
        self._entities = entities
        self._plans: dict[Resource[Any], Plan] = {}

    def table_of(self, resource: Resource[Any]) -> Table:
        """Return our copy of the table of *resource*, whose unique rules leave out rows marked as deleted."""
        table = self.tables.copy_of(self._entities.table_of(resource.stored))
        for declared, name in self._entities.attributes_of(resource.stored).items():
            if name in resource.stored_fields:
                convert_column(table.columns[declared.key], resource.stored_fields[name])
                if declared.primary_key and not resource.stored_fields[name].generated:
                    # By itself SQLAlchemy counts every whole number that is a key.
                    table.columns[declared.key].autoincrement = False
        if (full_text := resource.query.full_text) is not None:
            columns = [table.columns[self._column(resource, name).key] for name in full_text.fields]
            declare_text_index(table, full_text, columns, self.server)
        if resource.soft_delete is not None:
            exclude_deleted(
                table, table.columns[self._column(resource, resource.soft_delete).key], self.server.name
            )
        indexed = [path for path in resource.paths.values() if path.is_indexed]
        if indexed:
            columns = [table.columns[self._column(resource, path.document).key] for path in indexed]
            add_path_indexes(table, zip(indexed, columns, strict=True), self.server)
        return table

    def without_views(self) -> list[Table]:
        """Return the copies of all tables but those that are views, which others create."""
        return [each for each in self.tables.metadata.sorted_tables if not each.info.get(VIEW)]

    def tables_of(self, resources: Sequence[Resource[Any]]) -> Sequence[MappedTable]:
        """Return our copies of the tables of *resources*, and of the association tables between them."""
        mapped = []
        for each in resources:
            table = self.table_of(each)
            deleted_column = None if each.soft_delete is None else self._column(each, each.soft_delete).name
            mapped.append(
                MappedTable(
                    name=each.name,
                    declared_by=each.stored.__name__,
                    table=table,
                    deleted_column=deleted_column,
                    given=self._given(each),
                    counted=frozenset(
                        self._column(each, name).name
                        for name in each.key
                        if each.stored_fields[name].generated
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

    def plan_of(self, resource: Resource[Any]) -> Plan | None:
        """Return the plan of *resource*; `None` before it is made."""
        return self._plans.get(resource)

    def without_plan(self, resource: Resource[Any]) -> Sequence[Resource[Any]]:
        """Return *resource* and all that relations lead to from it, without those that have a plan already."""
        reached, around = [], [resource]
        while around:
            each = around.pop()
            if each not in reached:
                reached.append(each)
                around += [relation.target for relation in each.relations.values()]
        return [each for each in reached if each not in self._plans]

    def make_plans(self, resource: Resource[Any], stored: Mapping[Resource[Any], StoredTable]) -> Plan:
        """Make the plans of the resources in *stored*, and return that of *resource*.

        Args:
            resource: Whose plan is wanted.

            stored: The result of `find_stored_table` for each resource without a plan.
        """
        plans = self._plans
        # Bound to this dictionary, which `clear_plans` replaces: a call that is under way keeps consistent plans.
        resolve_relation = partial(self._resolve_relation, plans)
        for each, found in stored.items():
            attributes = self._entities.attributes_of(each.stored)
            table = self.table_of(each)
            for column in table.columns:
                if isinstance(column.type, DomainValue):
                    column.type = column.type.inner
                if column.name in found.columns.types:
                    column.type = type_as_stored(column.type, found.columns.types[column.name], self.server)
            if self.server.name == "sqlite":
                # Others write while we run: what is read in another form has the plans made anew.
                is_strict, unlike = each.reading is Reading.STRICT, found.columns.nonstandard
                unlike = prepare_types(table, unlike, self.clear_plans, checks_all=is_strict)
                found = replace(found, columns=replace(found.columns, nonstandard=unlike))  # noqa: PLW2901
            plan = Plan(each, table, self.server, found, attributes, resolve_relation)
            _ = plans.setdefault(each, plan)
        return plans[resource]

    def clear_plans(self) -> None:
        """Forget every plan, because the tables may have changed."""
        self._plans = {}

    def _given(self, resource: Resource[Any]) -> frozenset[str]:
        attributes = self._entities.attributes_of(resource.stored)
        return frozenset(column.name for column, name in attributes.items() if name in resource.stored_fields)

    def _column(self, resource: Resource[Any], field: str) -> Column[Any]:
        attributes = self._entities.attributes_of(resource.stored)
        return next(column for column, name in attributes.items() if name == field)

    def _resolve_relation(self, plans: Mapping[Resource[Any], Plan], relation: Relation) -> RelationTarget:
        between = None
        if relation.through is not None:
            between = self.tables.copy_of(self._entities.association_table(relation.through.table))
        return RelationTarget(plans[relation.target].terms, between)
