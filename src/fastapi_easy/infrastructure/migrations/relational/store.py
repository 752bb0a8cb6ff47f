"""The stored schema of one relational database, and its ledger.

What migrates is imported by whoever begins a session: a start that has nothing to do does without.
"""
# ruff: noqa: PLC0415 (the reason is above)

import asyncio
import contextlib
import errno
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from returns.result import Failure, Success
from sqlalchemy import URL, Connection, inspect

from fastapi_easy.domain.errors import Error, Outcome
from fastapi_easy.domain.migrations.change import Change, Dialect
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.risk import Statistics
from fastapi_easy.domain.migrations.run import History
from fastapi_easy.domain.migrations.step import Effect, Step
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.schema_store import Draft, MigrationSession, StoredSchema
from fastapi_easy.infrastructure.migrations.relational.connections import MigrationConnections, snapshot
from fastapi_easy.infrastructure.migrations.relational.failures import (
    Refused,
    StatementFailed,
    answered,
    failure_of,
)
from fastapi_easy.infrastructure.migrations.relational.ledger import Ledger
from fastapi_easy.infrastructure.migrations.relational.tools import Compile, SchemaTools
from fastapi_easy.infrastructure.relational.catalogue.declared_tables import DeclaredTables
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS
from fastapi_easy.infrastructure.relational.system_tables.own_tables import UNTRACKED, is_own

__all__ = ["RelationalSchemaStore"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What differs between the stored schema and the declared one.

    Attributes:
        stored: What there is.

        declared: The checksum of what there should be.

        detected: The differences, as `Detected`.

        steps: What carries them out.

        compile: Makes steps of some of them.
    """

    stored: StoredSchema
    declared: str
    detected: Sequence[Any]
    steps: tuple[Step, ...]
    compile: Compile


_ERRORS: Final = (*DATABASE_ERRORS, StatementFailed, Refused)


class RelationalSchemaStore:
    """Implements `SchemaStore` on SQLite, PostgreSQL, MySQL and MariaDB.

    It has an engine of its own, without limits of time, and a connection for each piece of work.

    Args:
        name: The name of the database in the settings.

        url: With its driver, and not through a pooler in transaction mode.

        declared: Returns the schema that the database should have; it may ask the server.

        tools: What knows this kind of database.

        clock: Tells the times that are recorded.

        scratch: The database is thrown away at the end, and nobody but this process knows it.
    """

    def __init__(
        self,
        name: str,
        url: URL,
        declared: Callable[[Connection], DeclaredTables],
        tools: SchemaTools,
        clock: Clock,
        *,
        scratch: bool = False,
    ) -> None:
        self._name = name
        self._declared = declared
        self._tools = tools
        self._clock = clock
        self._scratch = scratch
        self._connections = MigrationConnections(url, scratch=scratch)
        self._locks: Any = None

    @property
    def name(self) -> str:
        """The name of the database in the settings."""
        return self._name

    @property
    def dialect(self) -> Dialect:
        """The kind of database; MariaDB is `mysql` too."""
        return self._connections.server

    async def is_empty(self) -> Outcome[bool]:
        """Return whether there is no table but the system's own."""
        return await self._read(_is_empty)

    async def declared(self) -> Outcome[str]:
        """Return the checksum of the declared schema, without looking at the stored one."""
        return await self._read(
            lambda connection: self._tools.checksum(self._declared(connection), connection.dialect)
        )

    async def describe(self) -> Outcome[StoredSchema]:
        """Describe the stored schema, without the ledger."""
        return await self._read(self.describe_on)

    async def draft(self, hints: Hints) -> Outcome[Draft]:
        """Compare the stored schema with the declared one, and return the steps from one to the other."""

        def draft(_: Connection, comparison: Comparison) -> Draft:
            return Draft(stored=comparison.stored, declared=comparison.declared, steps=comparison.steps)

        return await self.compare(hints, draft)

    async def compare(self, hints: Hints, then: Callable[[Connection, Comparison], T]) -> Outcome[T]:
        """Compare the stored schema with the declared one, and return what *then* makes of it."""

        def work(connection: Connection, created: frozenset[str]) -> T:
            declared = self._declared(connection)
            stored = self.describe_on(connection)
            detected = self._tools.detect(connection, declared, hints, created)
            comparison = Comparison(
                stored=stored,
                declared=self._tools.checksum(declared, connection.dialect),
                detected=detected,
                steps=tuple(self._tools.compile(connection, detected, hints)),
                compile=self._tools.compile,
            )
            return then(connection, comparison)

        async def ask() -> T:
            async with self._connections.open_reader() as connection:
                created = await Ledger(connection, self._name).created_tables()
            return await self._connections.read(
                lambda connection: work(connection, created), shows_tables=True
            )

        return await self._answer(ask)

    async def ask(self, work: Callable[[Connection], T]) -> Outcome[T]:
        """Return what *work* answers on a connection that writes nothing but temporary tables."""
        return await self._answer(lambda: self._connections.read(work, shows_tables=True))

    def describe_on(self, connection: Connection) -> StoredSchema:
        """Describe the stored schema, without the ledger."""
        return self._tools.describe(connection, UNTRACKED)

    async def measure(self, changes: Sequence[Change], questions: Sequence[str]) -> Outcome[Statistics]:
        """Answer *questions* about the data; what takes too long stays unknown."""
        return await self._read(lambda connection: self._tools.measure(connection, changes, questions))

    async def probe(self, step: Step) -> Outcome[Effect]:
        """Look for the effect of *step*."""
        return await self._read(lambda connection: self._tools.find_effect(connection, step.probe))

    async def history(self) -> Outcome[History]:
        """Read the ledger; one that does not exist is empty, and is not created."""

        async def ask() -> History:
            async with (
                self._connections.open_reader() as connection,
                snapshot(connection, self._connections.server),
            ):
                return await Ledger(connection, self._name).history()

        return await self._answer(ask)

    @contextlib.asynccontextmanager
    async def session(self, owner: str, wait: float) -> AsyncIterator[Outcome[MigrationSession]]:
        """Hold the lock of migrations for the duration of the block.

        Args:
            owner: Who asks for it.

            wait: Seconds to wait for another process at most; it is polled.

        Yields:
            The session, or `LockHeld` with the name of who holds it, or `Unavailable`.
        """
        async with contextlib.AsyncExitStack() as stack:
            yield await self._session(stack, owner, wait)

    async def _session(
        self, stack: contextlib.AsyncExitStack, owner: str, wait: float
    ) -> Outcome[MigrationSession]:
        from fastapi_easy.infrastructure.migrations.relational.locking import MigrationLocks
        from fastapi_easy.infrastructure.migrations.relational.session import RelationalSession

        if self._locks is None:
            self._locks = MigrationLocks(self._connections, self._name, self._clock, scratch=self._scratch)
        try:
            held = await stack.enter_async_context(self._locks.hold(owner, wait))
            if isinstance(held, Failure):
                return held
            async with self._connections.open_reader() as connection:
                ledger = Ledger(connection, self._name)
                # After the lock was got: whoever has begun since then has taken it away.
                seen = (await ledger.state()).epoch if await ledger.exists() else 0
        except _ERRORS as error:
            failed: Error = failure_of(error, self._name)
            return Failure(failed)
        return Success(
            RelationalSession(
                self._connections,
                database=self._name,
                lock=held.unwrap(),
                seen=seen,
                tools=self._tools,
                clock=self._clock,
            )
        )

    async def backup(self) -> Outcome[str]:
        """Copy the file of the database, and return where the copy is; an empty text where there is no file to copy.

        Fails with:
            MigrationStopped: There is not enough free space, or it cannot be copied.
        """
        back_up, file = self._tools.back_up, self._connections.file
        if back_up is None or self._scratch or self.dialect != "sqlite":
            return Success("")

        async def copy() -> str:
            if not await asyncio.to_thread(file.exists):
                # A database that is still to be created.
                return ""
            try:
                return str(await asyncio.to_thread(back_up, file))
            except OSError as error:
                stop = MigrationStop.NO_SPACE if error.errno == errno.ENOSPC else MigrationStop.FAILED
                raise Refused(MigrationStopped(self._name, stop, f"no backup was made: {error}")) from error

        return await self._answer(copy)

    async def close(self) -> None:
        """Give back every connection. Twice does nothing."""
        await self._connections.close()

    async def _read(self, work: Callable[[Connection], T]) -> Outcome[T]:
        return await self._answer(lambda: self._connections.read(work))

    async def _answer(self, work: Callable[[], Awaitable[T]]) -> Outcome[T]:
        """Return what *work* returns; what the database, or a tool, refuses is an outcome too."""

        async def ask() -> Outcome[T]:
            try:
                return Success(await work())
            except tuple(self._tools.refusals) as error:
                stop = self._tools.stop_of(error)
                if stop is None:
                    raise
                return Failure(MigrationStopped(self._name, stop, str(error)))

        return await answered(ask, self._name)


def _is_empty(connection: Connection) -> bool:
    names = inspect(connection).get_table_names()
    return all(map(is_own, names))
