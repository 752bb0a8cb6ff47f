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
from fastapi_easy.infrastructure.persistence.mongo.documents.document import KEY, Document, Pipeline
from fastapi_easy.infrastructure.persistence.mongo.documents.mapping import Plan
from fastapi_easy.infrastructure.persistence.mongo.driver.batch_cursor import BatchCursor
from fastapi_easy.infrastructure.persistence.mongo.driver.commands import FindOptions
from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import Session
from fastapi_easy.infrastructure.persistence.mongo.driver.transaction import Transaction
from fastapi_easy.infrastructure.persistence.mongo.errors import DATABASE_ERRORS, entity_not_found, translate
from fastapi_easy.infrastructure.persistence.mongo.queries.aggregation import build_aggregation, read_groups
from fastapi_easy.infrastructure.persistence.mongo.queries.page_query import (
    PageQuery,
    build_count_pipeline,
    build_page_query,
    is_estimated,
    read_count,
)
from fastapi_easy.infrastructure.persistence.mongo.queries.relation_loading import RelationLoader
from fastapi_easy.infrastructure.persistence.mongo.queries.specification import (
    Condition,
    build_condition,
    needs_no_lookup,
)
from fastapi_easy.infrastructure.persistence.mongo.writing import Writer

E = TypeVar("E")
T = TypeVar("T")


class MongoRepository(Generic[E]):
    """Implements `Repository`: each call by itself, or all in one transaction."""

    __slots__ = ("_connection", "_database", "_resource")

    def __init__(
        self, resource: Resource[E], database: MongoDatabase, connection: Transaction | None = None
    ) -> None:
        self._resource = resource
        self._database = database
        self._connection = connection

    def in_transaction(self, connection: Transaction) -> Self:
        """Return the same repository inside the transaction *connection*."""
        return type(self)(self._resource, self._database, connection)

    async def read(
        self, key: Key, fields: Sequence[str] | None = None, *, scope: Specification = EVERYTHING
    ) -> Outcome[Row]:
        """Return the row with *key*."""

        async def work(plan: Plan) -> Row:
            identity = plan.identity(key)
            names = plan.names if fields is None else fields
            found = (
                None
                if identity is None
                else await self._find_one(plan, {KEY: {"$eq": identity}}, names, scope)
            )
            if found is None and (match := plan.other_key_match(key)) is not None:
                found = await self._find_one(plan, match, names, scope)
            if found is None:
                raise entity_not_found(self._resource, key)
            return plan.row(found, names)

        return await self._read(work)

    async def select(self, query: Query) -> Outcome[Page[Row]]:
        """Return a page of rows in the query's total order, nulls last."""
        return await self._page(query, query.fields)

    async def select_each(
        self, relation: Relation, sources: Sequence[tuple[Any, ...]], query: Query
    ) -> Outcome[Sequence[Sequence[Row]]]:
        """Return the rows that *relation* leads to, from each of *sources*."""

        async def work(plan: Plan) -> Sequence[Sequence[Row]]:
            loader = RelationLoader(relation, plan, self._database.plan, query)
            return loader.rows(sources, await self._aggregate(plan, loader.pipeline(sources)))

        return await self._read(work)

    async def aggregate(self, aggregation: Aggregation) -> Outcome[Sequence[Group]]:
        """Return the numbers that *aggregation* asks for, group by group."""

        async def work(plan: Plan) -> Sequence[Group]:
            pipeline = build_aggregation(aggregation, plan, self._database.plan)
            return read_groups(aggregation, plan, await self._aggregate(plan, pipeline))

        return await self._read(work)

    async def stream(self, query: Query, *, chunk: int = 500) -> AsyncIterator[Sequence[Row]]:
        """Yield every row of the query in its order, *chunk* at a time, through a cursor on the server."""
        try:
            plan = self._database.plan(self._resource)
            page_query = build_page_query(plan, self._database.plan, query, query.fields)
            batches = await self._open_cursor(plan, page_query, chunk)
        except DATABASE_ERRORS as error:
            self._break_stream(error)
        try:
            while documents := await self._next(batches):
                yield page_query.rows(documents)
        finally:
            await batches.close()

    async def count(self, specification: Specification) -> Outcome[int]:
        """Return the number of entities that satisfy *specification*."""

        async def work(plan: Plan) -> int:
            return await self._count(plan, build_condition(specification, plan, self._database.plan))

        return await self._read(work)

    async def add(self, values: Values) -> Outcome[Row]:
        """Store a new entity."""
        return await self._write(lambda writer: writer.add(values))

    async def add_all(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Store several new entities, all or none."""
        return await self._write(lambda writer: writer.add_all(many), is_bulk=len(many) > 1)

    async def add_stored(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Store several entities as a store held them before, all or none."""
        return await self._write(lambda writer: writer.add_stored(many), is_bulk=len(many) > 1)

    async def update(
        self,
        key: Key,
        patch: Patch,
        *,
        expected_version: str | None = None,
        scope: Specification = EVERYTHING,
    ) -> Outcome[Row]:
        """Set the fields of *patch* on the entity with *key*."""
        return await self._write(lambda writer: writer.update_one(key, patch, expected_version, scope), scope)

    async def remove(
        self, key: Key, *, expected_version: str | None = None, scope: Specification = EVERYTHING
    ) -> Outcome[None]:
        """Remove the entity with *key*."""
        return await self._write(lambda writer: writer.remove(key, expected_version, scope), scope)

    async def update_where(
        self, specification: Specification, patch: Patch, *, max_affected: int
    ) -> Outcome[int]:
        """Set the fields of *patch* on every entity that *specification* means."""
        return await self._write(
            lambda writer: writer.update_where(specification, patch, max_affected), is_bulk=True
        )

    async def remove_where(self, specification: Specification, *, max_affected: int) -> Outcome[int]:
        """Remove every entity that *specification* means."""
        return await self._write(
            lambda writer: writer.remove_where(specification, max_affected), is_bulk=True
        )

    def entity_from(self, row: Row) -> E:
        """Return an instance of the user's class that holds *row*."""
        return entity_from(self._resource, row)

    def values_of(self, entity: E) -> Values:
        """Return the values that *entity* holds."""
        return values_of(self._resource, entity)

    async def _page(self, query: Query, fields: Sequence[str] | None) -> Outcome[Page[Row]]:
        async def work(plan: Plan) -> Page[Row]:
            page_query = build_page_query(plan, self._database.plan, query, fields)
            find_options = page_query.find_options
            if find_options is None:
                documents = await self._aggregate(plan, page_query.pipeline)
            else:
                commands = self._database.client.commands
                documents = await self._run(
                    lambda session: commands.find(plan.collection, find_options, session)
                )
            return page_query.page(documents, await self._total(plan, page_query, documents))

        return await self._read(work)

    async def _total(self, plan: Plan, page_query: PageQuery, documents: Sequence[Document]) -> int | None:
        if page_query.page_request.count is Count.NONE:
            return None
        known = page_query.known_total(documents)
        if known is not None:
            return known
        # The estimate comes from metadata, which knows nothing of uncommitted writes.
        if is_estimated(page_query) and self._connection is None:
            collection = self._database.client.collection(plan.collection)
            return int(await self._database.client.call(collection.estimated_document_count))
        return await self._count(plan, page_query.condition)

    async def _count(self, plan: Plan, condition: Condition) -> int:
        if condition.lookup_stages:
            return read_count(await self._aggregate(plan, build_count_pipeline(condition)))
        commands = self._database.client.commands
        return await self._run(lambda session: commands.count(plan.collection, condition.match, session))

    async def _find_one(
        self, plan: Plan, match: Document, names: Sequence[str], scope: Specification
    ) -> Document | None:
        commands = self._database.client.commands
        condition = build_condition(scope, plan, self._database.plan)
        projection = plan.projection(names)
        if condition.lookup_stages:
            pipeline: list[Document] = [{"$match": match}, *condition.pipeline, {"$project": projection}]
            found = await self._aggregate(plan, pipeline)
            return found[0] if found else None
        if condition.match:
            match = {"$and": [match, condition.match]}
        find_options = FindOptions(match=match, projection=None if names == plan.names else projection)
        found = await self._run(lambda session: commands.find(plan.collection, find_options, session))
        return found[0] if found else None

    async def _aggregate(self, plan: Plan, pipeline: Pipeline) -> list[Document]:
        commands = self._database.client.commands
        return await self._run(lambda session: commands.aggregate(plan.collection, pipeline, session))

    async def _open_cursor(self, plan: Plan, page_query: PageQuery, chunk: int) -> BatchCursor:
        client = self._database.client
        return await self._run(
            lambda session: client.open_cursor(plan.collection, page_query.unpaged_pipeline, chunk, session)
        )

    async def _next(self, batches: BatchCursor) -> Sequence[Document]:
        try:
            if self._connection is None:
                return await batches.next()
            with self._connection.use:
                return await batches.next()
        except DATABASE_ERRORS as error:
            self._break_stream(error)

    async def _run(self, work: Callable[[Session], Awaitable[T]]) -> T:
        return await (work(None) if self._connection is None else self._connection.read(work))

    async def _read(self, work: Callable[[Plan], Awaitable[T]]) -> Outcome[T]:
        try:
            return Success(await work(self._database.plan(self._resource)))
        except DATABASE_ERRORS as error:
            return Failure(self._translate_error(error, self._connection))

    async def _write(
        self,
        work: Callable[[Writer], Awaitable[T]],
        scope: Specification = EVERYTHING,
        *,
        is_bulk: bool = False,
    ) -> Outcome[T]:
        """Run *work* in the transaction at hand, or in one of its own where it *is_bulk*.

        A write of one entity needs none, since the server writes a document whole; unless others are read first.
        """
        transaction = self._connection
        try:
            if transaction is not None:
                with transaction.use:
                    return Success(await work(self._writer(transaction)))
            needs_transaction = is_bulk or not needs_no_lookup([scope])
            own = self._database.begin() if needs_transaction else self._database.autocommit()
            transaction = own
            try:
                done = await work(self._writer(own))
                await own.commit()
            finally:
                await own.close()
            return Success(done)
        except DATABASE_ERRORS as error:
            is_unprotected = transaction is not None and transaction.is_unprotected
            return Failure(self._translate_error(error, transaction, is_unprotected=is_unprotected))

    def _writer(self, transaction: Transaction) -> Writer:
        plan = self._database.plan(self._resource)
        return Writer(self._database.client, plan, self._database.plan, transaction)

    def _translate_error(
        self, error: BaseException, transaction: Transaction | None = None, *, is_unprotected: bool = False
    ) -> Error:
        translated = translate(error, self._database.name, self._resource, is_unprotected=is_unprotected)
        if isinstance(translated, Unavailable) and transaction is not None and transaction.has_written:
            # `Unavailable` promises that nothing was changed, so that the call may be retried: not so here.
            return OutcomeUnknown(self._database.name)
        return translated

    def _break_stream(self, error: BaseException) -> Never:
        """Raise `StreamBroken`, or *error* itself when it is a defect of ours."""
        _ = self._translate_error(error)
        raise StreamBroken(self._database.name) from error
