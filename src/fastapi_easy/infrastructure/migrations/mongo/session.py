"""What may be done while the lock of migrations is held."""

import asyncio
import contextlib
import dataclasses
from collections.abc import Awaitable, Callable, Collection
from typing import Final, TypeVar

from returns.result import Failure, Success

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.run import Run, RunState, StepRecord, StepState
from fastapi_easy.domain.migrations.step import Step
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.infrastructure.migrations.mongo.connections import MongoConnections
from fastapi_easy.infrastructure.migrations.mongo.execution import StepExecution
from fastapi_easy.infrastructure.migrations.mongo.failures import ERRORS, Refused, failure_of
from fastapi_easy.infrastructure.migrations.mongo.ledger import Ledger, LedgerState
from fastapi_easy.infrastructure.migrations.mongo.locking import MigrationLock
from fastapi_easy.infrastructure.migrations.mongo.reading import describe, read_pictures

T = TypeVar("T")

_END_SECONDS: Final = 5.0
_ENDED: Final[frozenset[StepState]] = frozenset({StepState.DONE, StepState.SKIPPED, StepState.REVERSED})


class MongoSession:
    """Implements `MigrationSession`.

    A session without anything to do writes nothing but its lock: it raises the fencing number when it first begins a
    run, or goes on with one.

    Args:
        connections: Where the database is.

        database: Its name in the settings.

        lock: The lock that is held.

        seen: The fencing number when the lock was got.

        declared: The names of the declared collections.

        clock: Tells the times that are recorded.
    """

    def __init__(
        self,
        connections: MongoConnections,
        *,
        database: str,
        lock: MigrationLock,
        seen: int,
        declared: Collection[str],
        clock: Clock,
    ) -> None:
        self._connections = connections
        self._database = database
        self._lock = lock
        self._epoch = seen
        self._has_begun = False
        self._is_alone = False
        self._declared = declared
        self._clock = clock
        self._ledger = Ledger(connections, database)
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

            LockHeld: A command of an older one does not end.

            MigrationStopped: Another plan was applied after the parent of *plan*.
        """

        async def work() -> Run:
            await self._ledger.create()
            state = await self._ledger.fence(self._epoch)
            if state.head != plan.parent:
                raise Refused(await self._not_next(plan, state.head))
            await self._raise_epoch()
            begun = dataclasses.replace(
                run,
                plan_id=plan.id,
                plan_checksum=plan.checksum,
                parent=plan.parent,
                source=plan.source,
                revisions=plan.revisions,
                state=RunState.RUNNING,
                epoch=self._epoch,
                schema_before=plan.schema_before,
                finished_at=None,
                steps=run.steps or tuple(StepRecord.of(index, step) for index, step in enumerate(plan.steps)),
                error="",
            )
            await self._ledger.add_run(begun, plan)
            return await self._run(run.id)

        return await self._write(work)

    async def adopt(self, run: Run) -> Outcome[Run]:
        """Record that this session goes on with *run*, for its owner and with its approvals.

        What is returned is what the ledger says of it now. Whatever an earlier session still executes is ended first,
        so that what is there can be seen.

        Fails with:
            LockLost: A newer session has the lock.

            LockHeld: A command of an older one does not end.

            MigrationStopped: There is no such run.
        """

        async def work() -> Run:
            _ = await self._ledger.fence(self._epoch)
            await self._raise_epoch()
            is_there = await self._ledger.take_run(
                run.id,
                self._epoch,
                state=RunState.RUNNING.value,
                owner=run.owner,
                approvals=list(run.approvals),
                finished_at=None,
                error="",
            )
            if not is_there:
                raise Refused(self._unknown(run.id))
            return await self._run(run.id)

        return await self._write(work, run.id)

    async def execute(self, run: Run, index: int, step: Step, *, reverse: bool = False) -> Outcome[int]:
        """Execute step *index* of *run* and record it.

        Args:
            run: As it was begun or adopted.

            index: The place of the step.

            step: Its commands.

            reverse: Execute what undoes it, and record it as reversed. Until then it stays done.

        Returns:
            The number of documents that were changed, as far as the server says.

        Fails with:
            LockLost: A newer session has the lock; nothing was changed.

            LockHeld: Another operation is in the way; nothing was changed, try again.

            MigrationStopped: A command failed, which is recorded; or *step* is not the one of the run, or was not done
                and cannot be undone.

            Unavailable: The connection failed. Whether the step took effect is for `probe` to say.
        """

        async def work() -> int:
            if not self._is_alone:
                _ = await self._ledger.fence(self._epoch)
                await self._raise_epoch()
                _ = await self._ledger.take_run(run.id, self._epoch)
            return await StepExecution(
                self._connections,
                database=self._database,
                run_id=run.id,
                epoch=self._epoch,
                index=index,
                step=step,
                reverse=reverse,
                clock=self._clock,
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

        async def work() -> None:
            _ = await self._ledger.fence(self._epoch)
            await self._ledger.set_step(run.id, self._epoch, index, values)

        return await self._write(work, run.id)

    async def finish(self, run: Run, state: RunState, *, declared: str = "", error: str = "") -> Outcome[Run]:
        """Record the end of *run*; after `APPLIED` its plan is the head, after `ROLLED_BACK` its parent is again.

        The head is written first: a process that is killed in between leaves a run that has not ended, and whoever goes
        on with it ends it.

        Fails with:
            LockLost: A newer session has the lock.

            MigrationStopped: Another plan was applied after the parent of its plan.
        """

        async def work() -> Run:
            pictures = await read_pictures(self._connections, self._declared)
            described = await describe(self._connections, pictures.values())
            before = await self._ledger.fence(self._epoch)
            now = await self._state_after(run, state, before, declared, described.fingerprint)
            await self._ledger.set_state(self._epoch, {**now, "fingerprint": described.fingerprint})
            values: dict[str, object] = {
                "state": state.value,
                "schema_after": described.fingerprint,
                "finished_at": self._clock.now(),
                "error": error,
            }
            if state is RunState.APPLIED:
                values["declared"] = declared
            await self._ledger.set_run(run.id, self._epoch, values)
            return await self._run(run.id)

        return await self._write(work, run.id)

    async def _state_after(
        self, run: Run, state: RunState, before: LedgerState, declared: str, fingerprint: str
    ) -> dict[str, str]:
        if state is RunState.APPLIED:
            if before.head not in {run.parent, run.plan_id}:
                raise Refused(self._moved_on(before.head, run.id))
            return {"head": run.plan_id, "declared": declared}
        if state is RunState.ROLLED_BACK and before.head == run.plan_id:
            return {"head": run.parent, "declared": await self._ledger.declared_by(run.parent)}
        # Half a run leads to no declared schema, nor does its end without one.
        declared = before.declared if before.fingerprint == fingerprint else ""
        return {"head": before.head, "declared": declared}

    async def _raise_epoch(self) -> None:
        """Let no older session write any more, when this one first writes, and end what it has left running."""
        if not self._has_begun:
            await self._ledger.set_state(self._epoch, {"epoch": self._epoch + 1})
            self._has_begun, self._epoch = True, self._epoch + 1
        if not self._is_alone:
            await self._connections.end_statements(self._epoch)
            self._is_alone = True

    async def _run(self, run_id: str) -> Run:
        found = await self._ledger.run(run_id)
        if found is None:
            raise Refused(self._unknown(run_id))
        return found

    async def _not_next(self, plan: MigrationPlan, head: str) -> MigrationStopped:
        if not plan.parent or await self._ledger.has_applied(plan.parent):
            return self._moved_on(head)
        message = (
            f"the plan follows {plan.parent}, which was never applied here"
            f" ({f'{head} was the last' if head else 'nothing was'}): make a new plan"
        )
        return MigrationStopped(self._database, MigrationStop.DRIFT, message)

    def _moved_on(self, head: str, run_id: str = "") -> MigrationStopped:
        message = f"another plan, {head}, was applied meanwhile: make a new plan"
        return MigrationStopped(self._database, MigrationStop.AHEAD, message, run_id)

    def _unknown(self, run_id: str) -> MigrationStopped:
        message = f"the ledger does not know the run {run_id}"
        return MigrationStopped(self._database, MigrationStop.CHANGED, message, run_id)

    async def _end_statements(self) -> None:
        """End what a cancelled call has left running: the server does not notice that nobody waits for it."""
        with contextlib.suppress(*ERRORS):
            async with asyncio.timeout(_END_SECONDS):
                await self._connections.end_statements(self._epoch + 1)

    async def _write(self, work: Callable[[], Awaitable[T]], run_id: str = "") -> Outcome[T]:
        """Return what *work* answers, after whatever this session does already."""

        async def locked() -> Outcome[T]:
            # Later the fencing number says so.
            if not self._has_begun and isinstance(lost := await self.verify(), Failure):
                return lost
            try:
                return Success(await work())
            except asyncio.CancelledError:
                await self._end_statements()
                raise

        async with self._alone:
            return await answered(locked, self._database, run_id)


async def answered(work: Callable[[], Awaitable[Outcome[T]]], database: str, run_id: str = "") -> Outcome[T]:
    """Return the outcome of *work*; what a driver raises in it is one as well."""
    try:
        return await work()
    except ERRORS as error:
        return Failure(failure_of(error, database, run_id))
