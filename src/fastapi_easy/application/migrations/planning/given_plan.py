"""Whether a plan that was made before, and reviewed, still fits the database and the program."""

from fastapi_easy.application.migrations.planning.history_reading import describe_drift
from fastapi_easy.application.migrations.planning.planner import Outlook
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped


def find_mismatch(plan: MigrationPlan, now: Outlook) -> MigrationStopped | None:
    """Return why *plan* cannot be carried out; `None` if it can.

    Args:
        plan: As it was reviewed.

        now: The plan that would be made now, and what it was made from.
    """
    fresh, history = now.plan, now.history
    if (plan.database, plan.dialect) != (fresh.database, fresh.dialect):
        return _stop(
            fresh,
            MigrationStop.CHANGED,
            f"plan {plan.id} was made for the database {plan.database!r} ({plan.dialect}), not for this one",
        )
    if plan.parent != history.head:
        return _stop(
            fresh,
            MigrationStop.DRIFT,
            f"plan {plan.id} continues {_named(plan.parent)}, and the database is at {_named(history.head)}: "
            "make the plan anew",
        )
    if plan.schema_before != now.stored.fingerprint:
        return _stop(
            fresh,
            MigrationStop.DRIFT,
            f"the stored schema is not the one that plan {plan.id} was made for: make the plan anew",
            describe_drift(history, now.stored),
        )
    if plan.source != fresh.source or (plan.source == "files" and plan.checksum != fresh.checksum):
        return _stop(
            fresh,
            MigrationStop.CHANGED,
            f"the migration scripts do not say what plan {plan.id} says: make the plan anew",
        )
    if plan.declared and plan.declared != fresh.declared:
        return _stop(
            fresh,
            MigrationStop.CHANGED,
            f"plan {plan.id} leads to a schema that this program does not declare: make the plan anew",
        )
    return None


def _named(plan_id: str) -> str:
    return f"plan {plan_id}" if plan_id else "none (no plan was applied)"


def _stop(
    fresh: MigrationPlan, stop: MigrationStop, message: str, details: tuple[str, ...] = ()
) -> MigrationStopped:
    return MigrationStopped(fresh.database, stop, message, details=details)
