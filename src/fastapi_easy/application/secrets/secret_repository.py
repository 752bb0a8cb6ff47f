"""A repository that stores secret fields in another form than callers see."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from returns.result import Failure, Success

from fastapi_easy.application.secrets.lookups import FieldCiphers, NotComparable, compare_digests
from fastapi_easy.application.secrets.stored_form import StoredForm
from fastapi_easy.application.secrets.unique_digests import UniqueDigests
from fastapi_easy.domain.changes.journal import JournalRow
from fastapi_easy.domain.changes.patch import Patch, Values
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import AlreadyExists, Error, Key, Outcome, Unsupported
from fastapi_easy.domain.ports.repository import EVERYTHING, Repository, StreamBroken
from fastapi_easy.domain.queries.aggregation import Aggregation, Group
from fastapi_easy.domain.queries.page import Page
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Specification
from fastapi_easy.domain.resources.resource import Relation, Resource
from fastapi_easy.domain.scoped_repository import with_journal_rows

E = TypeVar("E")
T = TypeVar("T")


class SecretRepository(Generic[E]):
    """Implements `Repository` above *inner*, the repository of a store, which sees neither secrets nor passwords.

    Stands right above the store, so that whatever writes and reads through a repository goes through it: every use
    case and door, units of work, handlers of a user's own.

    Args:
        resource: The resource of the entities.

        inner: Where they are stored.

        form: Converts their values.

        ciphers: What encrypts the fields of this resource, and of those that relations lead to.

    Attributes:
        stored: The entities as they are stored.
    """

    def __init__(
        self, resource: Resource[E], inner: Repository[E], form: StoredForm, ciphers: FieldCiphers
    ) -> None:
        self._resource = resource
        self.stored = inner
        self._form = form
        self._ciphers = ciphers
        self._unique = UniqueDigests(resource, ciphers(resource))

    def in_transaction(self, connection: object) -> Repository[E]:
        """Return the same inside *connection*."""
        enter: Callable[[object], Repository[E]] | None = getattr(self.stored, "in_transaction", None)
        return self if enter is None else self._above(enter(connection))

    def with_journal_rows(self, rows: Sequence[JournalRow]) -> Repository[E] | None:
        """Return the same, whose next write inserts *rows* too; `None` when they would hold what is stored."""
        if not self._form.is_plain:
            return None
        inner = with_journal_rows(self.stored, rows)
        return None if inner is None else self._above(inner)

    async def read(
        self, key: Key, fields: Sequence[str] | None = None, *, scope: Specification = EVERYTHING
    ) -> Outcome[Row]:
        """Return the row with *key*."""
        within = self._comparable(scope)
        if isinstance(within, Failure):
            return within
        return self._row(await self.stored.read(key, fields, scope=within.unwrap()))

    async def select(self, query: Query) -> Outcome[Page[Row]]:
        """Return a page of rows."""
        asked = self._query(query)
        if isinstance(asked, Failure):
            return asked
        found = await self.stored.select(asked.unwrap())
        if isinstance(found, Failure) or self._form.is_plain:
            return found
        page = found.unwrap()
        return Success(replace(page, items=self._form.rows(page.items)))

    async def select_each(
        self, relation: Relation, sources: Sequence[tuple[Any, ...]], query: Query
    ) -> Outcome[Sequence[Sequence[Row]]]:
        """Return the rows that *relation* leads to, from each of *sources*."""
        asked = self._query(query)
        if isinstance(asked, Failure):
            return asked
        found = await self.stored.select_each(relation, sources, asked.unwrap())
        if isinstance(found, Failure) or self._form.is_plain:
            return found
        return Success([self._form.rows(rows) for rows in found.unwrap()])

    async def aggregate(self, aggregation: Aggregation) -> Outcome[Sequence[Group]]:
        """Return the numbers that *aggregation* asks for; groups of ciphertexts mean nothing."""
        secret = self._ciphers(self._resource)
        for name in (*aggregation.group_by, *(each.field for each in aggregation.measures if each.field)):
            if name in secret:
                return Failure(Unsupported(self._resource.name, f"totals of the encrypted field {name}"))
        within = self._comparable(aggregation.specification)
        if isinstance(within, Failure):
            return within
        return await self.stored.aggregate(replace(aggregation, specification=within.unwrap()))

    async def stream(self, query: Query, *, chunk: int = 500) -> AsyncIterator[Sequence[Row]]:
        """Yield every row of the query, some at a time."""
        asked = self._query(query)
        if isinstance(asked, Failure):
            raise StreamBroken(self._resource.database, asked.failure())
        batches = self.stored.stream(asked.unwrap(), chunk=chunk)
        try:
            async for rows in batches:
                yield rows if self._form.is_plain else self._form.rows(rows)
        finally:
            close = getattr(batches, "aclose", None)
            if close is not None:
                await close()

    async def count(self, specification: Specification) -> Outcome[int]:
        """Return how many entities *specification* means."""
        within = self._comparable(specification)
        return within if isinstance(within, Failure) else await self.stored.count(within.unwrap())

    async def add(self, values: Values) -> Outcome[Row]:
        """Store a new entity."""
        added = await self._insert([values])
        return added if isinstance(added, Failure) else Success(added.unwrap()[0])

    async def add_all(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Store several new entities, all or none."""
        if self._form.is_plain:
            return await self.stored.add_all(many)
        return await self._insert(many, self.stored.add_all)

    async def add_stored(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Store several entities as a store held them before, all or none."""
        if self._form.is_plain:
            return await self.stored.add_stored(many)
        return await self._insert(many, self.stored.add_stored)

    async def update(
        self,
        key: Key,
        patch: Patch,
        *,
        expected_version: str | None = None,
        scope: Specification = EVERYTHING,
    ) -> Outcome[Row]:
        """Set the fields of *patch* on the entity with *key*."""
        within, changes = self._comparable(scope), await self._form.of_changes(patch)
        if isinstance(within, Failure):
            return within
        if isinstance(changes, Failure):
            return changes
        if (taken := await self._unique.find_taken(self.stored, [patch], key)) is not None:
            return taken
        return self._row(
            await self.stored.update(
                key, Patch(changes.unwrap()), expected_version=expected_version, scope=within.unwrap()
            )
        )

    async def remove(
        self, key: Key, *, expected_version: str | None = None, scope: Specification = EVERYTHING
    ) -> Outcome[None]:
        """Remove the entity with *key*."""
        within = self._comparable(scope)
        if isinstance(within, Failure):
            return within
        return await self.stored.remove(key, expected_version=expected_version, scope=within.unwrap())

    async def update_where(
        self, specification: Specification, patch: Patch, *, max_affected: int
    ) -> Outcome[int]:
        """Set the fields of *patch* on every entity that *specification* means; they share one ciphertext."""
        within, changes = self._comparable(specification), await self._form.of_changes(patch)
        if isinstance(within, Failure):
            return within
        if isinstance(changes, Failure):
            return changes
        if (taken := await self._unique.find_taken(self.stored, [patch])) is not None:
            return taken
        changed = await self.stored.update_where(
            within.unwrap(), Patch(changes.unwrap()), max_affected=max_affected
        )
        return self._named(changed) if isinstance(changed, Failure) else changed

    async def remove_where(self, specification: Specification, *, max_affected: int) -> Outcome[int]:
        """Remove every entity that *specification* means."""
        within = self._comparable(specification)
        if isinstance(within, Failure):
            return within
        return await self.stored.remove_where(within.unwrap(), max_affected=max_affected)

    def entity_from(self, row: Row) -> E:
        """Return an instance of the user's class that holds *row*."""
        return self.stored.entity_from(row)

    def values_of(self, entity: E) -> Values:
        """Return the values that *entity* holds."""
        return self.stored.values_of(entity)

    async def _insert(
        self,
        many: Sequence[Values],
        insert: Callable[[Sequence[Values]], Any] | None = None,
    ) -> Outcome[Sequence[Row]]:
        if (taken := await self._unique.find_taken(self.stored, many)) is not None:
            return taken
        stored: list[Values] = []
        for values in many:
            converted = await self._form.of_new(values)
            if isinstance(converted, Failure):
                return converted
            stored.append(converted.unwrap())
        if insert is None:
            one = self._row(await self.stored.add(stored[0]))
            return one if isinstance(one, Failure) else Success([one.unwrap()])
        added: Outcome[Sequence[Row]] = await insert(stored)
        return self._named(added) if isinstance(added, Failure) else Success(self._form.rows(added.unwrap()))

    def _above(self, inner: Repository[E]) -> Repository[E]:
        return SecretRepository(self._resource, inner, self._form, self._ciphers)

    def _comparable(self, specification: Specification) -> Outcome[Specification]:
        try:
            return Success(compare_digests(specification, self._resource, self._ciphers))
        except NotComparable as error:
            return Failure(Unsupported(self._resource.name, error.capability))

    def _query(self, query: Query) -> Outcome[Query]:
        within = self._comparable(query.specification)
        if isinstance(within, Failure):
            return within
        if within.unwrap() is query.specification:
            return Success(query)
        return Success(replace(query, specification=within.unwrap()))

    def _row(self, stored: Outcome[Row]) -> Outcome[Row]:
        if isinstance(stored, Failure):
            return self._named(stored)
        return stored if self._form.is_plain else Success(self._form.row(stored.unwrap()))

    def _named(self, failure: Failure[Error]) -> Failure[Error]:
        """Return *failure* with the names of the fields that callers know."""
        error = failure.failure()
        if not isinstance(error, AlreadyExists) or self._resource.secrets is None:
            return failure
        return Failure(AlreadyExists(error.resource, self._unique.named(error.fields)))
