"""The entities of one resource as instances of the user's class, above a repository of rows."""

from dataclasses import replace
from typing import Any, Generic, TypeVar

from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Patch, Values
from fastapi_easy.domain.changes.replacement import replacement_of
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Key, NotFound, Outcome
from fastapi_easy.domain.field import UNSET
from fastapi_easy.domain.ports.repository import EVERYTHING, Repository
from fastapi_easy.domain.queries.page import Page
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Specification
from fastapi_easy.domain.resources.resource import Resource

E = TypeVar("E")


class EntityRepository(Generic[E]):
    """The entities of one resource as instances of the user's class, above a `Repository`, which gives rows.

    What *repository* hides is hidden here too, and what it records of a write is recorded.

    Args:
        resource: Whose entities.

        repository: Where they are.

        reads_before_saving: `save` looks for the entity before it writes. Needed where a create and an update are
            authorized and recorded differently; elsewhere to replace an entity is one statement.
    """

    def __init__(
        self, resource: Resource[E], repository: Repository[E], *, reads_before_saving: bool = False
    ) -> None:
        self._resource = resource
        self._repository = repository
        self._reads_before_saving = reads_before_saving

    async def find_by_id(self, key: Key, *, scope: Specification = EVERYTHING) -> Outcome[E]:
        """Return the entity with *key*, as an instance of the user's class that no session holds.

        Fails with:
            NotFound: There is none.
        """
        return self._to_entity(await self._repository.read(key, scope=scope))

    async def find_all(self, query: Query) -> Outcome[Page[E]]:
        """Return a page of entities; `query.fields` is ignored."""
        whole = query if query.fields is None else replace(query, fields=None)
        found = await self._repository.select(whole)
        if isinstance(found, Failure):
            return found
        page = found.unwrap()
        return Success(Page([self._repository.entity_from(row) for row in page.items], page.total, page.next))

    async def save(self, entity: E, *, scope: Specification = EVERYTHING) -> Outcome[E]:
        """Insert *entity* when its key is unset or unknown, else replace all its values.

        Returns:
            A new instance, with what the store filled in.

        Fails with:
            AlreadyExists: Another entity has the same values in unique fields, or the key of one that *scope*
                does not mean; also when somebody else inserted the key meanwhile.

            Stale: The resource has a `version` field, and the stored entity another value in it.

            ReferenceBroken, CheckFailed: The store's own rules refused it.
        """
        values = self._repository.values_of(entity)
        key = _key_in(self._resource, values)
        if key is not None:
            replaced = await self._replace(key, values, scope)
            if replaced != Failure(NotFound(self._resource.name, key)):
                return self._to_entity(replaced)
        return self._to_entity(await self._repository.add(_without_generated(self._resource, values)))

    async def _replace(self, key: Key, values: Values, scope: Specification) -> Outcome[Row]:
        """Set every field of the entity with *key* that an update may set."""
        resource = self._resource
        if self._reads_before_saving:
            found = await self._repository.read(key, resource.key, scope=scope)
            if isinstance(found, Failure):
                return found
        # An entity without a version is as stale as one with an old one: "None" is nobody's version.
        version = None if resource.version is None else str(values.get(resource.version))
        patch = Patch(_complete(resource, values))
        return await self._repository.update(key, patch, expected_version=version, scope=scope)

    def _to_entity(self, outcome: Outcome[Row]) -> Outcome[E]:
        """Return the row of *outcome* as an instance of the user's class."""
        if isinstance(outcome, Failure):
            return outcome
        return Success(self._repository.entity_from(outcome.unwrap()))


def _key_in(resource: Resource[E], values: Values) -> Key | None:
    """Return the key in *values*; `None` when a part of it is not set."""
    parts = tuple(values.get(name) for name in resource.key)
    if None in parts:
        return None
    return parts[0] if len(parts) == 1 else parts


def _without_generated(resource: Resource[E], values: Values) -> Values:
    """Return *values* without what only the store can set. A key may be given, although the store could make one."""
    fields, key = resource.fields, resource.key
    return {name: value for name, value in values.items() if name in key or not fields[name].generated}


def _complete(resource: Resource[E], values: Values) -> Values:
    """Return a value for every field that an update may set: the given one, else what a replace gives it, else null."""
    complete: dict[str, Any] = {}
    for name, field in resource.fields.items():
        if name in resource.key or name == resource.version or field.generated:
            continue
        if name in values:
            complete[name] = values[name]
        else:
            value = replacement_of(field)
            complete[name] = None if value is UNSET else value
    return complete
