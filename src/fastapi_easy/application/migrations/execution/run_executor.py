"""Carries out the run of a plan: begins it or goes on with it, step after step."""

import dataclasses

from returns.result import Failure, Success

from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.execution.announcements import Announcer
from fastapi_easy.application.migrations.execution.backups import back_up
from fastapi_easy.application.migrations.execution.run_record import DONE_WITH, new_run, steps_left
from fastapi_easy.application.migrations.execution.step_executor import Doubt, StepExecutor
from fastapi_easy.application.migrations.hooks.contexts import Moment, RunContext, StepContext
from fastapi_easy.domain.errors import Error, LockLost, Outcome
from fastapi_easy.domain.migrations.events import (
    MigrationApplied,
    MigrationLockLost,
    MigrationPlanned,
    MigrationStarted,
    StepApplied,
)
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.policy import Approvals
from fastapi_easy.domain.migrations.run import Run, RunState, StepRecord, StepState
from fastapi_easy.domain.migrations.step import StepMode
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.domain.ports.schema_store import MigrationSession


class RunExecutor:
    """Carries out runs under one session.

    Attributes:
        steps: Carries out their steps.
    """

    def __init__(self, collaborators: MigrationCollaborators, session: MigrationSession) -> None:
        self._collaborators = collaborators
        self._session = session
        self._announcer = Announcer(collaborators)
        self.steps = StepExecutor(collaborators, session)

    async def begin(self, plan: MigrationPlan, approvals: Approvals) -> Outcome[Run]:
        """Begin a run of *plan*, which may be executed with *approvals*.

        Fails with:
            MigrationStopped: A hook refused, there is no room for a backup, or another plan was applied meanwhile. In
                none of these cases anything is recorded.

            LockLost: A newer session has the lock.

            Unavailable: The database does not answer.
        """
        await self._announcer.announce(MigrationPlanned, plan, risk=plan.risk.value, steps=len(plan.steps))
        run = new_run(self._collaborators, plan, approvals, epoch=self._session.epoch)
        prepared = await self._prepare(run, plan)
        if isinstance(prepared, Failure):
            return prepared
        begun = await self._session.begin(plan, run)
        if isinstance(begun, Failure):
            return begun
        await self._announcer.announce(MigrationStarted, plan, begun.unwrap(), approvals=run.approvals)
        return begun

    async def adopt(self, run: Run, plan: MigrationPlan, approvals: Approvals) -> Outcome[Run]:
        """Go on with *run* of *plan*; it fails as `begin` does, and the run stays as it was."""
        taken = dataclasses.replace(
            run,
            state=RunState.RUNNING,
            epoch=self._session.epoch,
            owner=self._collaborators.owner,
            approvals=tuple(sorted({*run.approvals, *approvals.given})),
            error="",
        )
        prepared = await self._prepare(taken, plan)
        if isinstance(prepared, Failure):
            return prepared
        adopted = await self._session.adopt(taken)
        if isinstance(adopted, Failure):
            return adopted
        await self._announcer.announce(
            MigrationStarted, plan, adopted.unwrap(), approvals=taken.approvals, resumed=True
        )
        return adopted

    async def carry_out(self, run: Run, plan: MigrationPlan, until: int | None) -> Outcome[bool]:
        """Carry out the steps of *run* that are left, and return whether those were all.

        Args:
            run: As it was begun or adopted.

            plan: What it carries out.

            until: The index of the step after which to stop; `None` for the last one.

        Fails with:
            MigrationStopped: A step failed, was refused by a hook, or may have taken effect.

            LockLost: A newer session has the lock.
        """
        for record in run.steps:
            if until is not None and record.index > until:
                return Success(False)
            if record.state in DONE_WITH:
                continue
            failed = await self._carry_out_step(run, plan, record)
            if failed is not None:
                return failed
        return Success(True)

    async def conclude(self, run: Run, plan: MigrationPlan, declared: str) -> Outcome[Run]:
        """Record that every step of *run* took effect, and tell of it.

        Args:
            run: As it was begun or adopted.

            plan: What it has carried out.

            declared: The checksum of the declared schema, if the stored one is like that now.
        """
        finished = await self._session.finish(run, RunState.APPLIED, declared=declared)
        if isinstance(finished, Failure):
            if isinstance(finished.failure(), LockLost):
                await self._announcer.announce(MigrationLockLost, plan, run)
            return finished
        done = finished.unwrap()
        context = RunContext(database=plan.database, plan=plan, run=done)
        self.steps.note(*await self._collaborators.hooks.tell(Moment.AFTER_RUN, context, plan.changes))
        await self._announcer.announce(MigrationApplied, plan, done)
        return finished

    async def abandon(self, run: Run) -> Outcome[Run]:
        """Give *run* up, which has changed nothing."""
        adopted = await self._session.adopt(dataclasses.replace(run, epoch=self._session.epoch))
        if isinstance(adopted, Failure):
            return adopted
        return await self._session.finish(
            adopted.unwrap(), RunState.ABANDONED, error="it had changed nothing, and another plan was applied"
        )

    async def _prepare(self, run: Run, plan: MigrationPlan) -> Outcome[None]:
        context = RunContext(database=plan.database, plan=plan, run=run)
        refused = await self._collaborators.hooks.ask(Moment.BEFORE_RUN, context, plan.changes)
        if refused:
            message = f"nothing was executed, since the run was refused: {refused}"
            return Failure(MigrationStopped(plan.database, MigrationStop.VETOED, message))
        if any(each.destructive or each.mode is StepMode.REBUILD for _, each in steps_left(plan, run)):
            return await back_up(self._collaborators.store, self.steps)
        return Success(None)

    async def _carry_out_step(
        self, run: Run, plan: MigrationPlan, record: StepRecord
    ) -> Failure[Error] | None:
        collaborators, index = self._collaborators, record.index
        step = plan.steps[index]
        context = StepContext(database=plan.database, plan=plan, run=run, index=index, step=step)
        resolved = await self.steps.resolve(plan, record)
        if isinstance(resolved, Failure):
            return await self.steps.fail(run, plan, index, resolved.failure())
        doubt = resolved.unwrap()
        if doubt is Doubt.BLOCK:
            return await self.steps.block(run, plan, index)
        began = collaborators.clock.monotonic()
        outcome: Outcome[object]
        if doubt is Doubt.MARK_DONE:
            outcome = await self._session.mark(run, index, StepState.DONE)
        else:
            refused = await collaborators.hooks.ask(Moment.BEFORE_STEP, context, step.changes)
            if refused:
                return await self.steps.veto(run, plan, index, refused)
            outcome = await self.steps.execute(run, plan, index)
        if isinstance(outcome, Failure):
            return await self.steps.fail(run, plan, index, outcome.failure())
        seconds = collaborators.clock.monotonic() - began
        self.steps.note(*await collaborators.hooks.tell(Moment.AFTER_STEP, context, step.changes))
        await self._announcer.announce(
            StepApplied, plan, run, index=index, summary=step.summary, seconds=seconds
        )
        return None
