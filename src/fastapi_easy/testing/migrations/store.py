"""A `SchemaStore` in memory."""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from returns.result import Failure, Success

from fastapi_easy.domain.errors import LockHeld, Outcome
from fastapi_easy.domain.migrations.change import Change, Dialect
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.risk import UNKNOWN, Measured, Statistics, Unmeasured
from fastapi_easy.domain.migrations.run import History
from fastapi_easy.domain.migrations.step import Effect, Step, StepMode
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.schema_store import Draft, MigrationSession, StoredSchema
from fastapi_easy.testing.clock import FrozenClock
from fastapi_easy.testing.migrations.comparison import compare
from fastapi_easy.testing.migrations.database import HALF, InMemorySchema
from fastapi_easy.testing.migrations.session import InMemorySession


def _in_transaction(_: str) -> StepMode:
    return StepMode.TRANSACTION


class InMemorySchemaStore:
    """Implements `SchemaStore`: one process of several that migrate one `InMemorySchema`."""

    def __init__(
        self,
        declared: Mapping[str, str],
        schema: InMemorySchema | None = None,
        *,
        name: str = "default",
        dialect: Dialect = "postgresql",
        clock: Clock | None = None,
        mode_of: Callable[[str], StepMode] = _in_transaction,
        revise: Callable[[tuple[Step, ...]], tuple[Step, ...]] = lambda steps: steps,
    ) -> None:
        """Declare a schema.

        Args:
            declared: The definitions that the program declares, by name.

            schema: What is stored; a new and empty one if it is `None`.

            name: Of the database in the settings.

            dialect: The kind of database it stands for.

            clock: Tells the times that are recorded; one that stands still if it is `None`.

            mode_of: Returns how the step about an object is executed.

            revise: Returns other steps in the place of those that a comparison has found.
        """
        self.declared_objects = dict(declared)
        self.schema = InMemorySchema() if schema is None else schema
        self._name = name
        self._dialect = dialect
        self._clock = FrozenClock() if clock is None else clock
        self._mode_of = mode_of
        self._revise = revise

    @property
    def name(self) -> str:
        """Return the name of the database in the settings."""
        return self._name

    @property
    def dialect(self) -> Dialect:
        """Return the kind of database it stands for."""
        return self._dialect

    async def is_empty(self) -> Outcome[bool]:
        """Return whether nothing is stored."""
        await asyncio.sleep(0)
        return Success(not self.schema.objects)

    async def declared(self) -> Outcome[str]:
        """Return the checksum of the declared schema."""
        await asyncio.sleep(0)
        return Success(self._checksum())

    async def describe(self) -> Outcome[StoredSchema]:
        """Describe the stored schema."""
        await asyncio.sleep(0)
        schema = self.schema
        halves = [name for name, each in sorted(schema.objects.items()) if each.startswith(HALF)]
        return Success(
            StoredSchema(
                fingerprint=schema.fingerprint,
                server_version="1.0",
                version=(1, 0),
                is_empty=not schema.objects,
                unfinished=tuple(f"{name} is half made" for name in halves),
            )
        )

    async def draft(self, hints: Hints) -> Outcome[Draft]:
        """Compare the stored schema with the declared one."""
        described = await self.describe()
        if isinstance(described, Failure):
            return described
        renamed = {f"{old.partition('.')[0]}.{new}": old for old, new in hints.renamed_columns.items()}
        declared = {name: each for name, each in self.declared_objects.items() if name not in renamed}
        steps = self._revise(compare(self.schema.objects, declared, self._mode_of))
        return Success(Draft(stored=described.unwrap(), declared=self._checksum(), steps=steps))

    async def measure(self, changes: Sequence[Change], questions: Sequence[str]) -> Outcome[Statistics]:
        """Answer how many rows tables have, and what `InMemorySchema.answers` says."""
        await asyncio.sleep(0)
        return Success(Statistics({each: self._answer(each) for each in questions}))

    async def probe(self, step: Step) -> Outcome[Effect]:
        """Look for the object that *step* makes, changes or drops."""
        await asyncio.sleep(0)
        wanted = step.probe.wanted
        name = str(wanted.get("name", ""))
        if step.probe.kind != "object" or name in self.schema.unseen:
            return Success(Effect.UNKNOWN)
        stored = self.schema.objects.get(name)
        if step.probe.absent:
            return Success(Effect.APPLIED if stored is None else Effect.NOT_APPLIED)
        if stored is not None and stored.startswith(HALF):
            return Success(Effect.PARTIAL)
        return Success(Effect.APPLIED if stored == wanted.get("definition") else Effect.NOT_APPLIED)

    async def history(self) -> Outcome[History]:
        """Read the ledger."""
        await asyncio.sleep(0)
        return Success(self.schema.history)

    @asynccontextmanager
    async def session(self, owner: str, wait: float) -> AsyncIterator[Outcome[MigrationSession]]:
        """Hold the lock of migrations for the duration of the block."""
        schema = self.schema
        if not await self._acquire(owner, wait):
            yield Failure(LockHeld(f"migrations of {self._name}, held by {schema.holder}"))
            return
        session = InMemorySession(self._name, schema, owner, self._clock)
        schema.session = session
        try:
            yield Success(session)
        finally:
            async with schema.released:
                if schema.session is session:
                    schema.drop_lock()
                schema.released.notify_all()

    async def backup(self) -> Outcome[str]:
        """Copy the stored schema."""
        await asyncio.sleep(0)
        self.schema.backups.append(dict(self.schema.objects))
        return Success(f"copy {len(self.schema.backups)}")

    async def close(self) -> None:
        """Do nothing: nothing is open."""

    def _checksum(self) -> str:
        return hashlib.sha256(json.dumps(sorted(self.declared_objects.items())).encode()).hexdigest()

    async def _acquire(self, owner: str, wait: float) -> bool:
        schema = self.schema
        async with schema.released:
            if schema.holder and wait > 0:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        _ = await schema.released.wait_for(lambda: not schema.holder)
            if schema.holder:
                return False
            schema.holder = owner
            return True

    def _answer(self, question: str) -> Measured | Unmeasured:
        if question in self.schema.answers:
            return self.schema.answers[question]
        kind, _, table = question.partition(":")
        if kind == "rows" and table in self.schema.objects:
            return self.schema.rows.get(table, 0)
        return UNKNOWN
