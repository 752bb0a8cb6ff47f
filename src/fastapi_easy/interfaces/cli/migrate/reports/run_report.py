"""A run, for people and for programs."""

from collections import Counter
from typing import Final

from fastapi_easy.domain.migrations.run import Run, RunState, StepRecord, StepState
from fastapi_easy.interfaces.cli.migrate.masking import masked, on_one_line
from fastapi_easy.interfaces.cli.migrate.reports.plan_view import counted

SCHEMA: Final = "fe.migration-run/1"
"""What the member `schema` of every document says."""

_STATES: Final = {
    RunState.PLANNED: "was not begun",
    RunState.RUNNING: "has not ended",
    RunState.APPLIED: "was applied",
    RunState.FAILED: "failed",
    RunState.BLOCKED: "is blocked: see repair",
    RunState.ROLLED_BACK: "was rolled back",
    RunState.ABANDONED: "was given up",
}


def run_document(run: Run | None) -> dict[str, object]:
    """Return *run* as a JSON document; without one that was recorded, the document of nothing to do."""
    if run is None or not run.id:
        return {"schema": SCHEMA, "run_id": "", "state": "nothing_to_do", "steps": []}
    return {
        "schema": SCHEMA,
        "run_id": run.id,
        "state": run.state.value,
        "plan_id": run.plan_id,
        "checksum": run.plan_checksum,
        "parent": run.parent,
        "source": run.source,
        "revisions": list(run.revisions),
        "owner": run.owner,
        "app_version": run.app_version,
        "approvals": list(run.approvals),
        "schema_before": run.schema_before,
        "schema_after": run.schema_after,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "error": masked(run.error),
        "notes": [masked(each) for each in run.notes],
        "steps": [_step_document(each) for each in run.steps],
    }


def run_line(run: Run) -> str:
    """Return how far *run* has come, in one line."""
    states = Counter(each.state for each in run.steps)
    done = states[StepState.DONE] + states[StepState.SKIPPED]
    parts = [f"{done} of {counted(len(run.steps), 'step')} done"]
    if states[StepState.REVERSED]:
        parts.append(f"{states[StepState.REVERSED]} undone")
    error = f": {on_one_line(run.error)}" if run.error else ""
    return f"Run {run.id} of plan {run.plan_id} {_STATES[run.state]}; {', '.join(parts)}{error}"


def run_text(run: Run) -> str:
    """Return how far *run* has come, and what else is to be known."""
    return "\n".join([f"{run_line(run)}.", *(f"  {on_one_line(each)}" for each in run.notes)])


def _step_document(step: StepRecord) -> dict[str, object]:
    return {
        "ix": step.index,
        "kind": step.kind,
        "object": step.object,
        "summary": step.summary,
        "state": step.state.value,
        "attempts": step.attempts,
        "progress": step.progress,
        "started_at": step.started_at.isoformat() if step.started_at else None,
        "finished_at": step.finished_at.isoformat() if step.finished_at else None,
        "error": masked(step.error),
    }
