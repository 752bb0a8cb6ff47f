"""The stored schema of one database: compared with the declared one, changed step by step, with a ledger beside it."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.change import Change, Dialect
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.risk import Statistics
from fastapi_easy.domain.migrations.run import History, Run, RunState, StepState
from fastapi_easy.domain.migrations.step import Effect, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSchema:
    """What a database holds, beside its data.

    Attributes:
        fingerprint: The SHA-256 of its canonical form; the system's own ledger is left out.

        server_version: As the server spells it.

        version: Its numbers.

        is_mariadb: Whether it is MariaDB.

        is_empty: Whether there is no table, or collection, but the system's own.

        unfinished: What half-finished changes have left: invalid indexes, constraints that were not validated. Each a
            sentence.
    """

    fingerprint: str
    server_version: str
    version: tuple[int, ...] = ()
    is_mariadb: bool = False
    is_empty: bool = False
    unfinished: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The steps from the stored schema to the declared one, not assessed yet.

    Attributes:
        stored: The stored schema that was looked at.

        declared: The checksum of the declared schema.

        steps: In an order in which they can be executed; their risk and findings are still to be filled in.
    """

    stored: StoredSchema
    declared: str
    steps: tuple[Step, ...]


class MigrationSession(Protocol):
    """The lock of one migrating process on one database, and what may be done under it."""

    @property
    def epoch(self) -> int:
        """The fencing number: a step of an older session changes nothing."""
        ...

    async def verify(self) -> Outcome[None]:
        """Ask whether the lock is still held.

        Fails with:
            LockLost: It is not.

            Unavailable: The database does not answer.
        """
        ...

    async def begin(self, plan: MigrationPlan, run: Run) -> Outcome[Run]:
        """Record that *run* of *plan* begins, with every step pending; the ledger is created if there is none.

        Fails with:
            LockLost: A newer session has the lock.

            MigrationStopped: Another plan was applied after the parent of *plan*.
        """
        ...

    async def adopt(self, run: Run) -> Outcome[Run]:
        """Record that this session goes on with *run*, which another one has begun."""
        ...

    async def execute(self, run: Run, index: int, step: Step, *, reverse: bool = False) -> Outcome[int]:
        """Execute step *index* of *run* and record it: in one transaction where the step has one.

        A step that is recorded as done is not executed again. Backfills go on where they were.

        Args:
            run: As it was begun or adopted.

            index: The place of the step.

            step: Its statements.

            reverse: Execute what undoes it, and record it as reversed.

        Returns:
            The number of rows that were changed, as far as the server says.

        Fails with:
            LockLost: A newer session has the lock; nothing was changed.

            LockHeld: Another statement holds a lock on the table for too long; nothing was changed, try again.

            MigrationStopped: A statement failed; what the error says of the state is recorded.

            Unavailable: The connection failed. Whether a step without transaction took effect is for `probe` to say.
        """
        ...

    async def mark(self, run: Run, index: int, state: StepState, *, error: str = "") -> Outcome[None]:
        """Record *state* of step *index* without executing it."""
        ...

    async def finish(self, run: Run, state: RunState, *, declared: str = "", error: str = "") -> Outcome[Run]:
        """Record the end of *run*; after `APPLIED` its plan is the head, after `ROLLED_BACK` its parent is again."""
        ...


@runtime_checkable
class SchemaStore(Protocol):
    """The stored schema of one database and its ledger. Nothing but a session writes."""

    @property
    def name(self) -> str:
        """The name of the database in the settings."""
        ...

    @property
    def dialect(self) -> Dialect:
        """The kind of database."""
        ...

    async def is_empty(self) -> Outcome[bool]:
        """Return whether there is no table, or collection, but the system's own. Quick."""
        ...

    async def declared(self) -> Outcome[str]:
        """Return the checksum of the declared schema, without looking at the stored one."""
        ...

    async def describe(self) -> Outcome[StoredSchema]:
        """Describe the stored schema."""
        ...

    async def draft(self, hints: Hints) -> Outcome[Draft]:
        """Compare the stored schema with the declared one, and return the steps from one to the other."""
        ...

    async def measure(self, changes: Sequence[Change], questions: Sequence[str]) -> Outcome[Statistics]:
        """Answer *questions* about the data, each within its own time limit; what takes too long stays unknown."""
        ...

    async def probe(self, step: Step) -> Outcome[Effect]:
        """Look for the effect of *step*."""
        ...

    async def history(self) -> Outcome[History]:
        """Read the ledger; one that does not exist is empty, and is not created."""
        ...

    def session(self, owner: str, wait: float) -> AbstractAsyncContextManager[Outcome[MigrationSession]]:
        """Hold the lock of migrations for the duration of the block, and raise the fencing number.

        Args:
            owner: Who asks for it.

            wait: Seconds to wait for another process at most; it is polled.

        Yields:
            The session, or `LockHeld` with the name of who holds it, or `Unavailable`.
        """
        ...

    async def backup(self) -> Outcome[str]:
        """Copy the database before something is deleted or rebuilt, and return where the copy is.

        Only embedded databases do so; for others it returns an empty text.

        Fails with:
            MigrationStopped: There is not enough free space.
        """
        ...

    async def close(self) -> None:
        """Give back every connection. Twice does nothing."""
        ...
