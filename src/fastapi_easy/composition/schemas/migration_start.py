"""The start of a program whose database may have to be migrated."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property
from typing import Any, Final

from returns.result import Failure

from fastapi_easy.application.migrations.read_standing import ReadStandingHandler, Standing
from fastapi_easy.composition.answers import answer
from fastapi_easy.composition.application import Application
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.migration_required import MigrationRequired
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.policy import Approvals, MigrationPolicy
from fastapi_easy.domain.migrations.stopped import MigrationStopped
from fastapi_easy.domain.ports.database import Database, SchemaMode
from fastapi_easy.domain.ports.schema_store import SchemaStore

__all__ = ["MigrationStart"]

_logger: Final = logging.getLogger("fastapi_easy.migrations")

_POLL_SECONDS: Final = 0.5
"""Between two looks at a database that another process migrates."""


class MigrationStart:
    """The start of a program whose database may have to be migrated.

    Args:
        application: The program.

        database: The database.

        store: Its stored schema.

        find_differences: Returns where the program could not run with the stored schema.
    """

    def __init__(
        self,
        application: Application,
        database: Database,
        store: SchemaStore,
        find_differences: Callable[[SchemaMode], Awaitable[Sequence[str]]],
    ) -> None:
        self._application = application
        self._database = database
        self._store = store
        self._find_differences = find_differences
        self._wait = application.settings().migrations.wait

    @cached_property
    def _migrations(self) -> Any:
        # Imported by a start that has something to migrate; most only ask the ledger.
        from fastapi_easy.composition.schemas.migrations import make_migrations

        return make_migrations(self._application, self._database, self._store)

    async def _standing(self) -> Standing:
        return answer(self._database, await ReadStandingHandler(self._store)())

    async def wait_for_others(self, differences: Sequence[str]) -> None:
        """Let the program start if it can run; where another process migrates, wait for it."""
        for _ in range(max(1, round(self._wait / _POLL_SECONDS))):
            if not differences:
                return
            if await self._standing() is not Standing.RUNNING:
                break
            await asyncio.sleep(_POLL_SECONDS)
            differences = await self._find_differences(SchemaMode.CHECK)
        raise await self._required(differences)

    async def apply_safe(self, differences: Sequence[str]) -> None:
        """Apply what is safe; let the program start if it can run then."""
        if self._application.migration_rules():
            # Rules that have mistakes are found by every start.
            _ = self._migrations
        if await self._standing() is Standing.CURRENT and not differences:
            return
        answered = await self._migrations.apply_safe(wait=self._wait)
        if isinstance(answered, Failure) and isinstance(stopped := answered.failure(), MigrationStopped):
            raise self._stopped(stopped)
        applied = answer(self._database, answered)
        if not applied.rest and not applied.ahead and applied.run is None:
            # So that the next start need not compare: the ledger says that nothing is left to do.
            _ = await self._migrations.baseline(wait=self._wait, seen=applied.rest)
        left = await self._find_differences(SchemaMode.CHECK)
        if left:
            raise await self._required(left)
        if applied.rest:
            self._tell_of(applied.rest, applied.ahead)

    def _tell_of(self, rest: MigrationPlan, ahead: str) -> None:
        """Log what is left to do although the program can run without it."""
        steps = "; ".join(f"{each.summary} ({each.risk.value})" for each in rest.steps)
        _logger.warning(
            "database %r: the program runs, but the stored schema differs from the declared one: %s. %s",
            self._database.name,
            steps,
            ahead or f"A start leaves that alone; to have it done: {self._commands().apply(rest)}",
        )

    def _stopped(self, stopped: MigrationStopped) -> DeclarationError:
        """Return the error of a migration that was begun and cannot go on by itself."""
        look = self._commands().named("status")
        mistakes = [stopped.message, *stopped.details]
        if stopped.run_id:
            mistakes.append(f"a migration that was begun has not ended; {look} shows how far it is")
        return DeclarationError([f"database {self._database.name!r}: {each}" for each in mistakes])

    async def follow_scripts(self, policy: MigrationPolicy) -> None:
        """Bring the database to where the scripts lead, as far as *policy* says; let the program start if it can run.

        In an empty database nothing can be lost, so every script is applied, whatever it drops.
        """
        if answer(self._database, await self._store.is_empty()):
            anything = Approvals(frozenset({"dangerous", "destructive"}))
            _ = answer(self._database, await self._migrations.apply(approvals=anything, wait=self._wait))
        differences = await self._find_differences(SchemaMode.CHECK)
        if policy is MigrationPolicy.AUTO:
            await self.apply_safe(differences)
        else:
            await self.wait_for_others(differences)

    async def _required(self, differences: Sequence[str]) -> MigrationRequired:
        """Return the error that names what has to be done."""
        sentences = [f"database {self._database.name!r}: {each}" for each in differences]
        proposed = await self._commands().propose(self._migrations)
        if isinstance(proposed, Failure):
            return MigrationRequired(sentences)
        found = proposed.unwrap()
        return MigrationRequired(sentences, found.plan, found.command, found.notes)

    def _commands(self) -> Any:
        # Imported by those who have something to say; the command line is a library of its own.
        from fastapi_easy.composition.schemas.next_commands import NextCommands

        return NextCommands(self._application, self._database)
