"""A connection pool with its limits, and the calls through it: the same with PyMongo's client and Motor's.

Motor runs the synchronous driver in threads: a call whose caller has given up goes on there. A write is then waited
for; anything else is left to end by itself, within the limits that every call has.
"""

import asyncio
import contextlib
import inspect
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, TypeVar

import pymongo
from pymongo.errors import PyMongoError, ServerSelectionTimeoutError
from pymongo.write_concern import WriteConcern

from fastapi_easy.domain import deadline
from fastapi_easy.domain.ports.breaker import Breaker
from fastapi_easy.domain.ports.database import Pool
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document, Pipeline
from fastapi_easy.infrastructure.persistence.mongo.driver.batch_cursor import BatchCursor
from fastapi_easy.infrastructure.persistence.mongo.driver.commands import Commands, DriverCommands
from fastapi_easy.infrastructure.persistence.mongo.driver.connection_cache import ConnectionCache
from fastapi_easy.infrastructure.persistence.mongo.driver.connection_counter import ConnectionCounter
from fastapi_easy.infrastructure.persistence.mongo.driver.counters import Counters
from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import (
    CLIENT_TIMEOUT_MARGIN,
    DriverDatabase,
    Session,
    make_driver_client,
    open_driver_database,
)
from fastapi_easy.infrastructure.persistence.mongo.driver.options import ConnectionOptions
from fastapi_easy.infrastructure.persistence.mongo.driver.pymongo_internals import recheck_servers
from fastapi_easy.infrastructure.persistence.mongo.driver.url import Address
from fastapi_easy.infrastructure.persistence.mongo.driver.wire_commands import WireCommands, is_supported
from fastapi_easy.infrastructure.persistence.mongo.errors import PoolExhausted, has_answered, is_access_denied
from fastapi_easy.infrastructure.resilience.shed_log import ShedLog
from fastapi_easy.infrastructure.resilience.wait_queue import FixedSupply, WaitQueue
from fastapi_easy.infrastructure.waiting.completion import propagate_cancellation, run_to_completion

T = TypeVar("T")

ABORT_TIMEOUT: Final = 2.0
"""Seconds to wait until a transaction is rolled back; the server does so by itself after a minute."""

_MIN_TIMEOUT: Final = 0.001
"""Seconds that the server is given at least: 0 would mean that there is no limit."""

_REFUSAL_HOLDS: Final = 1.0
"""Seconds for which a refused login is an answer to `ping`."""

_POLL_INTERVAL: Final = 0.005
"""Seconds between two looks at whether a connection has been made."""


class Client:
    """A client of one driver, made without I/O: with a bulkhead, load shedding, timeouts and a circuit breaker.

    Args:
        address: Where the database is.

        options: Limits.

        breaker: Returns the circuit breaker that permits calls and is told whether the server answered; called for
            each call, so that it can be replaced.

    Attributes:
        commands: The commands that nearly every request needs.

        counters: Generate whole-number keys.

        queue: The calls that wait for a connection.

    Raises:
        DeclarationError: The driver does not understand the URL.
    """

    def __init__(
        self,
        address: Address,
        options: ConnectionOptions,
        breaker: Callable[[], Breaker | None] = lambda: None,
    ) -> None:
        self.options = options
        self._breaker = breaker
        self._connection_counter = ConnectionCounter()
        self._is_motor = address.driver == "motor"
        self._client = make_driver_client(address, options, self._connection_counter)
        self._database = open_driver_database(self._client, address)
        fallback = DriverCommands(self.call, self._database)
        self.commands: Commands = fallback
        self._connection_cache: ConnectionCache | None = None
        if is_supported(self._client, self._database):
            self._connection_cache = ConnectionCache(self._client, options.recycle)
            timeouts = options.statement_timeout, CLIENT_TIMEOUT_MARGIN
            self.commands = WireCommands(
                self.call, self._connection_cache, self._client, self._database, timeouts, fallback
            )
        self.counters = Counters(self.call, self._database, self.commands, options.statement_timeout)
        # The driver's pool has the same limit, but no queue that sheds load: calls wait here, not there.
        self._pool_slots = asyncio.Semaphore(options.pool_size)
        self._in_use = 0
        self._cleanups_running = 0
        self.queue = WaitQueue[object](
            options.queue_time,
            FixedSupply(options.pool_size),
            partial(ShedLog().note, address.database),
        )
        self._background_tasks: set[asyncio.Task[object]] = set()
        # The last login that was refused, and when; none once a call was answered again.
        self._refusal: PyMongoError | None = None
        self._refused_at = 0.0

    @property
    def pool(self) -> Pool:
        """The state of the connection pool at this moment."""
        return Pool(
            limit=self.options.pool_size,
            open=self._connection_counter.open,
            in_use=self._in_use,
            waiting=len(self.queue),
            shed=self.queue.shed,
            waits=self.queue.waited,
            wait_seconds=self.queue.wait_seconds,
        )

    @property
    def database(self) -> DriverDatabase:
        """The driver's database."""
        return self._database

    def collection(self, name: str) -> Any:
        """Return the driver's collection *name*."""
        return self._database[name]

    async def call(
        self,
        operation: Callable[[], Awaitable[T]],
        *,
        is_write: bool = False,
        has_timeout: bool = True,
        uses_driver_pool: bool = True,
        uses_breaker: bool = True,
    ) -> T:
        """Run *operation*, which needs one connection, within the limits, and return what it returns.

        Args:
            operation: Calls the driver.

            is_write: It changes something, or belongs to a transaction: a cancelled caller waits for its end.

            has_timeout: It has to end within `statement_timeout`. Otherwise it sets limits of its own.

            uses_driver_pool: The driver takes the connection from its pool.

            uses_breaker: The breaker permits the call, and is told how it ended.

        Raises:
            CallNotPermitted: The circuit is open, or the wait for a connection would be too long.

            PoolExhausted: No connection became free in time.
        """
        breaker = self._breaker() if uses_breaker else None
        permit = 0 if breaker is None else breaker.enter()
        try:
            await self._acquire_permit()
        except BaseException:
            if breaker is not None:
                breaker.leave(permit, answered=None)
            raise
        work = self._run(
            operation, breaker, permit, has_timeout=has_timeout, uses_driver_pool=uses_driver_pool
        )
        if not self._is_motor and self._connection_counter.has_capacity_for(
            self._in_use + self._cleanups_running
        ):
            # The usual case: no connection has to be made for it, so cancellation may pass through, and no task is
            # needed.
            return await propagate_cancellation(work)
        task = asyncio.ensure_future(work)
        self._track(task)
        left = deadline.remaining_seconds()
        try:
            # The driver's own limit for making a connection knows no deadline.
            async with asyncio.timeout(
                None if left is None else max(left, _MIN_TIMEOUT) + CLIENT_TIMEOUT_MARGIN
            ):
                return await asyncio.shield(task)
        except (asyncio.CancelledError, TimeoutError) as error:
            if task.done() and isinstance(error, TimeoutError):
                # The timeout is one of the operation itself, or came when there was a result already.
                return task.result()
            stopped = self._stop(task)
            if is_write:
                await run_to_completion(stopped)
            else:
                self._track(asyncio.ensure_future(stopped))
            raise

    async def ping(self) -> None:
        """Return once the server answers; the breaker is neither asked nor told.

        While every connection is in use, what the driver's own monitoring has heard is the answer. A login that was
        refused a moment ago is not tried again: the driver would first look for the server anew.
        """
        if self._refusal is not None and time.monotonic() - self._refused_at < _REFUSAL_HOLDS:
            raise self._refusal
        if not self._pool_slots.locked():
            _ = await self.call(lambda: self._client.admin.command("ping"), uses_breaker=False)
        elif not self._client.nodes:
            raise ServerSelectionTimeoutError("no server is known")

    async def command(self, *arguments: object, **options: object) -> Document:
        """Run a command on the `admin` database."""
        reply: Document = await self.call(lambda: self._client.admin.command(*arguments, **options))
        return reply

    async def create_index(
        self, collection: str, keys: Sequence[str | tuple[str, int | str]], options: Mapping[str, object]
    ) -> None:
        """Create an index on *keys*, paths or paths with their kinds, unless it is there."""
        _ = await self.call(
            lambda: self.collection(collection).create_index(list(keys), **options), is_write=True
        )

    async def collections(self) -> list[Document]:
        """List the collections, as the server describes them."""

        async def read() -> list[Document]:
            cursor = await _maybe_await(self._database.list_collections())
            found: list[Document] = await cursor.to_list(None)
            return found

        return await self.call(read)

    async def indexes(self, collection: str) -> list[Document]:
        """List the indexes of *collection*, as the server describes them."""

        async def read() -> list[Document]:
            cursor = await _maybe_await(self.collection(collection).list_indexes())
            found: list[Document] = await cursor.to_list(None)
            return found

        return await self.call(read)

    async def open_cursor(
        self, collection: str, pipeline: Pipeline, batch_size: int, session: Session = None
    ) -> BatchCursor:
        """Open a cursor over what *pipeline* answers, in batches of *batch_size* documents."""

        async def begin() -> Any:
            return await _maybe_await(
                self.collection(collection).aggregate(
                    pipeline, session=session, allowDiskUse=True, batchSize=batch_size
                )
            )

        # The whole stream may last longer than a statement; each batch is waited for by itself.
        cursor = await self.call(begin, is_write=session is not None, has_timeout=False)
        return BatchCursor(self.call, self.end, cursor, batch_size, in_transaction=session is not None)

    async def begin(self) -> Session:
        """Start a session with a transaction in it. Nothing is sent yet."""
        session = await _maybe_await(self._client.start_session())
        await _maybe_await(session.start_transaction(write_concern=WriteConcern("majority")))
        return session

    async def commit(self, session: Session) -> None:
        """Commit the transaction of *session*. Committing again after silence does no harm."""
        await self.call(session.commit_transaction, is_write=True)

    async def discard(self, session: Session) -> None:
        """Roll back what *session* has not committed, and end it, also when the task is cancelled."""
        await self.end(session.end_session)

    async def end(self, operation: Callable[[], Awaitable[object]]) -> None:
        """Run *operation*, which releases something on the server, to its end, also when the task is cancelled."""
        await run_to_completion(self._run_cleanup(operation))

    async def close(self) -> None:
        """Close every connection."""
        if self._background_tasks:
            _ = await asyncio.wait(self._background_tasks, timeout=ABORT_TIMEOUT)
        if self._connection_cache is not None:
            await self._connection_cache.close()
        # The driver's monitor may be making a connection of its own, which is not to be given up half made.
        if not self._is_motor and not self._client.topology_description.has_writable_server():
            await asyncio.sleep(_POLL_INTERVAL)
        await _maybe_await(self._client.close())

    async def _run_cleanup(self, operation: Callable[[], Awaitable[object]]) -> None:
        # A failure needs no handling: the server drops what is left after a while. No permit is taken, so that
        # cleaning up never waits behind new calls.
        self._cleanups_running += 1
        try:
            with contextlib.suppress(PyMongoError, TimeoutError):
                async with asyncio.timeout(ABORT_TIMEOUT):
                    if self._connection_cache is not None:
                        # The driver's pool could be empty while the connections idle in the cache.
                        await self._connection_cache.release_one()
                    _ = await operation()
        finally:
            self._cleanups_running -= 1

    async def _acquire_permit(self) -> None:
        if self._pool_slots.locked():
            waiter = object()
            self.queue.enqueue(waiter)
            try:
                async with asyncio.timeout(deadline.within(self.options.pool_timeout)):
                    _ = await self._pool_slots.acquire()
                self.queue.dequeue(waiter)
            except TimeoutError:
                raise PoolExhausted from None
            finally:
                self.queue.cancel(waiter)
        else:
            _ = await self._pool_slots.acquire()
        self._in_use += 1

    async def _run(
        self,
        operation: Callable[[], Awaitable[T]],
        breaker: Breaker | None,
        permit: int,
        *,
        has_timeout: bool,
        uses_driver_pool: bool,
    ) -> T:
        answered: bool | None = None
        started_at = 0.0 if breaker is None or breaker.slow_after is None else time.monotonic()
        try:
            if uses_driver_pool and self._connection_cache is not None:
                await self._connection_cache.prepare_for_driver()
            answer = await (self._run_with_timeout(operation) if has_timeout else operation())
            answered = True
            self._refusal = None
        except PyMongoError as error:
            answered = has_answered(error)
            if is_access_denied(error):
                self._refusal, self._refused_at = error, time.monotonic()
                recheck_servers(self._client.delegate if self._is_motor else self._client)
            raise
        except TimeoutError:
            answered = False
            raise
        finally:
            self._in_use -= 1
            self._pool_slots.release()
            if breaker is not None:
                breaker.leave(permit, answered=answered, slow=_is_slow(started_at, breaker.slow_after))
        return answer

    async def _run_with_timeout(self, operation: Callable[[], Awaitable[T]]) -> T:
        limit = self.options.statement_timeout
        left = deadline.remaining_seconds()
        if left is None or left >= limit:
            with pymongo.timeout(limit):
                return await operation()
        # The driver tells the server what is left, as maxTimeMS; the client's own timeout covers a silent server.
        with pymongo.timeout(max(left, _MIN_TIMEOUT)):
            async with asyncio.timeout(max(left, _MIN_TIMEOUT) + CLIENT_TIMEOUT_MARGIN):
                return await operation()

    async def _stop(self, task: asyncio.Task[object]) -> None:
        """Cancel *task*, whose caller has given up, and wait until it has ended."""
        if not self._is_motor:
            # A connection that is cancelled half made is lost; made to its end, it serves the next call.
            until = time.monotonic() + self.options.connect_timeout
            while self._connection_counter.connecting and not task.done() and time.monotonic() < until:
                _ = await asyncio.wait([task], timeout=_POLL_INTERVAL)
            _ = task.cancel()
        _ = await asyncio.wait([task])

    def _track(self, task: asyncio.Task[object]) -> None:
        self._background_tasks.add(task)
        task.add_done_callback(self._untrack)

    def _untrack(self, task: asyncio.Task[object]) -> None:
        self._background_tasks.discard(task)
        # Retrieved, or asyncio would log that the exception never was.
        _ = task.cancelled() or task.exception()


def _is_slow(started_at: float, limit: float | None) -> bool:
    """Return whether a call took longer than *limit*. One without a deadline never does: it is long by design."""
    return (
        limit is not None
        and time.monotonic() - started_at > limit
        and deadline.remaining_seconds() is not None
    )


async def _maybe_await(answer: Any) -> Any:
    """Return *answer*, awaited where it has to be: the drivers differ in which methods are coroutines."""
    return await answer if inspect.isawaitable(answer) else answer
