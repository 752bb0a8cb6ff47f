"""The record of a run: made when it begins, and checked when somebody goes on with it."""

import uuid
from typing import Final

from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.plan_document import read_plan, write_plan
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.policy import Approvals
from fastapi_easy.domain.migrations.run import Run, RunState, StepRecord, StepState
from fastapi_easy.domain.migrations.step import Step
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped

DONE_WITH: Final = frozenset({StepState.DONE, StepState.SKIPPED})
"""States of steps that are not carried out any more."""


def new_run(
    collaborators: MigrationCollaborators,
    plan: MigrationPlan,
    approvals: Approvals | None = None,
    *,
    state: RunState = RunState.RUNNING,
    epoch: int = 0,
) -> Run:
    """Return the record of a run of *plan* that begins now, with every step pending."""
    return Run(
        id="" if state is RunState.PLANNED else str(uuid.uuid4()),
        plan_id=plan.id,
        plan_checksum=plan.checksum,
        parent=plan.parent,
        source=plan.source,
        revisions=plan.revisions,
        state=state,
        epoch=epoch,
        owner=collaborators.owner,
        app_version=collaborators.app_version,
        approvals=() if approvals is None else tuple(sorted(approvals.given)),
        schema_before=plan.schema_before,
        schema_after="",
        started_at=collaborators.clock.now(),
        finished_at=None,
        plan=write_plan(plan),
        steps=tuple(StepRecord.of(index, each) for index, each in enumerate(plan.steps)),
    )


def read_stored_plan(database: str, run: Run) -> MigrationPlan | MigrationStopped:
    """Return the plan that *run* was begun with, or why it cannot be relied on."""
    try:
        plan = read_plan(run.plan)
    except ValueError as error:
        return _changed(database, run, str(error))
    if plan.checksum != run.plan_checksum:
        return _changed(database, run, "its checksum is not the one of the run")
    recorded = [(each.statements, each.reverse) for each in run.steps]
    if recorded != [(each.statements, each.reverse) for each in plan.steps]:
        return _changed(database, run, "the statements of the steps are not those of the plan")
    return plan


def steps_left(
    plan: MigrationPlan, run: Run | None = None, until: int | None = None
) -> tuple[tuple[int, Step], ...]:
    """Return the steps of *plan*, with their places, that *run* has still to carry out up to step *until*."""
    done = set() if run is None else {each.index for each in run.steps if each.state in DONE_WITH}
    return tuple(
        (index, step)
        for index, step in enumerate(plan.steps)
        if index not in done and (until is None or index <= until)
    )


def _changed(database: str, run: Run, why: str) -> MigrationStopped:
    return MigrationStopped(
        database,
        MigrationStop.CHANGED,
        f"the plan of run {run.id} was changed after the run had begun, so nobody goes on with it: give the run up "
        "(repair, abandon) and apply anew",
        run.id,
        (why,),
    )
