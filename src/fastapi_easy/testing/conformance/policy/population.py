"""The entities that the suite makes: some of each resource for the owner and for the foreign caller."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from returns.result import Failure

from fastapi_easy.application.access import resolve_access
from fastapi_easy.application.context import Context
from fastapi_easy.application.kernel import Kernel
from fastapi_easy.composition.application import Application
from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Invalid, Key
from fastapi_easy.domain.principal import Principal
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import AllOf, Operator, Specification, Where
from fastapi_easy.domain.resources.options import Operation
from fastapi_easy.domain.resources.resource import Relation, Resource
from fastapi_easy.domain.scoped_repository import deleted_entities
from fastapi_easy.domain.values.value_parsing import parse_value
from fastapi_easy.testing.conformance.policy.examples import example_of
from fastapi_easy.testing.conformance.policy.expectations import FOREIGN, OWNER, Expectations

Example = Callable[[str, Principal, int], Mapping[str, object]]
"""Returns the values that the user gives for a new entity: of which resource, for whom, and which one it is."""

NEW: Final = "new"
"""Stands for what the callers of a trial write, whoever they are."""

_BASES: Final = {OWNER: 7000, FOREIGN: 4000, NEW: 100}
"""Where the numbers in the values begin: those of entities are told apart from one another, those of calls are not."""

_ALL: Final = 100_000

ALIVE: Final = 2
"""Entities of each resource for each of the two."""

DELETED: Final = 2
"""Further ones that are marked as deleted."""


@dataclass(slots=True)
class Stored:
    """One entity of the suite.

    Attributes:
        resource: Its resource.

        key: Its key.

        caller: For whom it was made.

        made_by_caller: Whether the caller made it; otherwise the system did, because the caller may not.

        deleted: Whether it is marked as deleted.
    """

    resource: Resource[Any]
    key: Key
    caller: str
    made_by_caller: bool
    deleted: bool = False


@dataclass(slots=True)
class Population:
    """The entities of every resource, in an application that is open.

    Attributes:
        application: The user's container.

        kernel: Its kernel.

        expectations: Who the callers are.

        example: What the user says about values.

        every: The entities.

        run: Tells the texts of this run from those of any other.
    """

    application: Application
    kernel: Kernel
    expectations: Expectations
    example: Example
    every: list[Stored] = field(default_factory=list)
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    _number: int = 0

    @property
    def resources(self) -> list[Resource[Any]]:
        """Every resource of the container."""
        return [use_cases.resource for use_cases in self.kernel]

    async def fill(self) -> None:
        """Make the entities, those that others refer to first, and references across the border between the two."""
        for caller in (OWNER, FOREIGN):
            for resource in _in_order(self.resources):
                deletions = [False] * ALIVE + [True] * DELETED * bool(resource.soft_delete)
                for deleted in deletions:
                    await self._add(resource, caller, deleted=deleted)
        for resource in self.resources:
            for relation in to_one_relations(resource):
                await self._cross(resource, relation, FOREIGN, OWNER)
                await self._cross(resource, relation, OWNER, FOREIGN)

    def of(self, resource: Resource[Any], caller: str, *, deleted: bool = False) -> list[Stored]:
        """Return the entities of *resource* that were made for *caller*."""
        return [
            each
            for each in self.every
            if each.resource is resource and each.caller == caller and each.deleted is deleted
        ]

    async def rows(self) -> dict[str, dict[str, Row]]:
        """Return everything that is stored, by resource and key, as the system sees it."""
        found: dict[str, dict[str, Row]] = {}
        for resource in self.resources:
            repository = self._repository(resource)
            kept = found[resource.name] = {}
            query = Query(page=PageRequest(limit=_ALL))
            places = (
                [repository] if resource.soft_delete is None else [repository, deleted_entities(repository)]
            )
            for place in places:
                for row in (await place.select(query)).unwrap().items:
                    kept[repr(resource.key_of(row))] = row
        return found

    def mark(self, resource: Resource[Any], caller: str) -> str:
        """Return what the texts of the entities of *resource* begin with that were made for *caller*."""
        return f"{caller[0]}{self.run}{self.resources.index(resource)}z"

    def values(self, resource: Resource[Any], caller: str, written_by: str | None = None) -> dict[str, Any]:
        """Return valid values in JSON for a new entity that belongs to *caller*.

        Args:
            resource: Its resource.

            caller: Whose it is, and whose entities it refers to.

            written_by: `NEW` for what is written in a trial.
        """
        self._number += 1
        kind = written_by or caller
        number, principal = _BASES[kind] + self._number, self.expectations.principal(caller)
        values: dict[str, Any] = {}
        for name in resource.writable:
            made = resource.fields[name]
            if made.required or not (made.nullable or name in _referring(resource)):
                values[name] = example_of(made, number, self.mark(resource, kind))
        for relation in to_one_relations(resource):
            if target := self.of(relation.target, caller):
                values.update(
                    (here, self._shown(target[-1], there))
                    for here, there in zip(relation.local, relation.remote, strict=True)
                    if here in values and there in relation.target.key
                )
        return {**values, **self.example(resource.name, principal, number)}

    def writable_values(self, resource: Resource[Any], caller: str) -> dict[str, Any]:
        """Return values that *caller* may write in a trial."""
        fixed = self.expectations.unwritable.get(resource.name, ())
        values = self.values(resource, caller, NEW)
        return {name: value for name, value in values.items() if name not in fixed}

    def _shown(self, stored: Stored, name: str) -> Any:
        parts = dict(zip(stored.resource.key, as_tuple(stored.key), strict=True))
        value = parts[name]
        return value if isinstance(value, int | str) else str(value)

    async def _add(self, resource: Resource[Any], caller: str, *, deleted: bool) -> None:
        principal = self.expectations.principal(caller)
        values = self.values(resource, caller) | await self.owned(resource, principal)
        fixed = self.expectations.unwritable.get(resource.name, ())
        given = {
            name: value for name, value in values.items() if name in resource.writable and name not in fixed
        }
        made = await self.kernel.acting_as(principal).resource(resource.name).create(given)
        made_by_caller = not isinstance(made, Failure)
        if isinstance(made, Failure):
            if isinstance(error := made.failure(), Invalid):
                raise _unknown_values(resource, error)
            made = await self._repository(resource).add(self._as_stored(resource, values))
            if isinstance(made, Failure):
                raise _unknown_values(resource, made.failure())
        key = resource.key_of(made.unwrap())
        if deleted:
            _ = (await self._repository(resource).remove(key)).unwrap()
        self.every.append(Stored(resource, key, caller, made_by_caller, deleted))

    async def owned(self, resource: Resource[Any], principal: Principal) -> dict[str, Any]:
        """Return the values that make an entity one of those that *principal* sees, where grants compare some."""
        ports = self.application.providers[resource.name].collaborators().ports  # type: ignore[attr-defined]
        context = Context(principal=principal, tenant=principal.tenant)
        for action in (Operation.CREATE, Operation.GET, Operation.LIST):
            grant = (await resolve_access(ports, context, action, resource)).grant(resource, action)
            if grant is not None and (owned := {**dict(_equalities(grant.rows)), **grant.stamps}):
                return owned
        return {}

    def _as_stored(self, resource: Resource[Any], values: Mapping[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in values.items() if name in resource.writable}
        use_cases = self.kernel.use_cases(resource.name)
        checked = use_cases.validator().create(given)
        if isinstance(checked, Failure):
            raise _unknown_values(resource, checked.failure())
        others = {name: value for name, value in values.items() if name not in given}
        for name, made in resource.fields.items():
            if made.required and name not in resource.writable and name not in others:
                self._number += 1
                others[name] = parse_value(made, example_of(made, self._number, self.run))
        return {**checked.unwrap(), **others}

    async def _cross(self, resource: Resource[Any], relation: Relation, source: str, target: str) -> None:
        """Let the last entity of *source* refer to one of *target*, where the store takes that."""
        referring, referred = self.of(resource, source), self.of(relation.target, target)
        if not referring or not referred or set(relation.local) & set(resource.key):
            return
        if not set(relation.remote) <= set(relation.target.key):
            return
        parts = dict(zip(relation.target.key, as_tuple(referred[0].key), strict=True))
        patch = Patch(
            {here: parts[there] for here, there in zip(relation.local, relation.remote, strict=True)}
        )
        # A unique rule, or a reference that includes the tenant, may forbid it: then nothing can be crossed.
        _ = await self._repository(resource).update(referring[-1].key, patch)

    def _repository(self, resource: Resource[Any]) -> Any:
        return self.application.providers[resource.name].repository()  # type: ignore[attr-defined]


def to_one_relations(resource: Resource[Any]) -> Iterator[Relation]:
    """Yield the relations of *resource* that start from fields of its own."""
    for relation in resource.relations.values():
        if not relation.many and relation.through is None and relation.local != resource.key:
            yield relation


def as_tuple(key: Key) -> tuple[Any, ...]:
    """Return the parts of *key*."""
    return key if isinstance(key, tuple) else (key,)


def _referring(resource: Resource[Any]) -> set[str]:
    return {name for relation in to_one_relations(resource) for name in relation.local}


def _in_order(resources: list[Resource[Any]]) -> list[Resource[Any]]:
    """Return *resources* with those that others refer to first."""
    ordered: list[Resource[Any]] = []

    def place(resource: Resource[Any], on_the_way: tuple[Resource[Any], ...]) -> None:
        if resource in ordered or resource in on_the_way:
            return
        for relation in to_one_relations(resource):
            place(relation.target, (*on_the_way, resource))
        ordered.append(resource)

    for each in resources:
        place(each, ())
    return ordered


def _equalities(rows: Specification) -> Iterator[tuple[str, Any]]:
    if isinstance(rows, Where) and rows.operator is Operator.EQUALS:
        yield rows.field, rows.value
    elif isinstance(rows, AllOf):
        for part in rows.specifications:
            yield from _equalities(part)


def _unknown_values(resource: Resource[Any], error: object) -> AssertionError:
    return AssertionError(
        f"PolicyConformance cannot make valid {resource.name}: {error}. Override `example(resource, principal, number)`"
        f" in your suite and return the values that need it for {resource.name!r}."
    )
