"""The gate before anything is executed: what is not safe has to be allowed."""

from collections.abc import Iterable

from fastapi_easy.domain.migrations.policy import Approvals
from fastapi_easy.domain.migrations.step import Step
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped


def find_refusal(
    database: str,
    steps: Iterable[Step],
    approvals: Approvals,
    run_id: str = "",
    *,
    before: str = "nothing was executed",
) -> MigrationStopped | None:
    """Return why *steps* may not be executed with *approvals*; `None` when they may.

    The details of the refusal are the approvals that would have to be given as well, exactly as they are given.

    Args:
        database: The name of the database in the settings.

        steps: What is to be executed.

        approvals: What was given.

        run_id: The run that the steps belong to, or follow.

        before: What has happened so far, for people.
    """
    refused = [(each, needed) for each in steps if (needed := approvals.lacking(each))]
    if not refused:
        return None
    summaries = "; ".join(f"{each.summary} ({each.risk.value})" for each, _ in refused)
    return MigrationStopped(
        database,
        MigrationStop.NOT_ALLOWED,
        f"{before}, since this has to be allowed explicitly: {summaries}",
        run_id,
        tuple(dict.fromkeys(name for _, needed in refused for name in needed)),
    )
