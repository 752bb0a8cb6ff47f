"""Finds what an order means for the database as it is now."""

import dataclasses
from dataclasses import dataclass

from returns.result import Failure, Success

from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.planning.asked_plan import make_asked_plan
from fastapi_easy.application.migrations.planning.given_plan import find_mismatch
from fastapi_easy.application.migrations.planning.order import Order
from fastapi_easy.application.migrations.planning.planner import Outlook, Planner
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.run import History, Run
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What an order means now.

    Attributes:
        plan: What is to be executed, assessed by the data of now.

        now: The whole plan that would be made now, and what it was made from.
    """

    plan: MigrationPlan
    now: Outlook


async def find_target(collaborators: MigrationCollaborators, order: Order) -> Outcome[Target]:
    """Find what *order* means for the database as it is now.

    Fails with:
        MigrationStopped: `DRIFT` or `CHANGED` when the reviewed plan does not fit any more, `AHEAD` when a newer
            program has migrated the database, `VETOED` when a hook refuses.

        Unavailable: The database does not answer.
    """
    found = await make_asked_plan(collaborators, order.hints)
    if isinstance(found, Failure):
        return found
    now = found.unwrap()
    if order.plan is None:
        return choose_part(order, now)
    mismatch = find_mismatch(order.plan, now)
    if mismatch is not None:
        return Failure(mismatch)
    if order.plan.source == "files":
        # Equal to the plan of now, which knows what the scripts suppress.
        return Success(Target(plan=now.plan, now=now))
    assessed = await Planner(collaborators).assess_again(order.plan, now.stored)
    if isinstance(assessed, Failure):
        return assessed
    return Success(Target(plan=assessed.unwrap(), now=now))


def find_applied(order: Order, history: History) -> Run | None:
    """Return the last run, if it has carried out the very plan of *order*: another process was faster."""
    if order.plan is None or not history.applied:
        return None
    last = history.applied[0]
    return last if last.plan_checksum == order.plan.checksum else None


def choose_part(order: Order, now: Outlook) -> Outcome[Target]:
    """Return the part of the plan of *now* that *order* means.

    Fails with:
        MigrationStopped: `AHEAD`, when somebody has asked.
    """
    selected = order.select(now.plan)
    if not now.ahead or not selected:
        return Success(Target(plan=selected, now=now))
    if order.at_start:
        return Success(Target(plan=dataclasses.replace(selected, steps=()), now=now))
    return Failure(
        MigrationStopped(
            now.plan.database,
            MigrationStop.AHEAD,
            f"{now.ahead}: nothing is changed, since the way back would drop what that program needs. Roll back, or "
            "make a plan, review it, and apply that plan",
        )
    )
