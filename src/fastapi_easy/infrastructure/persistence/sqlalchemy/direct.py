"""Statements handed to the driver itself, past SQLAlchemy's execution: half the time of a short read."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Executable
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import StatementError

from fastapi_easy.infrastructure.persistence.sqlalchemy.compiled import Compiled, Incompilable
from fastapi_easy.infrastructure.persistence.sqlalchemy.executor import Answer, Executor, Parameters
from fastapi_easy.infrastructure.persistence.sqlalchemy.pool import Channel
from fastapi_easy.infrastructure.persistence.sqlalchemy.refusals import refusal_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectExecutor(Executor):
    """Runs statements on the driver's own connections.

    What only SQLAlchemy can run, which is a statement for many rows at once, goes its way.
    """

    async def run(self, channel: Channel, statement: Executable, parameters: Parameters) -> Answer:
        """The answer to *statement* on *channel*."""
        compiled = self._compiled(statement) if isinstance(parameters, dict) else None
        if compiled is None or not isinstance(parameters, dict):
            return await Executor.run(self, channel, statement, parameters)
        try:
            words, arguments = compiled.bound(parameters)
        except (ValueError, ArithmeticError) as error:
            raise StatementError("a value cannot be sent", None, None, error) from error
        sent = _MANNERS[self.engine.dialect.driver].send(channel.driver, compiled, words, arguments)
        try:
            is_free = self.patience is None and not self.finishes and not self.hurries
            return await (sent if is_free else self.bounded(sent))
        except BaseException as error:
            refusal = refusal_of(channel.connection, error)
            if refusal is error:
                raise
            raise refusal from error

    async def say(self, channel: Channel, words: str) -> None:
        """Say *words*, which are answered with nothing."""
        try:
            await self.bounded(_MANNERS[self.engine.dialect.driver].say(channel.driver, words))
        except BaseException as error:
            refusal = refusal_of(channel.connection, error)
            if refusal is error:
                raise
            raise refusal from error

    def _compiled(self, statement: Executable) -> Compiled | None:
        # Kept on the statement, as SQLAlchemy does with what it finds out about one: they go together.
        kept, dialect = vars(statement), self.engine.dialect
        found: tuple[Dialect, Compiled | None] | None = kept.get(_KEPT)
        if found is not None and found[0] is dialect:
            return found[1]
        try:
            compiled = Compiled(statement, dialect)
        except Incompilable:
            compiled = None
        kept[_KEPT] = dialect, compiled
        return compiled


_KEPT: Final = "_fastapi_easy_compiled"


async def _asyncpg(driver: Any, compiled: Compiled, words: str, arguments: tuple[Any, ...]) -> Answer:
    if compiled.returns:
        records = await driver.fetch(words, *arguments)
        return Answer(records, len(records), None, compiled)
    # Like "UPDATE 3", or "INSERT 0 3".
    status = await driver.execute(words, *arguments)
    return Answer((), int(status.rpartition(" ")[2]) if status[-1:].isdigit() else -1)


async def _aiosqlite(driver: Any, compiled: Compiled, words: str, arguments: tuple[Any, ...]) -> Answer:
    if compiled.returns:
        records = await driver.execute_fetchall(words, arguments)
        return Answer(records, len(records), None, compiled)
    cursor = await driver.execute(words, arguments)
    answer = Answer((), cursor.rowcount, compiled.key(cursor.lastrowid))
    await cursor.close()
    return answer


async def _mysql(driver: Any, compiled: Compiled, words: str, arguments: tuple[Any, ...]) -> Answer:
    async with driver.cursor() as cursor:
        _ = await cursor.execute(words, arguments)
        if compiled.returns:
            records = await cursor.fetchall()
            return Answer(records, len(records), None, compiled)
        return Answer((), cursor.rowcount, compiled.key(cursor.lastrowid))


async def _said_to_asyncpg(driver: Any, words: str) -> None:
    _ = await driver.execute(words)


async def _said_to_aiosqlite(driver: Any, words: str) -> None:
    # Closed there and then: a cursor of its own would cost two more trips to the thread.
    _ = await driver.execute_fetchall(words)


async def _said_to_mysql(driver: Any, words: str) -> None:
    async with driver.cursor() as cursor:
        _ = await cursor.execute(words)


@dataclass(frozen=True, slots=True)
class _Manner:
    """How to speak to one driver.

    Attributes:
        send: A statement with its arguments.

        say: Words that are answered with nothing.
    """

    send: Callable[[Any, Compiled, str, tuple[Any, ...]], Coroutine[Any, Any, Answer]]
    say: Callable[[Any, str], Coroutine[Any, Any, None]]


_MANNERS: Final = {
    "asyncpg": _Manner(_asyncpg, _said_to_asyncpg),
    "aiosqlite": _Manner(_aiosqlite, _said_to_aiosqlite),
    "asyncmy": _Manner(_mysql, _said_to_mysql),
    "aiomysql": _Manner(_mysql, _said_to_mysql),
}

DRIVERS: Final = frozenset(_MANNERS)
"""The drivers that are known here."""
