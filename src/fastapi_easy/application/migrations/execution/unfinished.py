"""What a run that has not ended allows."""

from returns.result import Success

from fastapi_easy.application.migrations.execution.run_record import read_stored_plan
from fastapi_easy.application.migrations.execution.step_executor import needs_repair
from fastapi_easy.domain.migrations.run import Run, RunState, StepRecord, StepState
from fastapi_easy.domain.migrations.step import Effect, StepMode
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.domain.ports.schema_store import SchemaStore

_ATOMIC = frozenset({StepMode.TRANSACTION, StepMode.REBUILD})


def find_obstacle(database: str, run: Run) -> MigrationStopped | None:
    """Return why nobody may go on with *run* before somebody has looked at it; `None` when it may go on."""
    if run.state is RunState.BLOCKED:
        return needs_repair(database, run, run.error or "a step may have taken effect")
    if run.is_being_undone:
        undone = sum(each.state is StepState.REVERSED for each in run.steps)
        return MigrationStopped(
            database,
            MigrationStop.NEEDS_REPAIR,
            f"a rollback of run {run.id} was cut off after {undone} of {len(run.steps)} steps: roll back again, and it "
            "goes on there; or give the run up (repair, abandon)",
            run.id,
        )
    return None


def certainly_did_nothing(run: Run) -> bool:
    """Return whether each step of *run* that was begun was all or nothing, and has failed."""
    return all(
        each.state is StepState.FAILED and not each.progress and each.mode in _ATOMIC for each in _begun(run)
    )


async def has_done_nothing(store: SchemaStore, run: Run) -> bool:
    """Return whether no step of *run* can have had any effect: then another plan may take its place.

    What the server has refused without a transaction is looked for.
    """
    if certainly_did_nothing(run):
        return True
    begun = _begun(run)
    if any(each.state is not StepState.FAILED or each.progress for each in begun):
        return False
    doubtful = [each.index for each in begun if each.mode not in _ATOMIC]
    plan = read_stored_plan(store.name, run)
    if isinstance(plan, MigrationStopped):
        return False
    effects = [await store.probe(plan.steps[index]) for index in doubtful]
    return all(each == Success(Effect.NOT_APPLIED) for each in effects)


def _begun(run: Run) -> list[StepRecord]:
    return [each for each in run.steps if each.state is not StepState.PENDING]
