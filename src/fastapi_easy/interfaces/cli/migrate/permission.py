"""Refuse what was not allowed, before anything is asked or changed."""

import dataclasses

from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.policy import Approvals
from fastapi_easy.domain.migrations.stopped import MigrationStop
from fastapi_easy.interfaces.cli.migrate.exit_codes import ExitCode
from fastapi_easy.interfaces.cli.migrate.failures import end


def refuse_unless_allowed(
    plan: MigrationPlan, approvals: Approvals, *, steps: int | None = None, as_json: bool = False
) -> None:
    """End the command if a step of *plan* is not allowed, and say what would allow it.

    Args:
        plan: Its steps.

        approvals: What is allowed beyond what is safe.

        steps: How many of the steps count, from the first; `None` for all.

        as_json: Print an object on stdout as well.
    """
    from fastapi_easy.application.migrations.plan_document import approvals_needed

    lacking = approvals_needed(dataclasses.replace(plan, steps=plan.steps[:steps]), approvals)
    if lacking:
        end(
            ExitCode.NOT_ALLOWED,
            "not allowed without:",
            details=lacking,
            before_details="--allow ",
            code=MigrationStop.NOT_ALLOWED.value,
            as_json=as_json,
        )
