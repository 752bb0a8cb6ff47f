"""The tables of one database and how they lead to one another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Column, Table

from fastapi_easy.domain.resources.resource import Relation, Resource
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.plan import Plan
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.terms import Lead
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.copies import Tables
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.entities import Entities
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables.soft_delete import relax
from fastapi_easy.infrastructure.relational.server import Server

E = TypeVar("E")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A table as it shall be.

    Attributes:
        name: What it is there for: a resource, or a relation.

        declared_by: What says how it shall be: a class, or the table of the user's own.

        table: Our copy.

        mark: The column that marks rows as deleted, if there is one.
    """

    name: str
    declared_by: str
    table: Table
    mark: str | None = None


class Atlas:
    """Our copies of the tables of one database, and the plans of its resources.

    Args:
        server: Where they are.

        entities: How the classes kept there stand for tables.

    Attributes:
        server: Where they are.

        tables: The copies.
    """

    def __init__(self, server: Server, entities: Entities) -> None:
        self.server = server
        self.tables = Tables(server)
        self._entities = entities
        self._plans: dict[Resource[Any], Plan[Any]] = {}

    def table_of(self, resource: Resource[Any]) -> Table:
        """Our copy of the table of *resource*, whose unique rules leave out what is marked as deleted."""
        table = self.tables.copy_of(self._entities.table_of(resource.stored))
        if resource.soft_delete is not None:
            relax(table, table.columns[self._column(resource, resource.soft_delete).key], self.server.name)
        return table

    def tables_of(self, resources: Sequence[Resource[Any]]) -> Sequence[Drawn]:
        """Our copies of the tables of *resources*, and of those that lie between them."""
        drawn = []
        for each in resources:
            table = self.table_of(each)
            mark = None if each.soft_delete is None else self._column(each, each.soft_delete).name
            drawn.append(Drawn(name=each.name, declared_by=each.stored.__name__, table=table, mark=mark))
        for relation in (relation for each in resources for relation in each.relations.values()):
            if relation.through is not None:
                between = self.tables.copy_of(self._entities.table_between(relation.through.table))
                if all(between is not each.table for each in drawn):
                    drawn.append(Drawn(name=repr(relation), declared_by=between.name, table=between))
        return drawn

    def plan_of(self, resource: Resource[E]) -> Plan[E] | None:
        """Everything about *resource*, once it has been drawn."""
        return self._plans.get(resource)

    def undrawn(self, resource: Resource[Any]) -> Sequence[Resource[Any]]:
        """*resource* and all that relations lead to from it, as far as they have no plan yet."""
        reached, around = [], [resource]
        while around:
            each = around.pop()
            if each not in reached:
                reached.append(each)
                around += [relation.target for relation in each.relations.values()]
        return [each for each in reached if each not in self._plans]

    def draw(self, resource: Resource[E], strange: Mapping[Resource[Any], frozenset[str]]) -> Plan[E]:
        """The plan of *resource*, made along with those of all other undrawn ones.

        Args:
            resource: Whose plan is wanted.

            strange: The `strange_columns` of each undrawn resource.
        """
        plans = self._plans
        # Bound to these plans and no others: whoever still works with one finds those around it.
        leads = partial(self._lead, plans)
        for each, unlike in strange.items():
            attributes = self._entities.attributes_of(each.stored)
            plan = Plan(each, self.table_of(each), self.server, unlike, attributes, leads)
            _ = plans.setdefault(each, plan)
        return plans[resource]

    def forget(self) -> None:
        """Make every plan anew, because the tables may have changed."""
        self._plans = {}

    def _column(self, resource: Resource[Any], field: str) -> Column[Any]:
        attributes = self._entities.attributes_of(resource.stored)
        return next(column for column, name in attributes.items() if name == field)

    def _lead(self, plans: Mapping[Resource[Any], Plan[Any]], relation: Relation) -> Lead:
        between = None
        if relation.through is not None:
            between = self.tables.copy_of(self._entities.table_between(relation.through.table))
        return Lead(plans[relation.target].terms, between)
