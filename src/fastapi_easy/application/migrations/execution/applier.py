"""Applies plans under one session until nothing is left to do that was asked for."""

import dataclasses
from dataclasses import dataclass
from typing import Final

from returns.result import Failure, Success

from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.execution.announcements import Announcer
from fastapi_easy.application.migrations.execution.approval import find_refusal
from fastapi_easy.application.migrations.execution.run_executor import RunExecutor
from fastapi_easy.application.migrations.execution.run_record import new_run, read_stored_plan, steps_left
from fastapi_easy.application.migrations.execution.unfinished import find_obstacle, has_done_nothing
from fastapi_easy.application.migrations.planning.given_plan import find_mismatch
from fastapi_easy.application.migrations.planning.history_reading import describe_drift
from fastapi_easy.application.migrations.planning.order import Order
from fastapi_easy.application.migrations.planning.planner import Outlook, Planner
from fastapi_easy.application.migrations.planning.target import Target, choose_part, find_applied, find_target
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.events import DriftDetected
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.policy import Approvals
from fastapi_easy.domain.migrations.run import Run, RunState
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.domain.ports.schema_store import MigrationSession

ROUNDS: Final = 3
"""How often a plan is made and applied: some differences are seen only when others are gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What was applied.

    Attributes:
        run: The last run; one without id when there was nothing to do.

        rest: What the plan for the database would be now; `None` when nobody has looked.
    """

    run: Run
    rest: MigrationPlan | None


class Applier:
    """Applies what was ordered, under one session."""

    def __init__(
        self, collaborators: MigrationCollaborators, session: MigrationSession, order: Order
    ) -> None:
        self._collaborators = collaborators
        self._order = order
        self._planner = Planner(collaborators)
        self._runs = RunExecutor(collaborators, session)
        self._database = collaborators.store.name

    async def apply(self) -> Outcome[Applied]:
        """Go on with what was begun, then apply what was ordered.

        Fails with:
            MigrationStopped: Anything in `MigrationStop`.

            LockLost: A newer session has the lock.

            Unavailable: The database did not answer before anything was executed.
        """
        read = await self._collaborators.store.history()
        if isinstance(read, Failure):
            return read
        history = read.unwrap()
        unfinished = history.unfinished
        if unfinished is not None:
            obstacle = find_obstacle(self._database, unfinished)
            if obstacle is not None:
                return Failure(obstacle)
            if not await has_done_nothing(self._collaborators.store, unfinished):
                return await self._resume(unfinished)
        elif (applied := find_applied(self._order, history)) is not None:
            return Success(Applied(run=applied, rest=None))
        found = await find_target(self._collaborators, self._order)
        if isinstance(found, Failure):
            return found
        target = found.unwrap()
        await self._tell_of_drift(target.now)
        if unfinished is not None and target.plan.checksum == unfinished.plan_checksum:
            return await self._resume(unfinished)
        return await self._start(target, unfinished)

    async def _start(self, target: Target, unfinished: Run | None) -> Outcome[Applied]:
        """Begin with *target*, in the place of *unfinished*, which has done nothing."""
        plan = target.plan
        refusal = self._find_refusal(plan, self._order.approvals)
        if refusal is not None:
            return Failure(refusal)
        if unfinished is not None and (plan or not self._order.at_start):
            abandoned = await self._runs.abandon(unfinished)
            if isinstance(abandoned, Failure):
                return abandoned
        if not plan:
            return Success(Applied(run=self._nothing(plan), rest=target.now.plan))
        return await self._reach(plan, self._order.approvals)

    async def _resume(self, run: Run) -> Outcome[Applied]:
        stored = read_stored_plan(self._database, run)
        if isinstance(stored, MigrationStopped):
            return Failure(stored)
        # What was allowed belongs to this very plan, so it need not be given again; but nobody starts a program to
        # have what is dangerous done.
        approvals = self._order.approvals
        if not self._order.at_start:
            approvals = Approvals(approvals.given | set(run.approvals))
        refusal = self._find_refusal(stored, approvals, run)
        if refusal is not None:
            return Failure(refusal)
        return await self._reach(stored, approvals, run)

    async def _reach(
        self, plan: MigrationPlan, approvals: Approvals, resumed: Run | None = None
    ) -> Outcome[Applied]:
        """Carry out *plan*, and then what is seen only afterwards."""
        executed: set[tuple[str, ...]] = set()
        for round_ in range(ROUNDS):
            begun = await (
                self._runs.begin(plan, approvals)
                if resumed is None or round_
                else self._runs.adopt(resumed, plan, approvals)
            )
            if isinstance(begun, Failure):
                return begun
            until = None if round_ else self._order.until
            carried_out = await self._runs.carry_out(begun.unwrap(), plan, until)
            if isinstance(carried_out, Failure):
                return carried_out
            if not carried_out.unwrap():
                return await self._stopped_early(begun.unwrap())
            concluded = await self._conclude(begun.unwrap(), plan)
            if isinstance(concluded, Failure):
                return concluded
            run, now = concluded.unwrap()
            executed |= {each.statements for each in plan.steps}
            following = self._choose_next(plan, run, now, is_resumed=resumed is not None and not round_)
            if isinstance(following, Failure):
                return following
            plan, approvals = following.unwrap()
            if not plan:
                return Success(Applied(run=self._with_notes(run), rest=now.plan))
            if any(each.statements in executed for each in plan.steps):
                break
        return Failure(self._not_converged(plan))

    def _choose_next(
        self, plan: MigrationPlan, run: Run, now: Outlook, *, is_resumed: bool
    ) -> Outcome[tuple[MigrationPlan, Approvals]]:
        """Return what is to be done after *run* of *plan*, and with which approvals."""
        order, approvals = self._order, self._order.approvals
        if order.plan is not None:
            if is_resumed and order.plan.checksum != plan.checksum:
                mismatch = find_mismatch(order.plan, now)
                return Success((order.plan, approvals)) if mismatch is None else Failure(mismatch)
            # Nobody has reviewed what comes now.
            approvals = Approvals()
        chosen = choose_part(order, now)
        if isinstance(chosen, Failure):
            return chosen
        following = chosen.unwrap().plan
        done = f"run {run.id} was applied, and what is seen only afterwards was not"
        refusal = find_refusal(self._database, following.steps, approvals, run.id, before=done)
        return Success((following, approvals)) if refusal is None else Failure(refusal)

    async def _conclude(self, run: Run, plan: MigrationPlan) -> Outcome[tuple[Run, Outlook]]:
        """Record that *run* has ended, after a look at what is left, and return it and what is left."""
        order, runs = self._order, self._runs
        left = await self._planner.look(order.hints, from_models=True)
        declared = ""
        if isinstance(left, Success) and not left.unwrap().plan:
            declared = left.unwrap().plan.declared
        finished = await runs.conclude(run, plan, declared)
        if isinstance(finished, Failure):
            return finished
        if isinstance(left, Failure):
            return left
        if plan.source == "files" and left.unwrap().plan:
            summaries = "; ".join(each.summary for each in left.unwrap().plan.steps)
            runs.steps.note(f"the scripts do not lead to the declared schema, what is left: {summaries}")
        if declared and plan.source != "files":
            return Success((finished.unwrap(), left.unwrap()))
        # Looked at again, since the ledger says something else now.
        again = await self._planner.look(order.hints)
        if isinstance(again, Failure):
            return again
        return Success((finished.unwrap(), again.unwrap()))

    async def _stopped_early(self, run: Run) -> Outcome[Applied]:
        read = await self._collaborators.store.history()
        if isinstance(read, Failure):
            return read
        found = next((each for each in read.unwrap().runs if each.id == run.id), run)
        return Success(Applied(run=self._with_notes(found), rest=None))

    async def _tell_of_drift(self, now: Outlook) -> None:
        differences = () if now.history.unfinished else describe_drift(now.history, now.stored)
        if differences:
            self._runs.steps.note(*differences)
            await Announcer(self._collaborators).announce(DriftDetected, now.plan, differences=differences)

    def _find_refusal(
        self, plan: MigrationPlan, approvals: Approvals, run: Run | None = None
    ) -> MigrationStopped | None:
        steps = [each for _, each in steps_left(plan, run, self._order.until)]
        return find_refusal(self._database, steps, approvals, "" if run is None else run.id)

    def _nothing(self, plan: MigrationPlan) -> Run:
        run = new_run(self._collaborators, plan, state=RunState.PLANNED)
        return self._with_notes(dataclasses.replace(run, state=RunState.APPLIED))

    def _with_notes(self, run: Run) -> Run:
        return dataclasses.replace(run, notes=tuple(self._runs.steps.notes))

    def _not_converged(self, plan: MigrationPlan) -> MigrationStopped:
        return MigrationStopped(
            self._database,
            MigrationStop.NOT_CONVERGED,
            "every step took effect, and there are differences left that applying does not remove",
            details=tuple(each.summary for each in plan.steps),
        )
