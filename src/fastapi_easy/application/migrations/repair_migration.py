"""Say what holds of a run that has not ended."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from returns.result import Failure, Success

from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.execution.announcements import Announcer
from fastapi_easy.application.migrations.execution.applier import Applier
from fastapi_easy.application.migrations.execution.examination import (
    Verdict,
    examine,
    is_unclear,
    keeps_from_going_on,
    state_by_effect,
)
from fastapi_easy.application.migrations.execution.run_record import DONE_WITH, read_stored_plan
from fastapi_easy.application.migrations.execution.step_executor import needs_repair
from fastapi_easy.application.migrations.execution.undoer import Undoer
from fastapi_easy.application.migrations.planning.order import Order
from fastapi_easy.domain.errors import NotFound, Outcome
from fastapi_easy.domain.migrations.events import MigrationRepaired
from fastapi_easy.domain.migrations.policy import Approvals
from fastapi_easy.domain.migrations.run import Run, RunState, StepState
from fastapi_easy.domain.migrations.stopped import MigrationStopped
from fastapi_easy.domain.ports.schema_store import MigrationSession


class RepairAction(enum.StrEnum):
    """What is done about a run that has not ended. Only `RETRY` executes anything."""

    SHOW = "show"
    """Look for the effect of each step."""

    ADOPT = "adopt"
    """Record for each step in doubt what can be seen of it."""

    RETRY = "retry"
    """Take the steps in doubt for not done, and go on with the run."""

    MARK_DONE = "mark_done"
    """Take one step for done: somebody has looked."""

    ABANDON = "abandon"
    """Give the run up and leave the stored schema as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairMigration:
    """Say what holds of the run that has not ended.

    Attributes:
        action: What is done about it.

        index: The place of the step that is done, for `MARK_DONE`.

        wait: Seconds to wait for another process that migrates.
    """

    action: RepairAction = RepairAction.SHOW
    index: int | None = None
    wait: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """What holds of the run.

    Attributes:
        run: As it is recorded afterwards; `None` when every run has ended and there is nothing to repair.

        verdicts: What could be seen of each step before.
    """

    run: Run | None
    verdicts: tuple[Verdict, ...] = ()


class RepairMigrationHandler:
    """Carries out `RepairMigration`."""

    def __init__(self, collaborators: MigrationCollaborators) -> None:
        self._collaborators = collaborators

    async def __call__(self, command: RepairMigration, /) -> Outcome[Repaired]:
        """Look at the steps, and record what was decided. The stored schema is changed by `RETRY` alone.

        Publishes `MigrationRepaired`, unless it only looks.

        Fails with:
            NotFound: There is no step with that index, or it is done already.

            MigrationStopped: `NEEDS_REPAIR` when steps are still in doubt after `ADOPT`; `CHANGED` when the recorded
                plan was changed, so that the run can only be given up; anything that applying fails with after `RETRY`.

            LockHeld, LockLost, Unavailable: As `ApplyMigrationHandler`.
        """
        collaborators = self._collaborators
        if command.action is RepairAction.SHOW:
            return await self._look()
        async with collaborators.store.session(collaborators.owner, command.wait) as opened:
            if isinstance(opened, Failure):
                return opened
            session = opened.unwrap()
            read = await collaborators.store.history()
            if isinstance(read, Failure):
                return read
            run = read.unwrap().unfinished
            if run is None:
                return Success(Repaired(run=None))
            if command.action is RepairAction.MARK_DONE and not _can_be_marked(run, command.index):
                return Failure(NotFound("migration step", command.index))
            # Whatever its process has left running has to end, so that what is there can be seen.
            taken = replace(run, state=RunState.RUNNING, epoch=session.epoch, owner=collaborators.owner)
            adopted = await session.adopt(taken)
            if isinstance(adopted, Failure):
                return adopted
            repaired = await self._repair(session, command, adopted.unwrap())
            if isinstance(repaired, Failure):
                await _leave_as_it_was(collaborators, session, run)
            await Announcer(collaborators).announce_of_run(
                MigrationRepaired,
                run,
                action=command.action.value,
                index=command.index if command.action is RepairAction.MARK_DONE else None,
                outcome=repaired.failure().code if isinstance(repaired, Failure) else "ok",
            )
            return repaired

    async def _look(self) -> Outcome[Repaired]:
        read = await self._collaborators.store.history()
        if isinstance(read, Failure):
            return read
        run = read.unwrap().unfinished
        if run is None:
            return Success(Repaired(run=None))
        verdicts = await self._examine(run)
        if isinstance(verdicts, Failure):
            return verdicts
        return Success(Repaired(run=run, verdicts=verdicts.unwrap()))

    async def _examine(self, run: Run) -> Outcome[tuple[Verdict, ...]]:
        plan = read_stored_plan(self._collaborators.store.name, run)
        if isinstance(plan, MigrationStopped):
            return Failure(plan)
        return await examine(self._collaborators.store, run, plan)

    async def _repair(
        self, session: MigrationSession, command: RepairMigration, run: Run
    ) -> Outcome[Repaired]:
        if command.action is RepairAction.ABANDON:
            # This must work also when the recorded plan cannot be read.
            why = f"given up by {self._collaborators.owner}"
            given_up = await session.finish(run, RunState.ABANDONED, error=why)
            return given_up if isinstance(given_up, Failure) else Success(Repaired(run=given_up.unwrap()))
        examined = await self._examine(run)
        if isinstance(examined, Failure):
            return examined
        verdicts = examined.unwrap()
        if command.action is RepairAction.RETRY:
            outcome = await self._go_on(session, run, _to_be_retried(run, verdicts))
        elif command.action is RepairAction.MARK_DONE:
            done = StepState.REVERSED if run.is_being_undone else StepState.DONE
            outcome = await self._record(session, run, {command.index or 0: done})
        else:
            seen = {each.index: state for each in verdicts if (state := state_by_effect(each)) is not None}
            outcome = await self._record(session, run, seen, [each for each in verdicts if is_unclear(each)])
        return (
            outcome
            if isinstance(outcome, Failure)
            else Success(Repaired(run=outcome.unwrap(), verdicts=verdicts))
        )

    async def _record(
        self,
        session: MigrationSession,
        run: Run,
        states: Mapping[int, StepState],
        unclear: Sequence[Verdict] = (),
    ) -> Outcome[Run]:
        """Record *states* of steps, and end the run if none is left."""
        marked = await _mark(session, run, states)
        if isinstance(marked, Failure):
            return marked
        if unclear:
            reason = "; ".join(f"step {each.index + 1} ({each.summary}): {each.advice}" for each in unclear)
            finished = await session.finish(run, RunState.BLOCKED, error=reason)
            if isinstance(finished, Failure):
                return finished
            return Failure(needs_repair(self._collaborators.store.name, run, reason))
        after = {states.get(each.index, each.state) for each in run.steps}
        if after <= DONE_WITH:
            # Nothing is left to be executed: what follows looks at the schema and ends the run.
            return await self._go_on(session, run, {})
        if run.is_being_undone and after <= {StepState.REVERSED, StepState.PENDING, StepState.SKIPPED}:
            return await session.finish(run, RunState.ROLLED_BACK)
        again = "roll back again" if run.is_being_undone else "apply again"
        return await session.finish(run, RunState.FAILED, error=f"repaired, {again} to go on")

    async def _go_on(
        self, session: MigrationSession, run: Run, states: Mapping[int, StepState]
    ) -> Outcome[Run]:
        marked = await _mark(session, run, states)
        if isinstance(marked, Failure):
            return marked
        if run.is_being_undone:
            allowed = Approvals(frozenset(run.approvals))
            return await Undoer(self._collaborators, session).undo([run], allowed)
        plan = read_stored_plan(self._collaborators.store.name, run)
        if isinstance(plan, MigrationStopped):
            return Failure(plan)
        applied = await Applier(self._collaborators, session, Order(plan=plan)).apply()
        return applied if isinstance(applied, Failure) else Success(applied.unwrap().run)


async def _leave_as_it_was(
    collaborators: MigrationCollaborators, session: MigrationSession, run: Run
) -> None:
    """Put *run* back into its state from before, if the repair has not recorded another one."""
    read = await collaborators.store.history()
    unfinished = None if isinstance(read, Failure) else read.unwrap().unfinished
    if unfinished is not None and unfinished.state is RunState.RUNNING and run.state is not RunState.RUNNING:
        finished = await session.finish(unfinished, run.state, error=run.error)
        if isinstance(finished, Failure):
            collaborators.report(f"the state of run {run.id} could not be put back")


def _to_be_retried(run: Run, verdicts: Sequence[Verdict]) -> Mapping[int, StepState]:
    if run.is_being_undone:
        # What is undone next: it is taken for done, whatever is recorded of an earlier attempt to undo it.
        done = [each.index for each in run.steps if each.state is StepState.DONE]
        return {max(done): StepState.DONE} if done else {}
    return {each.index: StepState.PENDING for each in verdicts if keeps_from_going_on(each)}


async def _mark(session: MigrationSession, run: Run, states: Mapping[int, StepState]) -> Outcome[None]:
    for index, state in states.items():
        marked = await session.mark(run, index, state)
        if isinstance(marked, Failure):
            return marked
    return Success(None)


def _can_be_marked(run: Run, index: int | None) -> bool:
    done = {StepState.REVERSED} if run.is_being_undone else {StepState.DONE}
    return any(each.index == index and each.state not in done for each in run.steps)
