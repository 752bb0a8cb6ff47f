"""One pool of connections, and calls through it: the same through PyMongo's client and Motor's.

Motor runs the synchronous driver in threads: a call that is given up goes on there. Where that would do harm it is
waited for; elsewhere it is left to end by itself, within the limits that every call has.
"""

import asyncio
import contextlib
import inspect
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar, cast

import pymongo
from pymongo.errors import PyMongoError, ServerSelectionTimeoutError
from pymongo.write_concern import WriteConcern

from fastapi_easy.domain import deadline
from fastapi_easy.domain.ports.breaker import Breaker
from fastapi_easy.domain.ports.database import Pool
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Pipeline
from fastapi_easy.infrastructure.persistence.mongo.driver.batch_cursor import BatchCursor
from fastapi_easy.infrastructure.persistence.mongo.driver.commands import Commands, DriverCommands
from fastapi_easy.infrastructure.persistence.mongo.driver.connection_cache import ConnectionCache
from fastapi_easy.infrastructure.persistence.mongo.driver.connection_counter import ConnectionCounter
from fastapi_easy.infrastructure.persistence.mongo.driver.counters import Counters
from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import (
    CLIENT_TIMEOUT_MARGIN,
    Session,
    make_driver_client,
    open_driver_database,
)
from fastapi_easy.infrastructure.persistence.mongo.driver.options import ConnectionOptions
from fastapi_easy.infrastructure.persistence.mongo.driver.url import Address
from fastapi_easy.infrastructure.persistence.mongo.driver.wire_commands import WireCommands, is_supported
from fastapi_easy.infrastructure.persistence.mongo.errors import PoolExhausted, has_answered
from fastapi_easy.infrastructure.resilience.wait_queue import WaitQueue
from fastapi_easy.infrastructure.waiting.completion import propagate_cancellation, run_to_completion

T = TypeVar("T")

ABORT_TIMEOUT: Final = 2.0
"""Seconds to wait until a transaction is undone; the server undoes it by itself after a minute."""

_MIN_TIMEOUT: Final = 0.001
"""Seconds that the server is given at least."""

_POLL_INTERVAL: Final = 0.005
"""Seconds between two looks at whether a connection stands."""


class Client:
    """A client of one of the two drivers, with its limits.

    Made without I/O, also outside of an event loop.

    Args:
        address: Where the database is.

        options: Limits.

        breaker: Gives the one that is asked before the server is, and told whether it answered; asked for anew each
            time.

    Attributes:
        commands: The commands that nearly every request comes to.

        counters: Make whole-number keys.

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
        self._pool_slots = asyncio.Semaphore(options.pool_size)
        self._in_use = 0
        self._cleanups_running = 0
        self._wait_queue = WaitQueue[object](options.queue_time)
        self._background_tasks: set[asyncio.Future[Any]] = set()

    @property
    def pool(self) -> Pool:
        """The state of the connection pool at this moment."""
        return Pool(
            limit=self.options.pool_size,
            open=self._connection_counter.open,
            in_use=self._in_use,
            waiting=len(self._wait_queue),
            shed=self._wait_queue.shed,
            waits=self._wait_queue.waited,
            wait_seconds=self._wait_queue.wait_seconds,
        )

    @property
    def database(self) -> Any:
        """The driver's database."""
        return self._database

    def collection(self, name: str) -> Any:
        """The driver's collection."""
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
            operation: Asks the driver.

            is_write: It changes something, or belongs to a transaction, and must not go on unseen.

            has_timeout: It ends within `statement_timeout`. Otherwise only each answer is waited for.

            uses_driver_pool: The driver takes the connection from its pool.

            uses_breaker: The breaker is asked before, and told of it.

        Raises:
            CallNotPermitted: The server has been silent, or too many wait already.

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
            return await propagate_cancellation(work)
        task = asyncio.ensure_future(work)
        self._track(task)
        left = deadline.remaining_seconds()
        try:
            # The driver's own limit of the making of a connection knows no deadline.
            async with asyncio.timeout(
                None if left is None else max(left, _MIN_TIMEOUT) + CLIENT_TIMEOUT_MARGIN
            ):
                return await asyncio.shield(task)
        except (asyncio.CancelledError, TimeoutError) as error:
            if task.done() and isinstance(error, TimeoutError):
                return task.result()
            stopped = self._stop(task)
            if is_write:
                await run_to_completion(stopped)
            else:
                self._track(asyncio.ensure_future(stopped))
            raise

    async def ping(self) -> None:
        """Return once the server answers; the breaker is neither asked nor told.

        While every connection is in use, what the driver's own monitoring has heard is the answer.

        """
        if not self._pool_slots.locked():
            _ = await self.call(lambda: self._client.admin.command("ping"), uses_breaker=False)
        elif not self._client.nodes:
            raise ServerSelectionTimeoutError("no server is known")

    async def command(self, *arguments: Any, **options: Any) -> Mapping[str, Any]:
        """Run a command on the `admin` database."""
        return cast(
            "Mapping[str, Any]",
            await self.call(lambda: self._client.admin.command(*arguments, **options)),
        )

    async def create_index(self, collection: str, paths: Sequence[str], options: Mapping[str, Any]) -> None:
        """Create an index on *paths* unless it is there."""
        keys = [(path, pymongo.ASCENDING) for path in paths]
        _ = await self.call(lambda: self.collection(collection).create_index(keys, **options), is_write=True)

    async def collections(self) -> list[Mapping[str, Any]]:
        """List the collections, as the server describes them."""

        async def read() -> list[Mapping[str, Any]]:
            cursor = await _maybe_await(self._database.list_collections())
            return cast("list[Mapping[str, Any]]", await cursor.to_list(None))

        return await self.call(read)

    async def indexes(self, collection: str) -> list[Mapping[str, Any]]:
        """List the indexes of *collection*, as the server describes them."""

        async def read() -> list[Mapping[str, Any]]:
            cursor = await _maybe_await(self.collection(collection).list_indexes())
            return cast("list[Mapping[str, Any]]", await cursor.to_list(None))

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

        cursor = await self.call(begin, is_write=session is not None, has_timeout=False)
        return BatchCursor(self.call, self.end, cursor, batch_size, in_transaction=session is not None)

    async def begin(self) -> Any:
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

    async def end(self, operation: Callable[[], Awaitable[Any]]) -> None:
        """Run *operation*, which releases something on the server, to its end, also when the task is cancelled."""
        await run_to_completion(self._run_cleanup(operation))

    async def close(self) -> None:
        """Close every connection."""
        if self._background_tasks:
            _ = await asyncio.wait(self._background_tasks, timeout=ABORT_TIMEOUT)
        if self._connection_cache is not None:
            await self._connection_cache.close()
        # What looks for a server, on a connection of its own, is not to be given up while it is half made.
        if not self._is_motor and not self._client.topology_description.has_writable_server():
            await asyncio.sleep(_POLL_INTERVAL)
        await _maybe_await(self._client.close())

    async def _run_cleanup(self, operation: Callable[[], Awaitable[Any]]) -> None:
        # Nobody can do anything about a failure: the server gives up what is left after a while.
        self._cleanups_running += 1
        try:
            with contextlib.suppress(PyMongoError, TimeoutError):
                async with asyncio.timeout(ABORT_TIMEOUT):
                    if self._connection_cache is not None:
                        await self._connection_cache.release_one()
                    await operation()
        finally:
            self._cleanups_running -= 1

    async def _acquire_permit(self) -> None:
        if self._pool_slots.locked():
            me = object()
            self._wait_queue.enqueue(me)
            try:
                async with asyncio.timeout(deadline.within(self.options.pool_timeout)):
                    _ = await self._pool_slots.acquire()
                self._wait_queue.dequeue(me)
            except TimeoutError:
                raise PoolExhausted from None
            finally:
                self._wait_queue.cancel(me)
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
        except PyMongoError as error:
            answered = has_answered(error)
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
        # The server is told of what is left; where it is not, there is an end all the same.
        with pymongo.timeout(max(left, _MIN_TIMEOUT)):
            async with asyncio.timeout(max(left, _MIN_TIMEOUT) + CLIENT_TIMEOUT_MARGIN):
                return await operation()

    async def _stop(self, task: "asyncio.Future[Any]") -> None:
        """Cancel *task*, whose caller has given up, and wait until it has ended."""
        if not self._is_motor:
            # A connection that is given up half made is lost; made to its end, it serves the next one.
            until = time.monotonic() + self.options.connect_timeout
            while self._connection_counter.connecting and not task.done() and time.monotonic() < until:
                _ = await asyncio.wait([task], timeout=_POLL_INTERVAL)
            _ = task.cancel()
        _ = await asyncio.wait([task])

    def _track(self, task: "asyncio.Future[Any]") -> None:
        self._background_tasks.add(task)
        task.add_done_callback(self._untrack)

    def _untrack(self, task: "asyncio.Future[Any]") -> None:
        self._background_tasks.discard(task)
        # Looked at, so that nobody is told it went unseen.
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
