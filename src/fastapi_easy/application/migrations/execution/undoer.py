"""Undoes runs under one session: the stored reverses of their steps, newest first."""

import dataclasses
from collections.abc import Sequence

from returns.result import Failure, Success

from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.execution.announcements import Announcer
from fastapi_easy.application.migrations.execution.approval import find_refusal
from fastapi_easy.application.migrations.execution.backups import back_up
from fastapi_easy.application.migrations.execution.error_words import describe_error
from fastapi_easy.application.migrations.execution.reverse_risk import (
    judge_reverse,
    questions_about_reverse,
)
from fastapi_easy.application.migrations.execution.step_executor import StepExecutor
from fastapi_easy.application.migrations.execution.undoing import Undo, Undoing, plan_undoing
from fastapi_easy.application.migrations.hooks.contexts import Moment, RunContext
from fastapi_easy.domain.errors import Error, LockHeld, Outcome, Unavailable
from fastapi_easy.domain.migrations.events import MigrationRolledBack
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.policy import Approvals
from fastapi_easy.domain.migrations.risk import Statistics
from fastapi_easy.domain.migrations.run import Run, RunState, StepState
from fastapi_easy.domain.migrations.step import Reversibility, Step, StepMode
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.domain.ports.schema_store import MigrationSession


class Undoer:
    """Undoes runs under one session."""

    def __init__(self, collaborators: MigrationCollaborators, session: MigrationSession) -> None:
        self._collaborators = collaborators
        self._session = session
        self._steps = StepExecutor(collaborators, session)
        self._announcer = Announcer(collaborators)
        self._database = collaborators.store.name

    async def undo(self, runs: Sequence[Run], approvals: Approvals, declared: str = "") -> Outcome[Run]:
        """Undo *runs*, newest first, and return the last one that was undone.

        Nothing is executed when a step of one of them cannot be undone, or may not be.

        Args:
            runs: As they are recorded; only the first one may be unfinished.

            approvals: What may be lost.

            declared: What the ledger says of the declared schema, for the case that nothing is undone.

        Fails with:
            MigrationStopped: `IRREVERSIBLE`, `NOT_ALLOWED`, `NEEDS_REPAIR`, `VETOED`, `NO_SPACE`, `CHANGED` before
                anything is executed; `FAILED` after what is recorded.

            LockLost: A newer session has the lock.

            Unavailable: The database did not answer before anything was executed.
        """
        newest, *older = runs
        is_unfinished = newest.state is not RunState.APPLIED
        if is_unfinished:
            # Whatever its process has left running has to end, so that what is there can be seen.
            adopted = await self._adopt(newest, approvals)
            if isinstance(adopted, Failure):
                return adopted
            newest = adopted.unwrap()
        prepared = await self._prepare([newest, *older], approvals)
        if isinstance(prepared, Failure):
            if is_unfinished:
                await self._steps.leave(newest, RunState.FAILED, describe_error(prepared.failure()))
            return prepared
        undone = newest
        for place, each in enumerate(prepared.unwrap()):
            outcome = await self._undo_run(each, approvals, declared, is_adopted=is_unfinished and not place)
            if isinstance(outcome, Failure):
                return outcome
            undone = outcome.unwrap()
        return Success(dataclasses.replace(undone, notes=tuple(self._steps.notes)))

    async def _prepare(self, runs: Sequence[Run], approvals: Approvals) -> Outcome[Sequence[Undoing]]:
        """Find out what has to be done, and whether it can and may be done."""
        found: list[Undoing] = []
        for run in runs:
            planned = await plan_undoing(self._collaborators.store, run)
            if isinstance(planned, Failure):
                return planned
            found.append(planned.unwrap())
        refused = self._find_irreversible(found) or self._find_blocked(found)
        if refused is not None:
            return Failure(refused)
        judged = await self._judge(found)
        if isinstance(judged, Failure):
            return judged
        steps = judged.unwrap()
        refused = find_refusal(self._database, steps, approvals) or await self._find_veto(found)
        if refused is not None:
            return Failure(refused)
        if any(each.destructive or each.mode is StepMode.REBUILD for each in steps):
            copied = await back_up(self._collaborators.store, self._steps)
            if isinstance(copied, Failure):
                return copied
        return Success(found)

    def _find_irreversible(self, found: Sequence[Undoing]) -> MigrationStopped | None:
        stuck = [(each, *step) for each in found for step in each.irreversible]
        adopted = [each.run for each in found if not each.plan.steps]
        if not stuck and not adopted:
            return None
        details = [f"run {each.run.id}, step {index + 1}: {step.summary}" for each, index, step in stuck]
        details += [
            f"run {run.id}: the database was adopted here, there is nothing to undo" for run in adopted
        ]
        possible = 0
        for each in found:
            if each.irreversible or not each.plan.steps:
                break
            possible += 1
        left = (
            f"the newest {possible} of these runs can be undone"
            if possible
            else "the newest run cannot be undone"
        )
        return MigrationStopped(
            self._database,
            MigrationStop.IRREVERSIBLE,
            f"nothing was undone, since these steps have nothing that undoes them; {left}",
            details=tuple(details),
        )

    def _find_blocked(self, found: Sequence[Undoing]) -> MigrationStopped | None:
        blocked = [
            f"run {each.run.id}, step {index + 1}: {each.plan.steps[index].summary}"
            for each in found
            for index, what in each.todo
            if what is Undo.BLOCK
        ]
        if not blocked:
            return None
        return MigrationStopped(
            self._database,
            MigrationStop.NEEDS_REPAIR,
            "nothing was undone, since nobody can tell what these steps have done: look at the steps (repair, show), "
            "then say what holds (repair, mark_done or abandon)",
            details=tuple(blocked),
        )

    async def _judge(self, found: Sequence[Undoing]) -> Outcome[tuple[Step, ...]]:
        steps = [step for each in found for _, step in each.reversed_steps]
        changes = tuple(change for step in steps for change in step.changes)
        questions = questions_about_reverse(changes)
        statistics = Statistics()
        if questions:
            measured = await self._collaborators.store.measure(changes, questions)
            if isinstance(measured, Failure):
                return measured
            statistics = measured.unwrap()
        return Success(tuple(judge_reverse(each, statistics) for each in steps))

    async def _find_veto(self, found: Sequence[Undoing]) -> MigrationStopped | None:
        for each in found:
            context = RunContext(database=self._database, plan=each.plan, run=each.run)
            refused = await self._collaborators.hooks.ask(Moment.BEFORE_ROLLBACK, context, each.plan.changes)
            if refused:
                message = f"nothing was undone, since it was refused: {refused}"
                return MigrationStopped(self._database, MigrationStop.VETOED, message, each.run.id)
        return None

    async def _adopt(self, run: Run, approvals: Approvals) -> Outcome[Run]:
        taken = dataclasses.replace(
            run,
            state=RunState.RUNNING,
            epoch=self._session.epoch,
            owner=self._collaborators.owner,
            approvals=tuple(sorted({*run.approvals, *approvals.given})),
            error="",
        )
        return await self._session.adopt(taken)

    async def _undo_run(
        self, undoing: Undoing, approvals: Approvals, declared: str, *, is_adopted: bool
    ) -> Outcome[Run]:
        run, plan = undoing.run, undoing.plan
        if not is_adopted:
            adopted = await self._adopt(run, approvals)
            if isinstance(adopted, Failure):
                return adopted
            run = adopted.unwrap()
        settled = await self._settle(undoing, run)
        if isinstance(settled, Failure):
            return settled
        is_whole = undoing.run.state is RunState.APPLIED
        for index, _ in undoing.reversed_steps:
            outcome = await self._undo_step(run, plan, index)
            if isinstance(outcome, Failure):
                error = outcome.failure()
                is_whole = is_whole and _has_left_all(plan.steps[index], error)
                return await self._steps.fail(
                    run,
                    plan,
                    index,
                    error,
                    is_undone=True,
                    state=RunState.APPLIED if is_whole else RunState.FAILED,
                    declared=declared if is_whole else "",
                )
            is_whole = False
        finished = await self._session.finish(run, RunState.ROLLED_BACK)
        if isinstance(finished, Failure):
            return finished
        await self._compare(undoing)
        context = RunContext(database=self._database, plan=plan, run=finished.unwrap())
        self._steps.note(*await self._collaborators.hooks.tell(Moment.AFTER_ROLLBACK, context, plan.changes))
        await self._announcer.announce(
            MigrationRolledBack, plan, finished.unwrap(), steps=len(undoing.reversed_steps)
        )
        return finished

    async def _settle(self, undoing: Undoing, run: Run) -> Outcome[None]:
        """Record what the steps are that are in doubt."""
        for index, what in undoing.todo:
            if what is Undo.FORGET:
                marked = await self._session.mark(run, index, StepState.PENDING)
            elif undoing.run.steps[index].state is not StepState.DONE:
                marked = await self._session.mark(run, index, StepState.DONE)
            else:
                continue
            if isinstance(marked, Failure):
                return marked
        return Success(None)

    async def _undo_step(self, run: Run, plan: MigrationPlan, index: int) -> Outcome[object]:
        if not plan.steps[index].reverse:
            return await self._session.mark(run, index, StepState.REVERSED)
        return await self._steps.execute(run, plan, index, reverse=True)

    async def _compare(self, undoing: Undoing) -> None:
        """Note when the stored schema is not what it was before the run, although every step said so."""
        if any(each.reversibility is not Reversibility.FULL for each in undoing.plan.steps):
            return
        described = await self._collaborators.store.describe()
        before = undoing.run.schema_before
        if isinstance(described, Success) and before and described.unwrap().fingerprint != before:
            self._steps.note(
                f"everything of run {undoing.run.id} was undone, and the stored schema is not quite what it was before"
            )


def _has_left_all(step: Step, error: Error) -> bool:
    """Return whether nothing of *step* was undone, after undoing it has failed with *error*."""
    if step.reverse_mode in {StepMode.TRANSACTION, StepMode.REBUILD} or isinstance(error, LockHeld):
        return True
    return (
        len(step.reverse) == 1
        and step.reverse_mode is StepMode.AUTOCOMMIT
        and not isinstance(error, Unavailable)
    )
