"""What may be done while the lock of migrations is held."""

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, TypeVar

from returns.result import Failure, Success
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.run import Run, RunState, StepState
from fastapi_easy.domain.migrations.step import Step
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.infrastructure.migrations.relational.connections import MigrationConnections, transaction
from fastapi_easy.infrastructure.migrations.relational.execution import StepExecution
from fastapi_easy.infrastructure.migrations.relational.failures import (
    Refused,
    answered,
)
from fastapi_easy.infrastructure.migrations.relational.ledger import (
    Ledger,
    LedgerState,
    record_of,
)
from fastapi_easy.infrastructure.migrations.relational.locking import MigrationLock
from fastapi_easy.infrastructure.migrations.relational.tools import SchemaTools
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS
from fastapi_easy.infrastructure.relational.system_tables.own_tables import UNTRACKED

T = TypeVar("T")

_END_SECONDS: Final = 5.0
_ENDED: Final[frozenset[StepState]] = frozenset({StepState.DONE, StepState.SKIPPED, StepState.REVERSED})


class RelationalSession:
    """Implements `MigrationSession`.

    A session without anything to do writes nothing: it raises the fencing number when it first begins a run, or goes
    on with one.

    Args:
        connections: Where the database is.

        database: Its name in the settings.

        lock: The lock that is held.

        seen: The fencing number when the lock was got.

        tools: What knows the database.

        clock: Tells the times that are recorded.
    """

    def __init__(
        self,
        connections: MigrationConnections,
        *,
        database: str,
        lock: MigrationLock,
        seen: int,
        tools: SchemaTools,
        clock: Clock,
    ) -> None:
        self._connections = connections
        self._database = database
        self._lock = lock
        self._epoch = seen
        self._has_begun = False
        self._tools = tools
        self._clock = clock
        self._alone = asyncio.Lock()

    @property
    def epoch(self) -> int:
        """The fencing number: that of the session before until it has begun, or gone on with, a run."""
        return self._epoch

    async def verify(self) -> Outcome[None]:
        """Ask whether the lock is still held.

        Fails with:
            LockLost: It is not.

            Unavailable: The database does not answer.
        """
        return await answered(self._lock.verify, self._database)

    async def begin(self, plan: MigrationPlan, run: Run) -> Outcome[Run]:
        """Record that *run* of *plan* begins, with every step pending; the ledger is created if there is none.

        Fails with:
            LockLost: A newer session has the lock.

            LockHeld: An older one is still in the middle of a step.

            MigrationStopped: Another plan was applied after the parent of *plan*.
        """

        async def work(connection: AsyncConnection) -> Run:
            await self._create(connection)
            async with self._fenced(connection) as (ledger, state):
                if state.head != plan.parent:
                    raise Refused(await self._not_next(ledger, plan, state.head))
                begun = dataclasses.replace(
                    run,
                    plan_id=plan.id,
                    plan_checksum=plan.checksum,
                    parent=plan.parent,
                    source=plan.source,
                    revisions=plan.revisions,
                    state=RunState.RUNNING,
                    epoch=state.epoch,
                    schema_before=plan.schema_before,
                    finished_at=None,
                    steps=run.steps or tuple(record_of(index, step) for index, step in enumerate(plan.steps)),
                    error="",
                )
                await ledger.add_run(begun, plan)
            return begun

        return await self._write(work)

    async def adopt(self, run: Run) -> Outcome[Run]:
        """Record that this session goes on with *run*, for its owner and with its approvals.

        What is returned is what the ledger says of it now.

        Whatever an earlier session still executes is ended first, so that what is there can be seen.

        Fails with:
            LockLost: A newer session has the lock.

            LockHeld: A statement of an older one does not end.

            MigrationStopped: There is no such run.
        """

        async def work(connection: AsyncConnection) -> Run:
            async with self._fenced(connection) as (ledger, state):
                await ledger.set_run(
                    run.id,
                    state=RunState.RUNNING.value,
                    epoch=state.epoch,
                    owner=run.owner,
                    approvals=json.dumps(run.approvals),
                    finished_at=None,
                    error="",
                )
                return await self._run(ledger, run.id)

        return await self._write(work, run.id)

    async def execute(self, run: Run, index: int, step: Step, *, reverse: bool = False) -> Outcome[int]:
        """Execute step *index* of *run* and record it: in one transaction where the step has one.

        Args:
            run: As it was begun or adopted.

            index: The place of the step.

            step: Its statements.

            reverse: Execute what undoes it, and record it as reversed. Until then it stays done.

        Returns:
            The number of rows that were changed, as far as the server says.

        Fails with:
            LockLost: A newer session has the lock; nothing was changed.

            LockHeld: Another statement holds a lock on the table for too long; nothing was changed, try again.

            MigrationStopped: A statement failed, which is recorded; or *step* is not the one of the run, or was not
                done and cannot be undone.

            Unavailable: The connection failed. Whether a step without transaction took effect is for `probe` to say.
        """

        async def work(connection: AsyncConnection) -> int:
            if not self._has_begun:
                async with self._fenced(connection):
                    pass
            return await StepExecution(
                connection,
                database=self._database,
                run_id=run.id,
                epoch=self._epoch,
                index=index,
                step=step,
                reverse=reverse,
                clock=self._clock,
                find_effect=self._tools.find_effect,
            ).execute()

        return await self._write(work, run.id)

    async def mark(self, run: Run, index: int, state: StepState, *, error: str = "") -> Outcome[None]:
        """Record *state* of step *index* without executing it.

        Fails with:
            LockLost: A newer session has the lock.
        """
        values: dict[str, object] = {"state": state.value, "error": error}
        if state in _ENDED or state is StepState.FAILED:
            values["finished_at"] = self._clock.now()
        if state in _ENDED or state is StepState.PENDING:
            # Nothing is left to go on with.
            values["progress"] = ""

        async def work(connection: AsyncConnection) -> None:
            async with self._fenced(connection) as (ledger, _):
                await ledger.set_step(run.id, index, **values)

        return await self._write(work, run.id)

    async def finish(self, run: Run, state: RunState, *, declared: str = "", error: str = "") -> Outcome[Run]:
        """Record the end of *run*; after `APPLIED` its plan is the head, after `ROLLED_BACK` its parent is again.

        Fails with:
            LockLost: A newer session has the lock.

            MigrationStopped: Another plan was applied after the parent of its plan.
        """

        async def work(connection: AsyncConnection) -> Run:
            described = await connection.run_sync(self._tools.describe, UNTRACKED)
            async with self._fenced(connection) as (ledger, before):
                now = await self._state_after(ledger, run, state, before, declared, described.fingerprint)
                await ledger.set_state(**now, fingerprint=described.fingerprint)
                values: dict[str, object] = {
                    "state": state.value,
                    "schema_after": described.fingerprint,
                    "finished_at": self._clock.now(),
                    "error": error,
                }
                if state is RunState.APPLIED:
                    values |= {"applied_after": run.parent, "declared": declared}
                elif state is RunState.ROLLED_BACK:
                    values["applied_after"] = None
                await self._set_run(ledger, run, values)
                return await self._run(ledger, run.id)

        return await self._write(work, run.id)

    async def _state_after(
        self, ledger: Ledger, run: Run, state: RunState, before: LedgerState, declared: str, fingerprint: str
    ) -> dict[str, str]:
        if state is RunState.APPLIED:
            if before.head not in {run.parent, run.plan_id}:
                raise Refused(_moved_on(self._database, before.head, run.id))
            return {"head": run.plan_id, "declared": declared}
        if state is RunState.ROLLED_BACK and before.head == run.plan_id:
            return {"head": run.parent, "declared": await ledger.declared_by(run.parent)}
        # Half a run leads to no declared schema, nor does its end without one.
        declared = before.declared if before.fingerprint == fingerprint else ""
        return {"head": before.head, "declared": declared}

    async def _set_run(self, ledger: Ledger, run: Run, values: dict[str, object]) -> None:
        try:
            await ledger.set_run(run.id, **values)
        except IntegrityError as error:
            raise Refused(_moved_on(self._database, "another one", run.id)) from error

    async def _create(self, connection: AsyncConnection) -> None:
        ledger = Ledger(connection, self._database)
        if await ledger.exists():
            return
        if self._connections.server == "mysql":
            await ledger.create()
            return
        async with transaction(connection, self._connections.server):
            await ledger.create()

    @contextlib.asynccontextmanager
    async def _fenced(self, connection: AsyncConnection) -> AsyncIterator[tuple[Ledger, LedgerState]]:
        """Commit the block, in which no newer session can begin; the first one ends what older sessions may do."""
        ledger, epoch = Ledger(connection, self._database), self._epoch
        async with transaction(connection, self._connections.server):
            state = await ledger.fence(epoch)
            if not self._has_begun:
                epoch += 1
                await ledger.set_state(epoch=epoch)
            yield ledger, dataclasses.replace(state, epoch=epoch)
        self._has_begun, self._epoch = True, epoch

    async def _not_next(self, ledger: Ledger, plan: MigrationPlan, head: str) -> MigrationStopped:
        if not plan.parent or await ledger.has_applied(plan.parent):
            return _moved_on(self._database, head)
        message = (
            f"the plan follows {plan.parent}, which was never applied here"
            f" ({f'{head} was the last' if head else 'nothing was'}): make a new plan"
        )
        return MigrationStopped(self._database, MigrationStop.DRIFT, message)

    async def _run(self, ledger: Ledger, run_id: str) -> Run:
        found = await ledger.run(run_id)
        if found is None:
            message = f"the ledger does not know the run {run_id}"
            raise Refused(MigrationStopped(self._database, MigrationStop.CHANGED, message, run_id))
        return found

    async def _end_statements(self) -> None:
        """End what a cancelled call has left running: MySQL does not notice that nobody waits for it."""
        if self._connections.server == "sqlite":
            return
        with contextlib.suppress(*DATABASE_ERRORS, Refused):
            async with asyncio.timeout(_END_SECONDS), self._connections.open() as connection:
                await self._lock.claim_statements(connection)

    async def _write(self, work: Callable[[AsyncConnection], Awaitable[T]], run_id: str = "") -> Outcome[T]:
        """Return what *work* answers on a connection that alone executes statements of migrations."""

        async def locked() -> Outcome[T]:
            # Later the fencing number says so, in the transaction itself.
            if not self._has_begun and isinstance(lost := await self.verify(), Failure):
                return lost
            try:
                async with self._connections.open() as connection:
                    await self._lock.claim_statements(connection)
                    return Success(await work(connection))
            except asyncio.CancelledError:
                await self._end_statements()
                raise

        async with self._alone:
            return await answered(locked, self._database, run_id)


def _moved_on(database: str, head: str, run_id: str = "") -> MigrationStopped:
    message = f"another plan, {head}, was applied meanwhile: make a new plan"
    return MigrationStopped(database, MigrationStop.AHEAD, message, run_id)
