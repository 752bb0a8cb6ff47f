"""The entities of one resource in MongoDB."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Generic, Never, Self, TypeVar

from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Patch, Values
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Error, Key, Outcome, OutcomeUnknown, Unavailable
from fastapi_easy.domain.ports.repository import EVERYTHING, StreamBroken
from fastapi_easy.domain.queries.aggregation import Aggregation, Group
from fastapi_easy.domain.queries.page import Count, Page
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Specification
from fastapi_easy.domain.resources.resource import Relation, Resource
from fastapi_easy.infrastructure.entities.plain import entity_from, values_of
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import KEY, Document, Plan
from fastapi_easy.infrastructure.persistence.mongo.driver.batch_cursor import Parts
from fastapi_easy.infrastructure.persistence.mongo.driver.commands import Search
from fastapi_easy.infrastructure.persistence.mongo.driver.transaction import Transaction
from fastapi_easy.infrastructure.persistence.mongo.errors import REFUSALS, missing, translate
from fastapi_easy.infrastructure.persistence.mongo.queries.aggregation import aggregating, groups
from fastapi_easy.infrastructure.persistence.mongo.queries.page_query import (
    Window,
    counted,
    counting,
    is_estimated,
    window_of,
)
from fastapi_easy.infrastructure.persistence.mongo.queries.relation_loading import Gathering
from fastapi_easy.infrastructure.persistence.mongo.queries.specification import (
    Condition,
    condition_of,
    is_plain,
)
from fastapi_easy.infrastructure.persistence.mongo.writing import Writer

E = TypeVar("E")
T = TypeVar("T")


class MongoRepository(Generic[E]):
    """Implements `Repository`: each call for itself, or all in one transaction."""

    __slots__ = ("_connection", "_database", "_resource")

    def __init__(
        self, resource: Resource[E], database: MongoDatabase, connection: Transaction | None = None
    ) -> None:
        self._resource = resource
        self._database = database
        self._connection = connection

    def within(self, connection: Transaction) -> Self:
        """The same repository inside *connection*."""
        return type(self)(self._resource, self._database, connection)

    async def find_by_id(self, key: Key, *, among: Specification = EVERYTHING) -> Outcome[E]:
        """The entity with *key*."""
        found = await self.read(key, among=among)
        return found if isinstance(found, Failure) else Success(self._entity(found.unwrap()))

    async def find_all(self, query: Query) -> Outcome[Page[E]]:
        """A page of entities."""
        found = await self._page(query, None)
        if isinstance(found, Failure):
            return found
        page = found.unwrap()
        return Success(Page([self._entity(row) for row in page.items], page.total, page.next))

    async def save(self, entity: E, *, among: Specification = EVERYTHING) -> Outcome[E]:
        """Store *entity*: insert it when its key is unset or unknown, else replace all its values."""
        values = values_of(self._resource, entity)
        saved = await self._write(lambda writer: writer.put(values, among), among)
        return saved if isinstance(saved, Failure) else Success(self._entity(saved.unwrap()))

    async def read(
        self, key: Key, fields: Sequence[str] | None = None, *, among: Specification = EVERYTHING
    ) -> Outcome[Row]:
        """The row with *key*."""

        async def work(plan: Plan[E]) -> Row:
            identity = plan.identity(key)
            names = plan.names if fields is None else fields
            found = None if identity is None else await self._one(plan, identity, names, among)
            if found is None:
                raise missing(self._resource, key)
            return plan.row(found, names)

        return await self._read(work)

    async def select(self, query: Query) -> Outcome[Page[Row]]:
        """A page of rows in the query's total order, nulls last."""
        return await self._page(query, query.fields)

    async def select_each(
        self, relation: Relation, sources: Sequence[tuple[Any, ...]], query: Query
    ) -> Outcome[Sequence[Sequence[Row]]]:
        """The rows that *relation* leads to, from each of *sources*."""

        async def work(plan: Plan[E]) -> Sequence[Sequence[Row]]:
            gathering = Gathering(relation, plan, self._database.plan, query)
            return gathering.rows(sources, await self._answers(plan, gathering.pipeline(sources)))

        return await self._read(work)

    async def aggregate(self, aggregation: Aggregation) -> Outcome[Sequence[Group]]:
        """The numbers that *aggregation* asks for, group by group."""

        async def work(plan: Plan[E]) -> Sequence[Group]:
            pipeline = aggregating(aggregation, plan, self._database.plan)
            return groups(aggregation, plan, await self._answers(plan, pipeline))

        return await self._read(work)

    async def stream(self, query: Query, *, chunk: int = 500) -> AsyncIterator[Sequence[Row]]:
        """Every row of the query in its order, some at a time, through a cursor on the server."""
        try:
            plan = self._database.plan(self._resource)
            window = window_of(plan, self._database.plan, query, query.fields)
            parts = await self._parts(plan, window, chunk)
        except REFUSALS as error:
            self._break(error)
        try:
            while documents := await self._next(parts):
                yield window.rows(documents)
        finally:
            await parts.close()

    async def count(self, specification: Specification) -> Outcome[int]:
        """How many entities *specification* means."""

        async def work(plan: Plan[E]) -> int:
            return await self._count(plan, condition_of(specification, plan, self._database.plan))

        return await self._read(work)

    async def add(self, values: Values) -> Outcome[Row]:
        """Store a new entity."""
        return await self._write(lambda writer: writer.add(values))

    async def add_all(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Store several new entities, all or none."""
        return await self._write(lambda writer: writer.add_all(many), several=len(many) > 1)

    async def update(
        self,
        key: Key,
        patch: Patch,
        *,
        expected_version: str | None = None,
        among: Specification = EVERYTHING,
    ) -> Outcome[Row]:
        """Set the fields of *patch* on the entity with *key*."""
        return await self._write(lambda writer: writer.change(key, patch, expected_version, among), among)

    async def remove(
        self, key: Key, *, expected_version: str | None = None, among: Specification = EVERYTHING
    ) -> Outcome[None]:
        """Remove the entity with *key*."""
        return await self._write(lambda writer: writer.remove(key, expected_version, among), among)

    async def update_where(
        self, specification: Specification, patch: Patch, *, max_affected: int
    ) -> Outcome[int]:
        """Set the fields of *patch* on every entity that *specification* means."""
        return await self._write(
            lambda writer: writer.change_where(specification, patch, max_affected), several=True
        )

    async def remove_where(self, specification: Specification, *, max_affected: int) -> Outcome[int]:
        """Remove every entity that *specification* means."""
        return await self._write(
            lambda writer: writer.remove_where(specification, max_affected), several=True
        )

    async def _page(self, query: Query, fields: Sequence[str] | None) -> Outcome[Page[Row]]:
        async def work(plan: Plan[E]) -> Page[Row]:
            window = window_of(plan, self._database.plan, query, fields)
            search = window.search
            if search is None:
                documents = await self._answers(plan, window.pipeline)
            else:
                commands = self._database.client.commands
                documents = await self._within(
                    lambda session: commands.find(plan.collection, search, session)
                )
            return window.page(documents, await self._total(plan, window, documents))

        return await self._read(work)

    async def _total(self, plan: Plan[E], window: Window, documents: Sequence[Document]) -> int | None:
        if window.wish.count is Count.NONE:
            return None
        known = window.known_total(documents)
        if known is not None:
            return known
        # The server keeps no estimate of what a transaction has not committed.
        if is_estimated(window) and self._connection is None:
            collection = self._database.client.collection(plan.collection)
            return int(await self._database.client.call(collection.estimated_document_count))
        return await self._count(plan, window.condition)

    async def _count(self, plan: Plan[E], condition: Condition) -> int:
        if condition.stages:
            return counted(await self._answers(plan, counting(condition)))
        commands = self._database.client.commands
        return await self._within(lambda session: commands.count(plan.collection, condition.plain, session))

    async def _one(
        self, plan: Plan[E], identity: Any, names: Sequence[str], among: Specification
    ) -> Document | None:
        commands = self._database.client.commands
        condition = condition_of(among, plan, self._database.plan)
        projection = plan.projection(names)
        match: Document = {KEY: {"$eq": identity}}
        if condition.stages:
            pipeline: list[Document] = [{"$match": match}, *condition.pipeline, {"$project": projection}]
            found = await self._answers(plan, pipeline)
            return found[0] if found else None
        if condition.plain:
            match = {"$and": [match, condition.plain]}
        search = Search(match=match, projection=None if names == plan.names else projection)
        found = await self._within(lambda session: commands.find(plan.collection, search, session))
        return found[0] if found else None

    async def _answers(self, plan: Plan[E], pipeline: Sequence[Document]) -> list[Document]:
        commands = self._database.client.commands
        return await self._within(lambda session: commands.aggregate(plan.collection, pipeline, session))

    async def _parts(self, plan: Plan[E], window: Window, chunk: int) -> Parts:
        client = self._database.client
        return await self._within(
            lambda session: client.cursor(plan.collection, window.whole, chunk, session)
        )

    async def _next(self, parts: Parts) -> Sequence[Document]:
        try:
            return await parts.next()
        except REFUSALS as error:
            self._break(error)

    async def _within(self, work: Callable[[Any], Awaitable[T]]) -> T:
        return await (work(None) if self._connection is None else self._connection.read(work))

    async def _read(self, work: Callable[[Plan[E]], Awaitable[T]]) -> Outcome[T]:
        try:
            return Success(await work(self._database.plan(self._resource)))
        except REFUSALS as error:
            return Failure(self._translated(error, self._connection))

    async def _write(
        self,
        work: Callable[[Writer[E]], Awaitable[T]],
        among: Specification = EVERYTHING,
        *,
        several: bool = False,
    ) -> Outcome[T]:
        """Carry out *work* in the transaction at hand, or in one of its own where it is about *several*.

        What is about one entity needs none, unless others have to be looked at first.
        """
        transaction = self._connection
        try:
            if transaction is not None:
                return Success(await work(self._writer(transaction)))
            own = self._database.begin() if several or not is_plain([among]) else self._database.apart()
            transaction = own
            try:
                done = await work(self._writer(own))
                await own.commit()
            finally:
                await own.close()
            return Success(done)
        except REFUSALS as error:
            exposed = transaction is not None and transaction.is_exposed
            return Failure(self._translated(error, transaction, exposed=exposed))

    def _writer(self, transaction: Transaction) -> Writer[E]:
        plan = self._database.plan(self._resource)
        return Writer(self._database.client, plan, self._database.plan, transaction)

    def _translated(
        self, error: BaseException, transaction: Transaction | None = None, *, exposed: bool = False
    ) -> Error:
        translated = translate(error, self._database.name, self._resource, exposed=exposed)
        if isinstance(translated, Unavailable) and transaction is not None and transaction.has_left:
            # That nothing was changed would not be true, and the call might be made again.
            return OutcomeUnknown(self._database.name)
        return translated

    def _break(self, error: BaseException) -> Never:
        """End a stream: what is no defect of ours is that the store stopped answering."""
        _ = self._translated(error)
        raise StreamBroken(self._database.name) from error

    def _entity(self, row: Row) -> E:
        made: E = entity_from(self._resource, row)
        return made
