"""Statements handed to the driver itself, past SQLAlchemy's execution: half the time of a short read."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Executable
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import SQLAlchemyError, StatementError

from fastapi_easy.infrastructure.relational.driver.compiled import Compiled, Incompilable
from fastapi_easy.infrastructure.relational.driver.driver_exceptions import refusal_of
from fastapi_easy.infrastructure.relational.driver.executor import Answer, Executor, Parameters
from fastapi_easy.infrastructure.relational.driver.pool import Channel
from fastapi_easy.infrastructure.relational.options import BACKSTOP


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
        manner, hurries = _MANNERS[self.engine.dialect.driver], self.hurries
        if hurries and manner.is_open is not None and not manner.is_open(channel.driver):
            return await self._in_a_hurry(channel, statement, parameters)
        if hurries and getattr(self.engine.dialect, "is_mariadb", False):
            words = f"SET STATEMENT max_statement_time = {max(_LEAST, self.left):.3f} FOR {words}"
        sent = manner.send(channel.driver, compiled, words, arguments)
        try:
            is_free = self.patience is None and not self.finishes and not hurries
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

    async def _in_a_hurry(self, channel: Channel, statement: Executable, parameters: Parameters) -> Answer:
        """The answer to *statement*, in a transaction alone because the server can be told of the hurry in one."""
        async with asyncio.timeout(self.left + BACKSTOP):
            await self.say(channel, self.opening)
            try:
                answer = await DirectExecutor.run(self, channel, statement, parameters)
            except SQLAlchemyError:
                if not channel.connection.invalidated:
                    await self.say(channel, "ROLLBACK")
                raise
            await self.say(channel, "COMMIT")
        return answer

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


_LEAST: Final = 0.001
"""Seconds; with none there would be no limit."""

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

        is_open: Whether a connection is in a transaction, where what is said at its beginning limits its statements.
    """

    send: Callable[[Any, Compiled, str, tuple[Any, ...]], Coroutine[Any, Any, Answer]]
    say: Callable[[Any, str], Coroutine[Any, Any, None]]
    is_open: Callable[[Any], bool] | None = None


_MANNERS: Final = {
    "asyncpg": _Manner(_asyncpg, _said_to_asyncpg, lambda driver: bool(driver.is_in_transaction())),
    "aiosqlite": _Manner(_aiosqlite, _said_to_aiosqlite),
    "asyncmy": _Manner(_mysql, _said_to_mysql),
    "aiomysql": _Manner(_mysql, _said_to_mysql),
}

DRIVERS: Final = frozenset(_MANNERS)
"""The drivers that are known here."""
