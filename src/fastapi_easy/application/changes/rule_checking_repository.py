"""What a change makes of what is stored: merged into documents, and checked by the rules of the class."""

from collections.abc import Coroutine, Sequence
from typing import Any, Final, TypeVar

from returns.result import Failure, Success

from fastapi_easy.domain.changes.journal import JournalRow
from fastapi_easy.domain.changes.merge import Merge
from fastapi_easy.domain.changes.patch import Patch, Values
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import (
    Fault,
    Invalid,
    Key,
    NotFound,
    Outcome,
    Stale,
    TooLarge,
)
from fastapi_easy.domain.field import STORE_DEFAULT
from fastapi_easy.domain.ports.repository import EVERYTHING, Repository
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Specification
from fastapi_easy.domain.resources.entity_rules import EntityRules
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.scoped_repository import ScopedRepository, deleted_entities, with_journal_rows
from fastapi_easy.domain.unavailable import SerializationConflict
from fastapi_easy.domain.values.unexpected import UnexpectedValue

E = TypeVar("E")

_MAX_ATTEMPTS: Final = 20
"""Attempts to read an entity and to hold it while concurrent callers change it in between."""

_NO_CHANGE: Final = Patch({})


class RuleCheckingRepository(ScopedRepository[E]):
    """Implements `Repository`: stores in *inner* only what the rules of the class allow, and merges into documents.

    A change is checked together with what is stored. The entity is held from before the check until the transaction
    ends, so that what was checked is what is stored; outside of a transaction it could not be.

    Args:
        resource: The resource of the entities.

        inner: The repository of the store, inside a transaction unless there will be one `add` only.
    """

    def __init__(self, resource: Resource[Any], inner: Repository[E]) -> None:
        super().__init__(inner, EVERYTHING)
        self._resource = resource

    @property
    def deleted(self) -> Repository[E]:
        """The entities that are marked as deleted. To restore or purge one asks no rule."""
        return deleted_entities(self._inner)

    def with_journal_rows(self, rows: Sequence[JournalRow]) -> Repository[E] | None:
        """Return the same, whose next write inserts *rows* too; `None` when it cannot."""
        inner = with_journal_rows(self._inner, rows)
        return None if inner is None else RuleCheckingRepository(self._resource, inner)

    async def add(self, values: Values) -> Outcome[Row]:
        """Store a new entity."""
        rules = self._resource.rules
        if rules is None:
            return await self._inner.add(values)
        checked = rules.check_new(values)
        return checked if isinstance(checked, Failure) else await self._inner.add(checked.unwrap())

    async def add_all(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Store several new entities, all or none."""
        checked = self._check_all(many)
        return checked if isinstance(checked, Failure) else await self._inner.add_all(checked.unwrap())

    async def add_stored(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Store several entities as a store held them before, all or none; what breaks a rule is refused here too."""
        checked = self._check_all(many)
        return checked if isinstance(checked, Failure) else await self._inner.add_stored(checked.unwrap())

    def _check_all(self, many: Sequence[Values]) -> Outcome[Sequence[Values]]:
        rules = self._resource.rules
        if rules is None:
            return Success(many)
        every = []
        for values in many:
            checked = rules.check_new(values)
            if isinstance(checked, Failure):
                return checked
            every.append(checked.unwrap())
        return Success(every)

    def update(
        self,
        key: Key,
        patch: Patch,
        *,
        expected_version: str | None = None,
        scope: Specification = EVERYTHING,
    ) -> Coroutine[Any, Any, Outcome[Row]]:
        """Set the fields of *patch* on the entity with *key*."""
        if not self._depends_on_stored(patch):
            return self._inner.update(key, patch, expected_version=expected_version, scope=scope)
        return self._update_held(key, patch, expected_version, scope)

    async def update_where(
        self, specification: Specification, patch: Patch, *, max_affected: int
    ) -> Outcome[int]:
        """Set the fields of *patch* on every match of *specification*; one by one where a rule looks at each."""
        if not self._depends_on_stored(patch):
            return await self._inner.update_where(specification, patch, max_affected=max_affected)
        query = Query(
            specification=specification, fields=self._resource.key, page=PageRequest(limit=max_affected + 1)
        )
        found = await self._inner.select(query)
        if isinstance(found, Failure):
            return found
        keys = [self._resource.key_of(row) for row in found.unwrap().items]
        if len(keys) > max_affected:
            return Failure(TooLarge("affected", max_affected, "entities"))
        complete: list[tuple[Key, Patch]] = []
        # All are checked before the first is changed: a refusal leaves everything as it was.
        for key in keys:
            checked = await self._checked(key, patch, None, specification)
            if isinstance(checked, Failure):
                if isinstance(checked.failure(), NotFound):
                    continue
                return checked
            complete.append((key, checked.unwrap()))
        for key, whole in complete:
            changed = await self._inner.update(key, whole)
            if isinstance(changed, Failure):
                return changed
        return Success(len(complete))

    def _depends_on_stored(self, patch: Patch) -> bool:
        """Return whether what *patch* makes of an entity depends on what is stored of it."""
        return bool(patch) and (self._resource.rules is not None or has_merges(self._resource, patch))

    async def _update_held(
        self, key: Key, patch: Patch, expected_version: str | None, scope: Specification
    ) -> Outcome[Row]:
        checked = await self._checked(key, patch, expected_version, scope)
        if isinstance(checked, Failure):
            return checked
        return await self._inner.update(key, checked.unwrap(), scope=scope)

    async def _checked(
        self, key: Key, patch: Patch, expected_version: str | None, scope: Specification
    ) -> Outcome[Patch]:
        """Return *patch* with what the rules make of it; the entity is held from now on."""
        held = await self._hold(key, expected_version, scope)
        return held if isinstance(held, Failure) else self._complete(patch, held.unwrap())

    async def _hold(self, key: Key, expected_version: str | None, scope: Specification) -> Outcome[Row]:
        """Return the entity with *key*; nobody else changes it before this transaction ends."""
        version = expected_version
        for _ in range(_MAX_ATTEMPTS):
            if version is None:
                seen = await self._inner.read(key, scope=scope)
                if isinstance(seen, Failure):
                    return seen
                version = self._resource.version_of(seen.unwrap())
            held = await self._inner.update(key, _NO_CHANGE, expected_version=version, scope=scope)
            if (
                not isinstance(held, Failure)
                or not isinstance(held.failure(), Stale)
                or version is expected_version
            ):
                return held
            version = None
        return Failure(SerializationConflict(self._resource.database))

    def _complete(self, patch: Patch, stored: Row) -> Outcome[Patch]:
        rules: EntityRules | None = self._resource.rules
        merged = _merge(self._resource, patch, stored)
        if rules is None or isinstance(merged, Failure):
            return merged
        patch = merged.unwrap()
        # To a rule a default that the store alone knows is null, as it is when an entity is created.
        values = {**stored, **{name: None if each is STORE_DEFAULT else each for name, each in patch.items()}}
        changed = frozenset(name for name, value in patch.items() if _differs(value, stored[name]))
        checked = rules.check_changed(values, changed)
        if isinstance(checked, Failure):
            return checked
        result = checked.unwrap()
        made = {name: value for name, value in result.items() if _differs(value, values.get(name))}
        return Success(Patch({**patch, **made}))


def has_merges(resource: Resource[Any], patch: Values) -> bool:
    """Return whether *patch* merges into a stored document of an entity of *resource*."""
    # A loop, and no `get`: every update of such a resource passes through, and `Patch.get` raises inside.
    for name in resource.mergeable:  # noqa: SIM110 (a generator takes three times as long)
        if name in patch and type(patch[name]) is Merge:
            return True
    return False


def _merge(resource: Resource[Any], patch: Patch, stored: Row) -> Outcome[Patch]:
    """Return *patch* with whole documents in place of what is to be merged into those of *stored*."""
    if not has_merges(resource, patch):
        return Success(patch)
    values, faults = dict(patch), list[Fault]()
    for name in resource.mergeable:
        if type(merge := patch.get(name)) is not Merge:
            continue
        document = stored[name]
        whole = merge.into(document.shown if isinstance(document, UnexpectedValue) else document)
        if not isinstance(whole, Failure):
            values[name] = whole.unwrap()
        elif isinstance(error := whole.failure(), Invalid):
            faults += error.faults
        else:
            return whole
    return Failure(Invalid(tuple(faults))) if faults else Success(Patch(values))


def _differs(one: object, other: object) -> bool:
    # `True == 1 == 1.0`, which is not the same to a store.
    return type(one) is not type(other) or one != other
