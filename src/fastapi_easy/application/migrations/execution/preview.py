"""What applying would execute, found out without a lock and without writing."""

import dataclasses

from returns.result import Failure, Success

from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.execution.approval import find_refusal
from fastapi_easy.application.migrations.execution.run_record import (
    DONE_WITH,
    new_run,
    read_stored_plan,
    steps_left,
)
from fastapi_easy.application.migrations.execution.unfinished import find_obstacle, has_done_nothing
from fastapi_easy.application.migrations.planning.order import Order
from fastapi_easy.application.migrations.planning.target import find_applied, find_target
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.policy import Approvals
from fastapi_easy.domain.migrations.run import Run, RunState, StepState
from fastapi_easy.domain.migrations.stopped import MigrationStopped


async def preview(collaborators: MigrationCollaborators, order: Order) -> Outcome[Run]:
    """Return the run that applying *order* would begin or go on with.

    Returns:
        A run in the state `PLANNED`. Its steps in the state `PENDING` would be executed, those `SKIPPED` would not.

    Fails with:
        MigrationStopped: What would keep the run from beginning, except hooks of runs and steps.

        Unavailable: The database does not answer.
    """
    read = await collaborators.store.history()
    if isinstance(read, Failure):
        return read
    unfinished = read.unwrap().unfinished
    if unfinished is not None:
        obstacle = find_obstacle(collaborators.store.name, unfinished)
        if obstacle is not None:
            return Failure(obstacle)
        if not await has_done_nothing(collaborators.store, unfinished):
            plan = read_stored_plan(collaborators.store.name, unfinished)
            if isinstance(plan, MigrationStopped):
                return Failure(plan)
            approvals = Approvals(order.approvals.given | set(unfinished.approvals))
            return _show(unfinished, plan, order, approvals)
    elif (applied := find_applied(order, read.unwrap())) is not None:
        return Success(applied)
    found = await find_target(collaborators, order)
    if isinstance(found, Failure):
        return found
    plan = found.unwrap().plan
    run = new_run(collaborators, plan, order.approvals, state=RunState.PLANNED)
    return _show(run, plan, order, order.approvals)


def _show(run: Run, plan: MigrationPlan, order: Order, approvals: Approvals) -> Outcome[Run]:
    left = dict(steps_left(plan, run, order.until))
    refusal = find_refusal(plan.database, left.values(), approvals, run.id)
    if refusal is not None:
        return Failure(refusal)
    steps = tuple(
        dataclasses.replace(each, state=StepState.PENDING if each.index in left else StepState.SKIPPED)
        if each.state not in DONE_WITH
        else each
        for each in run.steps
    )
    return Success(dataclasses.replace(run, state=RunState.PLANNED, steps=steps))
