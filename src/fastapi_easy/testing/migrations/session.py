"""The lock of one migrating process in memory, and what it does under it."""

from dataclasses import replace

from returns.result import Failure, Success

from fastapi_easy.domain.errors import Error, LockHeld, LockLost, Outcome, Unavailable
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.run import Run, RunState, StepRecord, StepState
from fastapi_easy.domain.migrations.step import Step, StepMode
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.testing.migrations.database import HALF, Crashed, InMemorySchema, StatementFailed

_NEUTRAL = (LockHeld, Unavailable)
"""Refusals that leave nothing behind in the record of a step."""

_UNDOING = "undoing"
"""The progress of a step that is being undone without a transaction."""


class InMemorySession:
    """Implements `MigrationSession`. It raises the fencing number with its first write."""

    def __init__(self, name: str, schema: InMemorySchema, owner: str, clock: Clock) -> None:
        """Hold the lock of *schema* for *owner*."""
        self._name = name
        self._schema = schema
        self._owner = owner
        self._clock = clock
        self._epoch = schema.epoch
        self._has_begun = False
        self._is_dead = False

    @property
    def epoch(self) -> int:
        """Return the fencing number."""
        return self._epoch

    async def verify(self) -> Outcome[None]:
        """Ask whether the lock is still held."""
        await self._pass_boundary()
        return Success(None) if self._schema.session is self and self._is_current() else self._lost()

    async def begin(self, plan: MigrationPlan, run: Run) -> Outcome[Run]:
        """Record that *run* of *plan* begins."""
        if not await self._may_write():
            return self._lost()
        schema = self._schema
        if schema.history.head != plan.parent:
            was_applied = any(each.plan_id == plan.parent for each in schema.history.applied)
            stop = MigrationStop.AHEAD if was_applied or not plan.parent else MigrationStop.DRIFT
            message = f"the last plan that was applied is {schema.history.head or 'none'}"
            return Failure(MigrationStopped(self._name, stop, message))
        steps = tuple(StepRecord.of(index, step) for index, step in enumerate(plan.steps))
        begun = replace(run, state=RunState.RUNNING, epoch=self._epoch, steps=steps)
        schema.record(begun)
        await self._pass_boundary()
        return Success(begun)

    async def adopt(self, run: Run) -> Outcome[Run]:
        """Record that this session goes on with *run*, and return what is recorded of it."""
        if not await self._may_write():
            return self._lost()
        if all(each.id != run.id for each in self._schema.history.runs):
            message = f"the ledger does not know the run {run.id}"
            return Failure(MigrationStopped(self._name, MigrationStop.CHANGED, message, run.id))
        adopted = replace(
            self._schema.find(run.id),
            state=RunState.RUNNING,
            epoch=self._epoch,
            owner=self._owner,
            approvals=run.approvals,
            finished_at=None,
            error="",
        )
        self._schema.record(adopted)
        await self._pass_boundary()
        return Success(adopted)

    async def execute(self, run: Run, index: int, step: Step, *, reverse: bool = False) -> Outcome[int]:
        """Execute step *index* of *run*, or what undoes it, and record it. Until it is undone it stays done."""
        if not await self._may_write():
            return self._lost()
        record = self._schema.find(run.id).steps[index]
        statements = step.reverse if reverse else step.statements
        if statements != (record.reverse if reverse else record.statements):
            return self._stop(run, MigrationStop.CHANGED, f"step {index + 1} is not what was recorded")
        if record.state in {StepState.SKIPPED, StepState.REVERSED if reverse else StepState.DONE}:
            return Success(0)
        if reverse and (record.state is not StepState.DONE or not statements):
            return self._stop(run, MigrationStop.IRREVERSIBLE, f"step {index + 1} cannot be undone")
        for each in statements:
            if refusals := self._schema.refusals.get(each):
                return self._refuse(run, index, refusals.pop(0), reverse=reverse)
        mode = step.reverse_mode if reverse else step.mode
        if mode is StepMode.BATCHES:
            return await self._in_batches(run, index, statements, reverse=reverse)
        if mode is StepMode.AUTOCOMMIT:
            return await self._one_by_one(run, step, record, reverse=reverse)
        return await self._in_transaction(run, index, statements, reverse=reverse)

    async def mark(self, run: Run, index: int, state: StepState, *, error: str = "") -> Outcome[None]:
        """Record *state* of step *index*."""
        if not await self._may_write():
            return self._lost()
        self._schema.set_step(run, index, state=state, error=error, progress="")
        await self._pass_boundary()
        return Success(None)

    async def finish(self, run: Run, state: RunState, *, declared: str = "", error: str = "") -> Outcome[Run]:
        """Record the end of *run*."""
        if not await self._may_write():
            return self._lost()
        schema, history = self._schema, self._schema.history
        ended = replace(
            schema.find(run.id),
            state=state,
            error=error,
            schema_after=schema.fingerprint,
            finished_at=self._clock.now(),
        )
        schema.record(ended)
        head, known = history.head, history.declared
        if state is RunState.APPLIED:
            head, known = run.plan_id, declared
            schema.declared_by_plan[run.plan_id] = declared
        elif state is RunState.ROLLED_BACK and head == run.plan_id:
            head, known = run.parent, schema.declared_by_plan.get(run.parent, "")
        schema.history = replace(schema.history, head=head, declared=known, fingerprint=schema.fingerprint)
        await self._pass_boundary()
        return Success(ended)

    async def _in_transaction(
        self, run: Run, index: int, statements: tuple[str, ...], *, reverse: bool
    ) -> Outcome[int]:
        staged = self._schema.staged()
        rows = 0
        for statement in statements:
            try:
                rows += staged.execute(statement)
            except StatementFailed as failed:
                return self._fail(run, index, failed, reverse=reverse)
            await self._pass_boundary()
        if not self._is_current():
            return self._lost()
        self._schema.take_over(staged)
        return await self._end(run, index, rows, reverse=reverse, begins=True)

    async def _one_by_one(self, run: Run, step: Step, record: StepRecord, *, reverse: bool) -> Outcome[int]:
        index, statements, finished = record.index, step.statements, 0
        if reverse:
            statements = step.reverse
            if record.progress and self._is_undone(step):
                # It was undone by an attempt that could not record it any more.
                return await self._end(run, index, 0, reverse=True)
            self._schema.set_step(run, index, begins=True, progress=_UNDOING)
        else:
            if record.attempts and step.cleanup:
                statements = (*step.cleanup, *statements)
            elif record.attempts:
                finished = int(record.progress or 0)
            self._schema.set_step(run, index, state=StepState.RUNNING, begins=True, error="")
        await self._pass_boundary()
        rows = 0
        for statement in statements[finished:]:
            if not self._is_current():
                return self._lost()
            await self._cut_off(statement)
            try:
                rows += self._schema.execute(statement)
            except StatementFailed as failed:
                return self._fail(run, index, failed, reverse=reverse, begins=False)
            finished += 1
            if not reverse and not step.cleanup:
                self._schema.set_step(run, index, progress=str(finished))
            await self._pass_boundary()
        return await self._end(run, index, rows, reverse=reverse)

    async def _in_batches(
        self, run: Run, index: int, statements: tuple[str, ...], *, reverse: bool
    ) -> Outcome[int]:
        total = 0
        for statement in statements:
            while True:
                await self._pass_boundary()
                if not self._is_current():
                    return self._lost()
                try:
                    rows = self._schema.execute(statement)
                except StatementFailed as failed:
                    return self._fail(run, index, failed, reverse=reverse)
                total += rows
                if not rows:
                    break
                if not reverse:
                    self._schema.set_step(run, index, state=StepState.RUNNING, progress=str(total))
        return await self._end(run, index, total, reverse=reverse, begins=True)

    async def _end(
        self, run: Run, index: int, rows: int, *, reverse: bool, begins: bool = False
    ) -> Outcome[int]:
        if not self._is_current():
            return self._lost()
        state = StepState.REVERSED if reverse else StepState.DONE
        now = self._clock.now()
        self._schema.set_step(
            run, index, state=state, begins=begins, error="", progress="", started_at=now, finished_at=now
        )
        await self._pass_boundary()
        return Success(rows)

    def _is_undone(self, step: Step) -> bool:
        stored = self._schema.objects.get(str(step.probe.wanted.get("name", "")))
        if step.probe.absent:
            return stored is not None and not stored.startswith(HALF)
        return stored is None or stored != step.probe.wanted.get("definition")

    async def _cut_off(self, statement: str) -> None:
        """Pass a boundary in the midst of *statement*, which leaves half of it when the process is killed there."""
        try:
            await self._pass_boundary()
        except Crashed:
            _ = self._schema.leave_half(statement)
            raise

    def _fail(
        self, run: Run, index: int, failed: StatementFailed, *, reverse: bool, begins: bool = True
    ) -> Failure[Error]:
        error = MigrationStopped(self._name, MigrationStop.FAILED, str(failed), run.id)
        return self._refuse(run, index, error, reverse=reverse, begins=begins)

    def _refuse(
        self, run: Run, index: int, error: Error, *, reverse: bool, begins: bool = True
    ) -> Failure[Error]:
        if not isinstance(error, _NEUTRAL) and not reverse:
            said = error.message if isinstance(error, MigrationStopped) else error.code
            self._schema.set_step(run, index, state=StepState.FAILED, error=said, begins=begins)
        return Failure(error)

    def _stop(self, run: Run, stop: MigrationStop, message: str) -> Failure[Error]:
        return Failure(MigrationStopped(self._name, stop, message, run.id))

    async def _may_write(self) -> bool:
        """Raise the fencing number before the first write; return whether no newer session has raised it since."""
        await self._pass_boundary()
        if not self._has_begun:
            if self._schema.session is not self:
                return False
            self._schema.epoch += 1
            self._has_begun, self._epoch = True, self._schema.epoch
            self._schema.history = replace(self._schema.history, epoch=self._epoch)
        return self._is_current()

    def _is_current(self) -> bool:
        return self._schema.epoch == self._epoch

    def _lost(self) -> Failure[Error]:
        return Failure(LockLost(self._name))

    async def _pass_boundary(self) -> None:
        if self._is_dead:
            raise Crashed("the process was killed before")
        try:
            await self._schema.pass_boundary()
        except Crashed:
            self._is_dead = True
            raise
