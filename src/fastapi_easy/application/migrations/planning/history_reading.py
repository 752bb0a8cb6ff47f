"""What a ledger says about the stored schema of now: whether somebody else has changed it."""

from collections.abc import Sequence

from fastapi_easy.application.migrations.plan_document import read_plan
from fastapi_easy.domain.migrations.run import History, Run
from fastapi_easy.domain.migrations.step import Step
from fastapi_easy.domain.ports.schema_store import StoredSchema


def describe_drift(history: History, stored: StoredSchema) -> tuple[str, ...]:
    """Return where *stored* is not what the last run has left, each a sentence."""
    unfinished = history.unfinished
    if unfinished is not None:
        # Half a run explains any difference.
        sentence = (
            f"run {unfinished.id} of plan {unfinished.plan_id} was begun by {unfinished.owner} and has not ended "
            f"({unfinished.state}): applying goes on with it first"
        )
        return (sentence,)
    if not history.fingerprint or history.fingerprint == stored.fingerprint:
        return ()
    last = f"plan {history.head}" if history.head else "the last rollback"
    sentence = (
        f"the stored schema is not what {last} has left: somebody has changed it by other means "
        f"(fingerprint {stored.fingerprint[:12]} instead of {history.fingerprint[:12]})"
    )
    return (sentence,)


def describe_newer_program(history: History, declared: str) -> str:
    """Return how the database went on after it had the schema *declared*; an empty text if it did not.

    The way back from there by comparison would drop what the newer program has added.
    """
    if not declared or not history.applied:
        return ""
    head, *earlier = history.applied
    if declared_by(head) == declared or all(declared_by(each) != declared for each in earlier):
        return ""
    version = f" {head.app_version}" if head.app_version else ""
    return (
        f"the database had the schema of this program and was brought to another one by a newer program{version} "
        f"(plan {head.plan_id}, {head.started_at:%Y-%m-%d})"
    )


def describe_unwritten(steps: Sequence[Step]) -> tuple[str, ...]:
    """Return what *steps*, a comparison after all scripts were applied, would do, a sentence; empty for nothing."""
    if not steps:
        return ()
    summaries = "; ".join(each.summary for each in steps)
    return (
        f"the scripts do not lead to the declared schema, write one for what is left (make): {summaries}",
    )


def declared_by(run: Run) -> str:
    """Return the checksum of the declared schema that the plan of *run* leads to; an empty text when unknown."""
    try:
        return read_plan(run.plan).declared
    except ValueError:
        return ""
