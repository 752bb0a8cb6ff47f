"""How statements reach the database.

The seam: what is above hands over a statement and its values and gets plain rows back. A way around
SQLAlchemy's execution needs another `Executor` and nothing else.
"""

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol, TypeAlias, TypeVar

from sqlalchemy import Connection, Engine, Executable
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.util import greenlet_spawn

from fastapi_easy.domain import deadline
from fastapi_easy.infrastructure.relational.driver.driver_exceptions import refusal_of
from fastapi_easy.infrastructure.relational.driver.error_classification import is_outdated
from fastapi_easy.infrastructure.relational.driver.pool import Channel, ConnectionPool
from fastapi_easy.infrastructure.relational.options import BACKSTOP
from fastapi_easy.infrastructure.waiting.completion import to_the_end

Parameters: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]]

T = TypeVar("T")


class Reading(Protocol):
    """Knows what the values of an answer are to become."""

    @property
    def texts(self) -> Mapping[int, Callable[[str], Any]]:
        """The places of values that the driver gives as the server spells them, and what reads each."""
        ...

    def rows(self, records: Sequence[Sequence[Any]], *, keeps_texts: bool = False) -> Sequence[Sequence[Any]]:
        """*records*, as the driver gave them, with values of the types that were declared.

        Args:
            records: As the driver gave them.

            keeps_texts: What is in `texts` stays text.
        """
        ...


class Answer(NamedTuple):
    """What a statement gave back.

    Attributes:
        records: Plain rows, in the order of the statement's columns, as the driver gave them.

        affected: How many rows it reached, for a write.

        key: The key the database made, for an insert that cannot return rows.

        reading: What the values are to become; `None` when that was seen to.
    """

    records: Sequence[Sequence[Any]]
    affected: int = -1
    key: tuple[Any, ...] | None = None
    reading: Reading | None = None

    @property
    def rows(self) -> Sequence[Sequence[Any]]:
        """Plain rows, in the order of the statement's columns."""
        return self.records if self.reading is None else self.reading.rows(self.records)

    @property
    def texts(self) -> Mapping[int, Callable[[str], Any]]:
        """The places of the values that `unread` leaves as texts, and what reads each."""
        return _NONE if self.reading is None else self.reading.texts

    @property
    def unread(self) -> Sequence[Sequence[Any]]:
        """As `rows`, but without reading `texts`."""
        return self.records if self.reading is None else self.reading.rows(self.records, keeps_texts=True)


_NONE: Final[Mapping[int, Callable[[str], Any]]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Executor:
    """Runs statements through SQLAlchemy Core.

    Attributes:
        engine: In autocommit.

        pool: Its connections.

        patience: Seconds after which the client gives up on a statement; `None` where the driver sees to it.

        aborts: A statement that fails makes the rest of its transaction fail.

        finishes: A statement cannot be given up once it has begun, as on SQLite, whose work is done in a thread
            here; a cancelled call waits for its end.

        hurry: When the caller has fewer seconds left than this, the usual limits of statements are too long.
    """

    engine: Engine
    pool: ConnectionPool
    patience: float | None
    aborts: bool
    finishes: bool
    hurry: float = -math.inf

    @property
    def opening(self) -> str:
        """The words that begin a transaction."""
        match self.engine.dialect.name:
            case "sqlite":
                return "BEGIN IMMEDIATE"
            case "postgresql" if self.engine.dialect.driver == "asyncpg" and self.hurries:
                # The server's own limit leaves the connection in one piece.
                return f"BEGIN; SET LOCAL statement_timeout = {max(1, round(self.left * 1000))}"
            case _:
                return "BEGIN"

    @property
    def left(self) -> float:
        """Seconds that a statement may take, of a caller who hurries."""
        return deadline.within(self.hurry)

    @property
    def hurries(self) -> bool:
        """Whether the caller has less time left than statements usually have."""
        left = deadline.seconds_left()
        return left is not None and left < self.hurry

    async def read(self, statement: Executable, parameters: Parameters) -> Answer:
        """The answer to *statement*, which only reads, on a connection of its own, which may turn out stale once."""
        is_stale = False
        while True:
            channel = await self.pool.take()
            try:
                answer = await self.run(channel, statement, parameters)
            except BaseException as error:
                self.let_go(channel, error)
                if is_stale or not (isinstance(error, DBAPIError) and _may_be_stale(error)):
                    raise
                is_stale = True
            else:
                self.pool.give_back(channel, single=True)
                return answer

    async def look(self) -> None:
        """Nothing, when the database answers; asked before everybody who waits, and whatever the breaker says."""
        channel = await self.pool.take_first()
        try:
            await self.say(channel, "SELECT 1")
        except BaseException as error:
            self.let_go(channel, error)
            raise
        self.pool.give_back(channel)

    async def run(self, channel: Channel, statement: Executable, parameters: Parameters) -> Answer:
        """The answer to *statement* on *channel*."""
        try:
            return await self.spawn(_run, channel.connection, statement, parameters)
        except OverflowError as error:
            raise refusal_of(channel.connection, error) from error

    async def say(self, channel: Channel, words: str) -> None:
        """Say *words*, which are answered with nothing."""
        _ = await self.spawn(channel.connection.exec_driver_sql, words)

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator[Connection]:
        """A connection of its own, for one statement that somebody else runs on it."""
        channel = await self.pool.take()
        try:
            yield channel.connection
        except BaseException as error:
            self.let_go(channel, error)
            raise
        self.pool.give_back(channel)

    async def work(self, function: Callable[[Connection], T]) -> T:
        """What *function* answers, given a connection of its own, through SQLAlchemy."""
        async with self.alone() as connection:
            return await self.spawn(function, connection)

    def let_go(self, channel: Channel, error: BaseException) -> None:
        """Give *channel* back if it can still be used after *error*."""
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            self.pool.suspect()
            self.pool.throw_away(channel, error)
        elif isinstance(error, SQLAlchemyError) or self.finishes:
            self.pool.give_back(channel)
        else:
            # The answer that nobody waits for may still come.
            self.pool.throw_away(channel, error)

    async def spawn(self, function: Callable[..., T], /, *arguments: Any) -> T:
        """*function*, which talks to the database, within the time a statement may take."""
        return await self.bounded(greenlet_spawn(function, *arguments))

    async def bounded(self, work: Coroutine[Any, Any, T]) -> T:
        """What *work* answers, which talks to the database, within the time a statement may take."""
        if self.finishes:
            # A half-read cursor would keep the lock on the file, even though its connection was closed.
            return await to_the_end(work)
        patience = self.patience
        if self.hurries:
            patience = self.left + BACKSTOP
        if patience is None:
            return await work
        async with asyncio.timeout(patience):
            return await work


def _may_be_stale(error: DBAPIError) -> bool:
    return error.connection_invalidated or is_outdated(error)


def _run(connection: Connection, statement: Executable, parameters: Any) -> Answer:
    result = connection.execute(statement, parameters)
    if result.returns_rows:
        rows = result.all()
        return Answer(rows, len(rows))
    affected = result.rowcount
    if result.context.isinsert and not result.context.executemany:
        made = result.inserted_primary_key
        return Answer((), affected, None if made is None else tuple(made))
    return Answer((), affected)
