"""The entities of one resource in a relational database."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Generic, Self, TypeVar

from returns.result import Failure, Success
from sqlalchemy import Executable

from fastapi_easy.domain.changes.journal import JournalRow
from fastapi_easy.domain.changes.patch import Patch, Values
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import Error, Key, Outcome, OutcomeUnknown
from fastapi_easy.domain.ports.repository import EVERYTHING, StreamBroken
from fastapi_easy.domain.queries.aggregation import Aggregation, Group
from fastapi_easy.domain.queries.page import Count, Cursor, Page, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Specification
from fastapi_easy.domain.resources.resource import Relation, Resource
from fastapi_easy.infrastructure.entities import plain
from fastapi_easy.infrastructure.persistence.sqlalchemy.aggregates import aggregate_rows
from fastapi_easy.infrastructure.persistence.sqlalchemy.combined_write import can_encode
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy.inheritance.writing import writer_of
from fastapi_easy.infrastructure.persistence.sqlalchemy.journal import ensure_tables
from fastapi_easy.infrastructure.persistence.sqlalchemy.reading import Window, read_estimate, window_of
from fastapi_easy.infrastructure.persistence.sqlalchemy.select_related import select_related
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.build import by_key, by_key_alone, count
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.specification import (
    name_parameters,
    parameterize,
)
from fastapi_easy.infrastructure.persistence.sqlalchemy.write_rejected import WriteRejected
from fastapi_easy.infrastructure.persistence.sqlalchemy.writing import Writer
from fastapi_easy.infrastructure.relational.driver.error_classification import is_not_permitted
from fastapi_easy.infrastructure.relational.driver.executor import Record, StatementResult
from fastapi_easy.infrastructure.relational.errors import (
    DATABASE_ERRORS,
    not_found,
    not_permitted,
    owner_of,
    translate,
)
from fastapi_easy.infrastructure.relational.transaction import CommitOutcomeUnknown, Transaction

E = TypeVar("E")
T = TypeVar("T")


class SqlAlchemyRepository(Generic[E]):
    """Implements `Repository`: each call on a connection of its own, or all in one transaction.

    Made for each request, and so holds no more than references: what is made once is in the plan of the resource.
    """

    __slots__ = ("_connection", "_database", "_resource", "_rows")

    def __init__(
        self,
        resource: Resource[E],
        database: SqlAlchemyDatabase,
        connection: Transaction | None = None,
        rows: Sequence[JournalRow] = (),
    ) -> None:
        self._resource = resource
        self._database = database
        self._connection = connection
        self._rows = rows

    def in_transaction(self, connection: Transaction) -> Self:
        """Return the same repository inside *connection*."""
        return type(self)(self._resource, self._database, connection)

    def with_journal_rows(self, rows: Sequence[JournalRow]) -> Self | None:
        """Return the same repository, whose next write inserts *rows* in the same statement; `None` if it cannot."""
        if not self._database.can_combine_writes(self._resource) or not can_encode(self._resource, rows):
            return None
        return type(self)(self._resource, self._database, self._connection, rows)

    async def read(
        self, key: Key, fields: Sequence[str] | None = None, *, scope: Specification = EVERYTHING
    ) -> Outcome[Row]:
        """Read the row with *key*."""
        try:
            plan = self._database.known_plan(self._resource) or await self._database.plan(self._resource)
            names = plan.names if fields is None else fields
            parameters = plan.key_values(key)
            if parameters is None:
                return not_found(self._resource, key)
            if scope is EVERYTHING:
                statement = by_key_alone(plan, names)
            else:
                form, values = parameterize(scope, plan.terms)
                statement = by_key(plan, names, form)
                parameters |= name_parameters(values)
            records = (await self._execute(statement, parameters)).rows
        except DATABASE_ERRORS as error:
            return Failure(self._translated(error))
        return (
            Success(Row(zip(names, records[0], strict=True))) if records else not_found(self._resource, key)
        )

    def select(self, query: Query) -> Coroutine[Any, Any, Outcome[Page[Row]]]:
        """Read a page of rows in the query's total order, nulls last."""
        return self._page(query, query.fields)

    def select_held(self, query: Query) -> Awaitable[Outcome[Page[Row]]] | None:
        """Read a page of rows that nobody else changes until the transaction ends; `None` where none can be held."""
        if self._connection is None or not self._database.can_hold_rows(self._resource):
            return None
        return self._page(query, query.fields, held=True)

    async def select_each(
        self, relation: Relation, sources: Sequence[tuple[Any, ...]], query: Query
    ) -> Outcome[Sequence[Sequence[Row]]]:
        """Read the rows that *relation* leads to from each of *sources*."""
        try:
            plan = self._database.known_plan(self._resource) or await self._database.plan(self._resource)
            return Success(await select_related(plan, relation, sources, query, self._fetch))
        except DATABASE_ERRORS as error:
            return Failure(self._translated(error))

    async def aggregate(self, aggregation: Aggregation) -> Outcome[Sequence[Group]]:
        """Read the numbers that *aggregation* asks for, group by group."""
        try:
            plan = self._database.known_plan(self._resource) or await self._database.plan(self._resource)
            return Success(await aggregate_rows(plan, aggregation, self._fetch))
        except DATABASE_ERRORS as error:
            return Failure(self._translated(error))

    async def stream(self, query: Query, *, chunk: int = 500) -> AsyncIterator[Sequence[Row]]:
        """Yield every row of the query in its order, *chunk* at a time; no connection is held in between."""
        after: Cursor | None = None
        while True:
            page_request = PageRequest(limit=chunk, after=after)
            part = Query(
                specification=query.specification, order=query.order, page=page_request, fields=query.fields
            )
            found = await self.select(part)
            if isinstance(found, Failure):
                raise StreamBroken(self._database.name, found.failure())
            page = found.unwrap()
            if page.items:
                yield page.items
            if page.next is None:
                return
            after = page.next

    async def count(self, specification: Specification) -> Outcome[int]:
        """Count the entities that *specification* means."""
        try:
            plan = self._database.known_plan(self._resource) or await self._database.plan(self._resource)
            form, values = parameterize(specification, plan.terms)
            records = await self._fetch(count(plan, form), name_parameters(values))
        except DATABASE_ERRORS as error:
            return Failure(self._translated(error))
        return Success(records[0][0])

    def add(self, values: Values) -> Coroutine[Any, Any, Outcome[Row]]:
        """Store a new entity."""
        return self._write(lambda writer: writer.add(values), (values,))

    async def add_all(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Store several new entities, all or none."""
        return await self._write(lambda writer: writer.add_all(many), many)

    async def add_stored(self, many: Sequence[Values]) -> Outcome[Sequence[Row]]:
        """Store several entities as a store held them before, all or none."""
        return await self._write(lambda writer: writer.add_all(many, is_stored=True), many)

    def update(
        self,
        key: Key,
        patch: Patch,
        *,
        expected_version: str | None = None,
        scope: Specification = EVERYTHING,
    ) -> Coroutine[Any, Any, Outcome[Row]]:
        """Set the fields of *patch* on the entity with *key*."""
        return self._write(lambda writer: writer.change(key, patch, expected_version, scope), (patch,))

    async def remove(
        self, key: Key, *, expected_version: str | None = None, scope: Specification = EVERYTHING
    ) -> Outcome[None]:
        """Remove the entity with *key*."""
        return await self._write(
            lambda writer: writer.remove(key, expected_version, scope), (), removing=True
        )

    async def update_where(
        self, specification: Specification, patch: Patch, *, max_affected: int
    ) -> Outcome[int]:
        """Set the fields of *patch* on every entity that *specification* means."""
        return await self._write(
            lambda writer: writer.change_where(specification, patch, max_affected), (patch,)
        )

    async def remove_where(self, specification: Specification, *, max_affected: int) -> Outcome[int]:
        """Remove every entity that *specification* means."""
        return await self._write(
            lambda writer: writer.remove_where(specification, max_affected), (), removing=True
        )

    def entity_from(self, row: Row) -> E:
        """Return an instance of the user's class that holds *row*."""
        if self._resource.entity is self._resource.stored:
            return self._database.entities.entity_from(self._resource, row)
        return plain.entity_from(self._resource, row)

    def values_of(self, entity: E) -> Values:
        """Return the values that *entity* holds."""
        if self._resource.entity is self._resource.stored:
            return self._database.entities.values_of(self._resource, entity)
        return plain.values_of(self._resource, entity)

    async def _page(
        self, query: Query, fields: Sequence[str] | None, *, held: bool = False
    ) -> Outcome[Page[Row]]:
        try:
            plan = self._database.known_plan(self._resource) or await self._database.plan(self._resource)
            window = window_of(plan, query, fields)
            estimate = None
            if query.page.count is Count.ESTIMATED:
                estimate = await read_estimate(window, self._fetch)
            counted = query.page.count is not Count.NONE and estimate is None
            statement = window.statement(counted=counted, held=held)
            answer = await self._execute(statement, window.parameters)
            total = estimate
            if counted:
                total = await self._total(window, answer.records)
        except DATABASE_ERRORS as error:
            return Failure(self._translated(error))
        return Success(window.page(answer, total))

    async def _total(self, window: Window, records: Sequence[Record]) -> int:
        if records:
            return int(records[0][-1])
        if window.is_first:
            return 0
        # The total comes with each row, and a page behind the last row has none.
        counted = await self._fetch(count(window.plan, window.form), window.values)
        return int(counted[0][0])

    async def _fetch(self, statement: Executable, parameters: Mapping[str, object]) -> Sequence[Record]:
        return (await self._execute(statement, parameters)).rows

    def _execute(self, statement: Executable, parameters: Mapping[str, object]) -> Awaitable[StatementResult]:
        if self._connection is None:
            return self._database.executor.read(statement, parameters)
        return self._connection.execute(statement, parameters)

    async def _write(
        self,
        work: Callable[[Writer], Awaitable[T]],
        written: Sequence[Values],
        *,
        removing: bool = False,
    ) -> Outcome[T]:
        """Carry out *work* in the transaction of this repository, or in a short one of its own."""
        transaction = self._connection
        try:
            if transaction is not None:
                with transaction.use:
                    plan = self._database.known_plan(self._resource) or await self._database.plan(
                        self._resource
                    )
                    if self._rows:
                        await ensure_tables(self._database, {row.table for row in self._rows}, transaction)
                    return Success(await work(writer_of(plan, transaction, self._rows)))
            plan = self._database.known_plan(self._resource) or await self._database.plan(self._resource)
            if self._rows:
                await ensure_tables(self._database, {row.table for row in self._rows})
            own = self._database.begin(may_autocommit=True)
            try:
                done = await work(writer_of(plan, own, self._rows))
                if own.has_begun:
                    await own.commit()
            finally:
                if own.has_begun:
                    await own.close()
            return Success(done)
        except CommitOutcomeUnknown:
            return Failure(OutcomeUnknown(self._database.name))
        except WriteRejected as refused:
            return Failure(refused.error)
        except DATABASE_ERRORS as error:
            return Failure(self._translated(error, written, removing=removing))

    def _translated(
        self, error: BaseException, written: Sequence[Values] = (), *, removing: bool = False
    ) -> Error:
        constraints = self._database.constraints_of(self._resource)
        if not constraints and is_not_permitted(error):
            # Not even the catalogue may be asked: the schema of the table is closed to the user.
            return not_permitted(self._resource, written, removing=removing)
        return translate(
            error,
            self._database.name,
            lambda classified: owner_of(constraints, classified),
            written,
            removing=removing,
        )
