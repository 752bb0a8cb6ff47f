"""Statements handed to the driver itself, past SQLAlchemy's execution: half the time of a short read.

Connections are still SQLAlchemy's: its pool counts, greets, recycles and throws them away.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Executable
from sqlalchemy.exc import DBAPIError, StatementError

from fastapi_easy.infrastructure.persistence.sqlalchemy.compiled import Compiled, Incompilable
from fastapi_easy.infrastructure.persistence.sqlalchemy.complaints import is_outdated
from fastapi_easy.infrastructure.persistence.sqlalchemy.executor import Answer, Executor, Parameters
from fastapi_easy.infrastructure.persistence.sqlalchemy.refusals import Refusing

DRIVERS: Final = frozenset({"asyncpg", "asyncmy", "aiomysql", "aiosqlite"})
"""The drivers that are known here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectExecutor(Executor):
    """Runs statements on the driver's own connections.

    What only SQLAlchemy can run, which is a statement for many rows at once, goes its way.
    """

    _known: WeakKeyDictionary[Executable, Compiled | None] = dataclasses.field(
        default_factory=WeakKeyDictionary, init=False
    )

    async def read(self, statement: Executable, parameters: Parameters) -> Sequence[Sequence[Any]]:
        """The rows of *statement*, on a connection of its own, which may turn out stale once."""
        try:
            return await self._read_alone(statement, parameters)
        except DBAPIError as error:
            if not error.connection_invalidated and not is_outdated(error):
                raise
        return await self._read_alone(statement, parameters)

    async def run(self, connection: Connection, statement: Executable, parameters: Parameters) -> Answer:
        """The answer to *statement* on *connection*."""
        compiled = self._compiled(statement) if isinstance(parameters, Mapping) else None
        if compiled is None or not isinstance(parameters, Mapping):
            return await Executor.run(self, connection, statement, parameters)
        try:
            words, arguments = compiled.bound(parameters)
        except (ValueError, ArithmeticError) as error:
            raise StatementError("a value cannot be sent", None, None, error) from error
        with Refusing(connection):
            answer = await self.bounded(_send(connection, compiled, words, arguments))
        return answer._replace(rows=compiled.rows(answer.rows))

    async def _read_alone(self, statement: Executable, parameters: Parameters) -> Sequence[Sequence[Any]]:
        async with self.alone() as connection:
            return (await self.run(connection, statement, parameters)).rows

    def _compiled(self, statement: Executable) -> Compiled | None:
        try:
            return self._known[statement]
        except KeyError:
            pass
        try:
            compiled = Compiled(statement, self.engine.dialect)
        except Incompilable:
            compiled = None
        self._known[statement] = compiled
        return compiled


async def _send(connection: Connection, compiled: Compiled, words: str, arguments: tuple[Any, ...]) -> Answer:
    driver: Any = connection.connection.driver_connection
    match connection.dialect.driver:
        case "asyncpg" if compiled.returns:
            records = await driver.fetch(words, *arguments)
            return Answer(records, len(records))
        case "asyncpg":
            # Like "UPDATE 3", or "INSERT 0 3".
            status = await driver.execute(words, *arguments)
            return Answer((), int(status.rpartition(" ")[2]) if status[-1:].isdigit() else -1)
        case "aiosqlite" if compiled.returns:
            records = await driver.execute_fetchall(words, arguments)
            return Answer(records, len(records))
        case "aiosqlite":
            cursor = await driver.execute(words, arguments)
            answer = Answer((), cursor.rowcount, compiled.key(cursor.lastrowid))
            await cursor.close()
            return answer
        case _:
            async with driver.cursor() as cursor:
                _ = await cursor.execute(words, arguments)
                if compiled.returns:
                    records = await cursor.fetchall()
                    return Answer(records, len(records))
                return Answer((), cursor.rowcount, compiled.key(cursor.lastrowid))
