"""References to entities that the caller may not see: they fail as if no such entity existed."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

from returns.result import Failure

from fastapi_easy.application.access import Access
from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.errors import Error, Key, ReferenceBroken
from fastapi_easy.domain.field import STORE_DEFAULT, Kind
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.queries.specification import Operator, Specification, Where, all_of
from fastapi_easy.domain.resources.options import Operation
from fastapi_easy.domain.resources.relation import Side
from fastapi_easy.domain.resources.resource import Resource

_ASKED_TOGETHER: Final = 1000
"""Entities that a list refers to and that are looked for with one query."""

ReferencedEntity: TypeAlias = tuple[str, tuple[str, ...], tuple[object, ...]]
"""A referenced entity: its resource, the fields that identify it, and their values."""


def may_refer_to_hidden(resource: Resource[object], values: Values, access: Access) -> bool:
    """Return whether *values* set a reference that may lead to an entity the caller may not see."""
    if not _outgoing_references(resource):
        return False
    return any(
        not (values.keys().isdisjoint(here) or access.sees_all(target, Operation.GET))
        for target, here, _ in _references_to_check(resource, access)
    )


async def find_hidden_reference(
    resource: Resource[object],
    values: Values,
    access: Access,
    work: UnitOfWork,
    visible: set[ReferencedEntity],
) -> Failure[Error] | None:
    """Return a `ReferenceBroken` failure when *values* refer to an entity the caller may not see.

    Entities in *visible* are not queried again; those found to be visible are added to it.
    """
    for target, here, there in _references_to_check(resource, access):
        # Of another entity of the same resource the caller sees what `get` shows, not what they may create or change.
        if access.sees_all(target, Operation.GET):
            continue
        asked = {
            (target.name, there, source): source
            for source in _sources(resource, here, values)
            if None not in source and (target.name, there, source) not in visible
        }
        for same, number in _conditions(target, there, list(asked.values())):
            seen = await access.scope_repository(target, work.repository(target), Operation.GET).count(same)
            if isinstance(seen, Failure):
                return seen
            if seen.unwrap() < number:
                return Failure(ReferenceBroken(resource.name, here))
        visible.update(asked)
    return None


def _sources(
    resource: Resource[object], here: tuple[str, ...], values: Values
) -> Iterator[tuple[object, ...]]:
    """Yield what *values* refer to by the fields *here*: one entity, or each that a list names."""
    source = tuple(values.get(name) for name in here)
    # What the store gives by itself is for nobody to choose, as in a create that leaves the field out.
    if STORE_DEFAULT in source:
        return
    if resource.fields[here[0]].kind is not Kind.ARRAY:
        yield source
    elif source[0] is not None:
        items: Any = source[0]
        yield from ((each,) for each in dict.fromkeys(items))


def _conditions(
    target: Resource[object], there: tuple[str, ...], sources: Sequence[tuple[object, ...]]
) -> Iterator[tuple[Specification, int]]:
    """Yield conditions that mean the entities of *target* with *sources* in *there*, and how many there must be."""
    is_unique = there == target.key or (len(there) == 1 and target.fields[there[0]].unique)
    if len(there) == 1 and is_unique and len(sources) > 1:
        values = [value for (value,) in sources]
        for start in range(0, len(values), _ASKED_TOGETHER):
            some = tuple(values[start : start + _ASKED_TOGETHER])
            yield Where(there[0], Operator.IN, some), len(some)
        return
    for source in sources:
        pairs = zip(there, source, strict=True)
        yield all_of(*(Where(name, Operator.EQUALS, value) for name, value in pairs)), 1


async def complete_references(
    resource: Resource[object], key: Key, patch: Values, repository: Repository[Any]
) -> Values | Failure[Error]:
    """Return *patch*, completed with the stored values of composite references it sets only in part."""
    others = {
        name
        for _, here, _ in _outgoing_references(resource)
        if not patch.keys().isdisjoint(here)
        for name in here
        if name not in patch
    }
    if not others:
        return patch
    read = await repository.read(key, tuple(others))
    return read if isinstance(read, Failure) else {**read.unwrap(), **patch}


def _references_to_check(
    resource: Resource[object], access: Access
) -> Iterator[tuple[Resource[object], tuple[str, ...], tuple[str, ...]]]:
    """Yield the outgoing references of *resource*, without those that the store keeps inside the caller's tenant."""
    enforced = {(each.target.name, each.fields, each.remote) for each in resource.references}
    for target, here, there in _outgoing_references(resource):
        pairs: set[tuple[Any, Any]] = set(zip(here, there, strict=True))
        is_within = (target.name, here, there) in enforced and (resource.tenant, target.tenant) in pairs
        if not (is_within and access.sees_tenant(target, Operation.GET)):
            yield target, here, there


@lru_cache(maxsize=1024)
def _outgoing_references(
    resource: Resource[object],
) -> tuple[tuple[Resource[object], tuple[str, ...], tuple[str, ...]], ...]:
    """Return each reference of *resource*: the target resource, the local fields, and the remote fields."""
    found = [(each.target, each.fields, each.remote) for each in resource.references]
    known = {(target.name, here) for target, here, _ in found}
    for relation in resource.relations.values():
        place = relation.target.name, relation.local
        # A relation that starts from the own key is the reverse side: the other entity holds the reference.
        is_outgoing = not relation.many or relation.listed_by is Side.SOURCE
        if is_outgoing and relation.local != resource.key and place not in known:
            found.append((relation.target, relation.local, relation.remote))
    return tuple(found)
