"""Carries out one step of a run, or what undoes it: the lock is verified, time-outs of locks are retried."""

import enum
from typing import Final

from returns.result import Failure, Success

from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.execution.announcements import Announcer
from fastapi_easy.application.migrations.execution.error_words import describe_error
from fastapi_easy.application.migrations.hooks.contexts import Moment, RunContext, StepContext
from fastapi_easy.domain.errors import Error, LockHeld, LockLost, Outcome
from fastapi_easy.domain.migrations.events import MigrationBlocked, MigrationLockLost, StepFailed
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.run import Run, RunState, StepRecord, StepState
from fastapi_easy.domain.migrations.step import Effect, StepMode
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.domain.ports.schema_store import MigrationSession

TRIES: Final = 5
"""How often a step is tried whose locks others hold."""

_FIRST_BACKOFF: Final = 1.0
_BACKOFF_CAP: Final = 30.0
"""Seconds between two tries at most; each is twice the one before."""


class Doubt(enum.Enum):
    """What is to be done about a step that may or may not have taken effect."""

    EXECUTE = enum.auto()
    MARK_DONE = enum.auto()
    CLEAN_UP = enum.auto()
    """Something is left over, and the step says what removes it; executing it again does so first."""

    BLOCK = enum.auto()
    """Nobody can tell."""


class StepExecutor:
    """Carries out steps under one session.

    Attributes:
        notes: What went wrong without keeping anything from being done.
    """

    def __init__(self, collaborators: MigrationCollaborators, session: MigrationSession) -> None:
        self._collaborators = collaborators
        self._session = session
        self._announcer = Announcer(collaborators)
        self.notes: list[str] = []

    def note(self, *sentences: str) -> None:
        """Report *sentences*, and keep them for whoever asked."""
        for each in sentences:
            self._collaborators.report(each)
            self.notes.append(each)

    async def resolve(self, plan: MigrationPlan, record: StepRecord) -> Outcome[Doubt]:
        """Find out what is to be done about a step that is not recorded as done."""
        step, state = plan.steps[record.index], record.state
        is_in_doubt = state is StepState.RUNNING or (
            state is StepState.FAILED and step.mode is StepMode.AUTOCOMMIT
        )
        if not is_in_doubt or step.mode is StepMode.BATCHES:
            # What failed in a transaction has left nothing, and batches go on where they were.
            return Success(Doubt.EXECUTE)
        probed = await self._collaborators.store.probe(step)
        if isinstance(probed, Failure):
            return probed
        match probed.unwrap():
            case Effect.APPLIED:
                # What the server has refused to make was made by somebody else: undoing it would drop what is theirs.
                return Success(Doubt.BLOCK if state is StepState.FAILED else Doubt.MARK_DONE)
            case Effect.NOT_APPLIED:
                return Success(Doubt.EXECUTE)
            case Effect.PARTIAL:
                return Success(Doubt.CLEAN_UP if step.cleanup else Doubt.BLOCK)
            case Effect.UNKNOWN:
                return Success(Doubt.BLOCK)

    async def execute(
        self, run: Run, plan: MigrationPlan, index: int, *, reverse: bool = False
    ) -> Outcome[int]:
        """Carry out step *index*; again with backoff while other sessions hold locks on what it changes."""
        step = plan.steps[index]
        outcome: Outcome[int] = Failure(LockLost(plan.database))
        for attempt in range(TRIES):
            verified = await self._session.verify()
            if isinstance(verified, Failure):
                return verified
            outcome = await self._session.execute(run, index, step, reverse=reverse)
            if not (isinstance(outcome, Failure) and isinstance(outcome.failure(), LockHeld)):
                return outcome
            if attempt < TRIES - 1:
                backoff = min(_FIRST_BACKOFF * 2**attempt, _BACKOFF_CAP)
                await self._collaborators.sleep(backoff * (0.5 + self._collaborators.jitter() / 2))
        return outcome

    async def fail(
        self,
        run: Run,
        plan: MigrationPlan,
        index: int,
        error: Error,
        *,
        is_undone: bool = False,
        state: RunState = RunState.FAILED,
        declared: str = "",
    ) -> Failure[Error]:
        """Record that step *index* has failed with *error*, tell of it, and return the failure of the run.

        Args:
            run: As it was begun.

            plan: What is carried out.

            index: The place of the step.

            error: Why.

            is_undone: It was being undone.

            state: The state in which the run is left.

            declared: The checksum of the declared schema, if the run is left as it was.
        """
        if isinstance(error, LockLost):
            # A newer session may have the run by now: it is not ours to write to any more.
            await self._announcer.announce(MigrationLockLost, plan, run)
            return Failure(error)
        if isinstance(error, MigrationStopped) and error.stop is MigrationStop.NEEDS_REPAIR:
            return await self.block(run, plan, index, error.message)
        step, why = plan.steps[index], describe_error(error)
        context = StepContext(
            database=plan.database,
            plan=plan,
            run=run,
            index=index,
            step=step,
            is_undone=is_undone,
            error=why,
        )
        self.note(*await self._collaborators.hooks.tell(Moment.ON_STEP_ERROR, context, step.changes))
        await self._announcer.announce(StepFailed, plan, run, index=index, summary=step.summary, error=why)
        await self.leave(run, state, why, declared=declared)
        what = "undoing " if is_undone else ""
        again = "roll back" if is_undone else "apply"
        return Failure(
            MigrationStopped(
                plan.database,
                error.stop if isinstance(error, MigrationStopped) else MigrationStop.FAILED,
                f"{what}step {index + 1} ({step.summary}) failed: {why}. How far the run has come is recorded: {again} "
                "again once the cause is gone, and it goes on there; or give the run up (repair, abandon)",
                run.id,
                (*(error.details if isinstance(error, MigrationStopped) else ()), *self.notes),
            )
        )

    async def veto(
        self, run: Run, plan: MigrationPlan, index: int, refused: str, state: RunState = RunState.FAILED
    ) -> Failure[Error]:
        """Record that a hook has refused step *index*, and return the failure of the run."""
        await self.leave(run, state, refused)
        summary = plan.steps[index].summary
        return Failure(
            MigrationStopped(
                plan.database,
                MigrationStop.VETOED,
                f"step {index + 1} ({summary}) was refused: {refused}. Nothing after the step before it was executed",
                run.id,
                tuple(self.notes),
            )
        )

    async def block(self, run: Run, plan: MigrationPlan, index: int, reason: str = "") -> Failure[Error]:
        """Record that nobody can tell what step *index* has done, and return the failure of the run."""
        if not reason:
            summary, state = plan.steps[index].summary, run.steps[index].state
            reason = (
                f"step {index + 1} ({summary}) failed, and something of what it was to do may be there"
                if state is StepState.FAILED
                else f"nobody can tell whether step {index + 1} ({summary}) took effect"
            )
        await self.leave(run, RunState.BLOCKED, reason)
        context = RunContext(database=plan.database, plan=plan, run=run, reason=reason)
        self.note(*await self._collaborators.hooks.tell(Moment.ON_BLOCKED, context, plan.changes))
        await self._announcer.announce(MigrationBlocked, plan, run, index=index, reason=reason)
        return Failure(needs_repair(plan.database, run, reason, tuple(self.notes)))

    async def leave(self, run: Run, state: RunState, error: str, *, declared: str = "") -> None:
        """Record that *run* stays in *state* for *error*; if that fails it is as it is, and can be gone on with too."""
        finished = await self._session.finish(run, state, declared=declared, error=error)
        if isinstance(finished, Failure):
            self.note(
                f"the state of run {run.id} could not be recorded: {describe_error(finished.failure())}"
            )


def needs_repair(database: str, run: Run, reason: str, details: tuple[str, ...] = ()) -> MigrationStopped:
    """Return that *run* is blocked for *reason*, with what to do."""
    return MigrationStopped(
        database,
        MigrationStop.NEEDS_REPAIR,
        f"run {run.id} is blocked: {reason}. Look at its steps (repair, show), then say what holds (repair, adopt, "
        "retry, mark_done or abandon)",
        run.id,
        details,
    )
