"""Makes the plan that somebody asked for, with the hooks before and after it."""

from returns.result import Failure

from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.hooks.contexts import Moment, PlanContext
from fastapi_easy.application.migrations.planning.planner import Outlook, Planner
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped


async def make_asked_plan(
    collaborators: MigrationCollaborators, hints: Hints, *, from_models: bool = False
) -> Outcome[Outlook]:
    """Ask the hooks, make the plan, and tell them.

    Fails with:
        MigrationStopped: `VETOED` when a hook refuses; else as `Planner.look`.

        Unavailable: The database does not answer.
    """
    hooks, database = collaborators.hooks, collaborators.store.name
    refused = await hooks.ask(Moment.BEFORE_PLAN, PlanContext(database=database, hints=hints))
    if refused:
        return Failure(
            MigrationStopped(
                database, MigrationStop.VETOED, f"no plan was made, since it was refused: {refused}"
            )
        )
    found = await Planner(collaborators).look(hints, from_models=from_models)
    if isinstance(found, Failure):
        return found
    plan = found.unwrap().plan
    context = PlanContext(database=database, hints=hints, plan=plan)
    for each in await hooks.tell(Moment.AFTER_PLAN, context, plan.changes):
        collaborators.report(each)
    return found
