"""One pool of connections, and calls through it: the same through PyMongo's client and Motor's.

Motor runs the synchronous driver in threads: a call that is given up goes on there. Where that would do harm it is
waited for; elsewhere it is left to end by itself, within the limits that every call has.
"""

import asyncio
import contextlib
import importlib
import inspect
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar, cast
from urllib.parse import parse_qsl, urlsplit

import pymongo
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions
from pymongo.errors import ConfigurationError, PyMongoError, ServerSelectionTimeoutError
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from fastapi_easy.domain import deadline
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.ports.breaker import Breaker
from fastapi_easy.domain.ports.database import Pool
from fastapi_easy.infrastructure.persistence.mongo.driver.batch_cursor import Parts
from fastapi_easy.infrastructure.persistence.mongo.driver.commands import Commands, DriverCommands
from fastapi_easy.infrastructure.persistence.mongo.driver.connection_cache import Lines
from fastapi_easy.infrastructure.persistence.mongo.driver.connection_counter import ConnectionCounter
from fastapi_easy.infrastructure.persistence.mongo.driver.counters import Counters
from fastapi_easy.infrastructure.persistence.mongo.driver.options import ConnectionOptions
from fastapi_easy.infrastructure.persistence.mongo.driver.url import UNUSABLE, Address
from fastapi_easy.infrastructure.persistence.mongo.driver.wire_commands import DirectCommands, is_known
from fastapi_easy.infrastructure.persistence.mongo.errors import PoolExhausted, has_answered
from fastapi_easy.infrastructure.resilience.wait_queue import WaitingLine
from fastapi_easy.infrastructure.waiting.completion import cancellable, to_the_end

T = TypeVar("T")

BACKSTOP: Final = 1.0
"""Seconds that the client waits longer than the server, so that the server's answer is the usual one."""

ABORT_LIMIT: Final = 2.0
"""Seconds to wait until a transaction is undone; the server undoes it by itself after a minute."""

_LEAST: Final = 0.001
"""Seconds that the server is given at least."""

_GLANCE: Final = 0.005
"""Seconds between two looks at whether a connection stands."""

OPTIONS: Final[CodecOptions[Any]] = CodecOptions(
    # Naive times are UTC; the codec makes them aware, which is quicker than the driver's own way.
    tz_aware=False,
    uuid_representation=UuidRepresentation.STANDARD,
)


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
        self._counter = ConnectionCounter()
        self._is_motor = address.driver == "motor"
        try:
            self._client = _make(address, options, self._counter)
        except (ConfigurationError, ValueError):
            # What the driver says may repeat a part of the password.
            raise DeclarationError([UNUSABLE]) from None
        self._database = self._client.get_database(
            address.database,
            codec_options=OPTIONS,
            read_preference=ReadPreference.PRIMARY,
            write_concern=None if _says(address.url, "w") else WriteConcern("majority"),
        )
        ordinary = DriverCommands(self.call, self._database)
        self.commands: Commands = ordinary
        self._lines: Lines | None = None
        if is_known(self._client, self._database):
            self._lines = Lines(self._client, options.recycle)
            patience = options.statement_timeout, BACKSTOP
            self.commands = DirectCommands(
                self.call, self._lines, self._client, self._database, patience, ordinary
            )
        self.counters = Counters(self.call, self._database, self.commands, options.statement_timeout)
        self._permits = asyncio.Semaphore(options.pool_size)
        self._in_use = 0
        self._ending = 0
        self._line = WaitingLine[object](options.queue_time)
        self._left: set[asyncio.Future[Any]] = set()

    @property
    def pool(self) -> Pool:
        """The connections at this moment."""
        return Pool(
            limit=self.options.pool_size,
            open=self._counter.open,
            in_use=self._in_use,
            waiting=len(self._line),
            shed=self._line.shed,
            waits=self._line.stood,
            wait_seconds=self._line.seconds,
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
        changes: bool = False,
        limited: bool = True,
        ordinary: bool = True,
        guarded: bool = True,
    ) -> T:
        """What *operation* answers, which needs one connection.

        Args:
            operation: Asks the driver.

            changes: It changes something, or belongs to a transaction, and must not go on unseen.

            limited: It ends within `statement_timeout`. Otherwise only each answer is waited for.

            ordinary: The driver takes the connection from its pool.

            guarded: The breaker is asked before, and told of it.

        Raises:
            NotAdmitted: The server has been silent, or too many wait already.

            PoolExhausted: No connection became free in time.
        """
        breaker = self._breaker() if guarded else None
        permit = 0 if breaker is None else breaker.enter()
        try:
            await self._enter()
        except BaseException:
            if breaker is not None:
                breaker.leave(permit, answered=None)
            raise
        work = self._carry_out(operation, breaker, permit, limited=limited, ordinary=ordinary)
        if not self._is_motor and self._counter.suffices_for(self._in_use + self._ending):
            return await cancellable(work)
        task = asyncio.ensure_future(work)
        self._keep(task)
        left = deadline.seconds_left()
        try:
            # The driver's own limit of the making of a connection knows no deadline.
            async with asyncio.timeout(None if left is None else max(left, _LEAST) + BACKSTOP):
                return await asyncio.shield(task)
        except (asyncio.CancelledError, TimeoutError) as error:
            if task.done() and isinstance(error, TimeoutError):
                return task.result()
            stopped = self._stopped(task)
            if changes:
                await to_the_end(stopped)
            else:
                self._keep(asyncio.ensure_future(stopped))
            raise

    async def look(self) -> None:
        """Nothing, when the server answers; asked whatever the breaker says, which hears nothing of it.

        While there is no connection to ask on, what the driver hears by itself has to do.
        """
        if not self._permits.locked():
            _ = await self.call(lambda: self._client.admin.command("ping"), guarded=False)
        elif not self._client.nodes:
            raise ServerSelectionTimeoutError("no server is known to be there")

    async def command(self, *arguments: Any, **options: Any) -> Mapping[str, Any]:
        """The answer to a command on the `admin` database."""
        return cast(
            "Mapping[str, Any]",
            await self.call(lambda: self._client.admin.command(*arguments, **options)),
        )

    async def create_index(self, collection: str, paths: Sequence[str], options: Mapping[str, Any]) -> None:
        """Create an index on *paths* unless it is there."""
        keys = [(path, pymongo.ASCENDING) for path in paths]
        _ = await self.call(lambda: self.collection(collection).create_index(keys, **options), changes=True)

    async def collections(self) -> list[Mapping[str, Any]]:
        """What the server says about each collection."""

        async def read() -> list[Mapping[str, Any]]:
            cursor = await _settled(self._database.list_collections())
            return cast("list[Mapping[str, Any]]", await cursor.to_list(None))

        return await self.call(read)

    async def indexes(self, collection: str) -> list[Mapping[str, Any]]:
        """What the server says about each index of *collection*."""

        async def read() -> list[Mapping[str, Any]]:
            cursor = await _settled(self.collection(collection).list_indexes())
            return cast("list[Mapping[str, Any]]", await cursor.to_list(None))

        return await self.call(read)

    async def cursor(
        self, collection: str, pipeline: Sequence[Mapping[str, Any]], size: int, session: Any = None
    ) -> Parts:
        """What *pipeline* answers, in parts of *size* documents."""

        async def begin() -> Any:
            return await _settled(
                self.collection(collection).aggregate(
                    pipeline, session=session, allowDiskUse=True, batchSize=size
                )
            )

        begun = await self.call(begin, changes=session is not None, limited=False)
        return Parts(self.call, self.end, begun, size, in_transaction=session is not None)

    async def begin(self) -> Any:
        """A session with a transaction in it. Nothing is sent yet."""
        session = await _settled(self._client.start_session())
        await _settled(session.start_transaction(write_concern=WriteConcern("majority")))
        return session

    async def commit(self, session: Any) -> None:
        """Commit the transaction of *session*. Asking again after silence does no harm."""
        await self.call(session.commit_transaction, changes=True)

    async def discard(self, session: Any) -> None:
        """Undo what *session* has not committed, and let it go, also when the task is cancelled."""
        await self.end(session.end_session)

    async def end(self, operation: Callable[[], Awaitable[Any]]) -> None:
        """Carry out *operation*, which lets something go on the server, also when the task is cancelled."""
        await to_the_end(self._end(operation))

    async def close(self) -> None:
        """Give back every connection."""
        if self._left:
            _ = await asyncio.wait(self._left, timeout=ABORT_LIMIT)
        if self._lines is not None:
            await self._lines.close()
        # What looks for a server, on a connection of its own, is not to be given up while it is half made.
        if not self._is_motor and not self._client.topology_description.has_writable_server():
            await asyncio.sleep(_GLANCE)
        await _settled(self._client.close())

    async def _end(self, operation: Callable[[], Awaitable[Any]]) -> None:
        # Nobody can do anything about a failure: the server gives up what is left after a while.
        self._ending += 1
        try:
            with contextlib.suppress(PyMongoError, TimeoutError):
                async with asyncio.timeout(ABORT_LIMIT):
                    if self._lines is not None:
                        await self._lines.make_room()
                    await operation()
        finally:
            self._ending -= 1

    async def _enter(self) -> None:
        if self._permits.locked():
            me = object()
            self._line.join(me)
            try:
                async with asyncio.timeout(deadline.within(self.options.pool_timeout)):
                    _ = await self._permits.acquire()
                self._line.serve(me)
            except TimeoutError:
                raise PoolExhausted from None
            finally:
                self._line.leave(me)
        else:
            _ = await self._permits.acquire()
        self._in_use += 1

    async def _carry_out(
        self,
        operation: Callable[[], Awaitable[T]],
        breaker: Breaker | None,
        permit: int,
        *,
        limited: bool,
        ordinary: bool,
    ) -> T:
        answered: bool | None = None
        begun = 0.0 if breaker is None or breaker.slow_after is None else time.monotonic()
        try:
            if ordinary and self._lines is not None:
                await self._lines.make_way()
            answer = await (self._limited(operation) if limited else operation())
            answered = True
        except PyMongoError as error:
            answered = has_answered(error)
            raise
        except TimeoutError:
            answered = False
            raise
        finally:
            self._in_use -= 1
            self._permits.release()
            if breaker is not None:
                breaker.leave(permit, answered=answered, slow=_is_slow(begun, breaker.slow_after))
        return answer

    async def _limited(self, operation: Callable[[], Awaitable[T]]) -> T:
        limit = self.options.statement_timeout
        left = deadline.seconds_left()
        if left is None or left >= limit:
            with pymongo.timeout(limit):
                return await operation()
        # The server is told of what is left; where it is not, there is an end all the same.
        with pymongo.timeout(max(left, _LEAST)):
            async with asyncio.timeout(max(left, _LEAST) + BACKSTOP):
                return await operation()

    async def _stopped(self, task: "asyncio.Future[Any]") -> None:
        """Wait until *task*, which nobody waits for any more, does nothing any more."""
        if not self._is_motor:
            # A connection that is given up half made is lost; made to its end, it serves the next one.
            until = time.monotonic() + self.options.connect_timeout
            while self._counter.connecting and not task.done() and time.monotonic() < until:
                _ = await asyncio.wait([task], timeout=_GLANCE)
            _ = task.cancel()
        _ = await asyncio.wait([task])

    def _keep(self, task: "asyncio.Future[Any]") -> None:
        self._left.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: "asyncio.Future[Any]") -> None:
        self._left.discard(task)
        # Looked at, so that nobody is told it went unseen.
        _ = task.cancelled() or task.exception()


def _is_slow(begun: float, limit: float | None) -> bool:
    """Whether what has *begun* took longer than *limit*, and has an end: what has none is long by design."""
    return limit is not None and time.monotonic() - begun > limit and deadline.seconds_left() is not None


def _make(address: Address, options: ConnectionOptions, counter: ConnectionCounter) -> Any:
    arguments: dict[str, Any] = {
        **({} if _says(address.url, "appname") else {"appname": "fastapi_easy"}),
        "maxPoolSize": options.pool_size,
        "waitQueueTimeoutMS": _milliseconds(options.pool_timeout),
        "connectTimeoutMS": _milliseconds(options.connect_timeout),
        "serverSelectionTimeoutMS": _milliseconds(options.connect_timeout),
        "socketTimeoutMS": _milliseconds(options.statement_timeout + BACKSTOP),
        "maxIdleTimeMS": options.recycle * 1000,
        "event_listeners": [counter],
    }
    if address.driver == "motor":
        return importlib.import_module("motor.motor_asyncio").AsyncIOMotorClient(address.url, **arguments)
    return pymongo.AsyncMongoClient(address.url, **arguments)


def _says(url: str, option: str) -> bool:
    return any(name.lower() == option for name, _ in parse_qsl(urlsplit(url).query))


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


async def _settled(answer: Any) -> Any:
    """What a call of the driver comes to: some give it at once, some have to be awaited."""
    return await answer if inspect.isawaitable(answer) else answer
