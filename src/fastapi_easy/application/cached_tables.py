"""Which tables the answers of cached resources depend on, and which of them a change raises."""

import enum
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi_easy.domain.ports.generations import Generations
from fastapi_easy.domain.principal import Tenant
from fastapi_easy.domain.resources.reference import ReferentialAction
from fastapi_easy.domain.resources.resource import LinkedReference, Resource
from fastapi_easy.domain.resources.tenancy import read_tenant
from fastapi_easy.domain.values.plain_json import to_plain_json

_PASSIVE: Final = frozenset({ReferentialAction.NO_ACTION, ReferentialAction.RESTRICT})

MAX_NAME: Final = 200
"""Characters of the name of a generation."""


class Effect(enum.Enum):
    """How a write changes entities, which decides what the database changes besides."""

    ADD = enum.auto()
    CHANGE = enum.auto()
    REMOVE = enum.auto()


@dataclass(frozen=True, slots=True)
class RaisedTables:
    """The tables whose generations the changes of one resource raise.

    Attributes:
        own: The table of its entities.

        is_partitioned: Whether every resource of that table belongs to tenants, so that a change in one tenant raises
            the generation of that tenant alone.

        cascaded: The tables that the database changes by itself, for each effect.
    """

    own: str
    is_partitioned: bool
    cascaded: Mapping[Effect, tuple[str, ...]]


class CachedTables:
    """The tables of one application that answers of its cached resources depend on.

    Args:
        resources: Every resource, by name.

        generations: Of each database with a cached resource, by its name.

    Attributes:
        by_database: The names of the tables of each database, in their order.

        raised: What the changes of each resource raise, by its name; resources that no answer depends on are not there.

        generations: As given.
    """

    __slots__ = ("_partitioned", "by_database", "generations", "raised")

    def __init__(
        self, resources: Mapping[str, Resource[Any]], generations: Mapping[str, Generations]
    ) -> None:
        self.generations = generations
        concerned = [each for each in resources.values() if each.database in generations]
        read: dict[str, set[str]] = {}
        for resource in _reachable(each for each in concerned if each.cache is not None):
            names = generations[resource.database]
            read.setdefault(resource.database, set()).add(names.table_of(resource))
            between = (names.association_of(relation) for relation in resource.relations.values())
            read[resource.database].update(name for name in between if name is not None)
        self.by_database = {database: tuple(sorted(names)) for database, names in read.items()}
        self._partitioned = _partitioned_tables(concerned, generations)
        self.raised: Mapping[str, RaisedTables] = {
            resource.name: found
            for resource in concerned
            if (found := self._raised_by(resource, concerned)) is not None
        }

    def names_for_read(self, database: str, tables: Iterable[str], tenant: Tenant | None) -> list[str] | None:
        """Return the generations that an answer from *tables* depends on; `None` when there are too many to name."""
        names = []
        for table in tables:
            names.append(table)
            if (database, table) in self._partitioned:
                value = read_tenant(self._partitioned[database, table], tenant)
                if value is None:
                    # Of every tenant: what each of them has changed would have to be asked for.
                    return None
                names.append(_name_in_tenant(table, value))
        return names

    def names_for_change(
        self, resource: Resource[Any], effect: Effect, tenant: Tenant | None
    ) -> tuple[str, ...]:
        """Return the generations to raise for a write of entities of *resource*.

        Args:
            resource: Whose entities are written.

            effect: What becomes of them.

            tenant: The tenant that the write stays in; `None` when it may concern any.
        """
        raised = self.raised[resource.name]
        value = read_tenant(resource, tenant) if raised.is_partitioned else None
        own = raised.own if value is None else _name_in_tenant(raised.own, value)
        return (own, *raised.cascaded[effect])

    def _raised_by(self, resource: Resource[Any], concerned: Iterable[Resource[Any]]) -> RaisedTables | None:
        database, names = resource.database, self.generations[resource.database]
        read = self.by_database.get(database, ())
        own = names.table_of(resource)
        references = [
            reference for each in concerned if each.database == database for reference in each.references
        ]

        def followers(acts: Callable[[LinkedReference], bool]) -> tuple[str, ...]:
            found = _followers(names, own, filter(acts, references))
            return tuple(sorted(table for table in found if table in read))

        cascaded = {
            Effect.ADD: (),
            Effect.CHANGE: followers(_acts_on_update),
            Effect.REMOVE: followers(_acts),
        }
        if own not in read and not cascaded[Effect.REMOVE]:
            return None
        return RaisedTables(own, (database, own) in self._partitioned, cascaded)


def _name_in_tenant(table: str, tenant: object) -> str:
    """Return the name of the generation of *table* as *tenant*, a value of its field, sees it."""
    name = f"{table}@{to_plain_json(tenant)}"
    if len(name) <= MAX_NAME and name.isascii():
        return name
    return f"@{hashlib.blake2b(name.encode('utf-8', 'surrogatepass'), digest_size=32).hexdigest()}"


def _reachable(resources: Iterable[Resource[Any]]) -> list[Resource[Any]]:
    """Return *resources* and all that relations lead to from them: callers include and filter along these."""
    reached: list[Resource[Any]] = []
    waiting = list(resources)
    while waiting:
        each = waiting.pop()
        if each not in reached:
            reached.append(each)
            waiting += [relation.target for relation in each.relations.values()]
    return reached


def _acts_on_update(reference: LinkedReference) -> bool:
    return reference.on_update not in _PASSIVE


def _acts(reference: LinkedReference) -> bool:
    # What follows a removal may be a change, which others follow again.
    return reference.on_delete not in _PASSIVE or _acts_on_update(reference)


def _followers(names: Generations, changed: str, acting: Iterable[LinkedReference]) -> set[str]:
    """Return the tables that a database changes after the table *changed*, by itself, along the references *acting*."""
    edges = [(names.table_of(each.target), names.table_of(each.source)) for each in acting]
    found, waiting = {changed}, [changed]
    while waiting:
        table = waiting.pop()
        following = {source for target, source in edges if target == table} - found
        found |= following
        waiting += following
    return found - {changed}


def _partitioned_tables(
    resources: Iterable[Resource[Any]], generations: Mapping[str, Generations]
) -> Mapping[tuple[str, str], Resource[Any]]:
    """Return the tables, each with its database, of which every resource has the same field for tenants; and one."""
    stored: dict[tuple[str, str], list[Resource[Any]]] = {}
    for each in resources:
        place = each.database, generations[each.database].table_of(each)
        stored.setdefault(place, []).append(each)
    return {
        place: those[0]
        for place, those in stored.items()
        if those[0].tenant is not None and len({each.tenant for each in those}) == 1
    }
