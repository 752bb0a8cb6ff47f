"""Findings as a JSON document."""

from collections.abc import Sequence
from typing import Final

from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.interfaces.cli.migrate.reports.placed_findings import PlacedFinding

SCHEMA: Final = "fe.migration-findings/1"
"""What the member `schema` of every document says."""


def findings_document(plan: MigrationPlan, findings: Sequence[PlacedFinding]) -> dict[str, object]:
    """Return *findings* of *plan* as a JSON document; steps are numbered from 0, as in that of the plan."""
    from fastapi_easy.application.migrations.plan_document import approvals_needed, finding_document

    return {
        "schema": SCHEMA,
        "plan_id": plan.id,
        "risk": plan.risk.value,
        "destructive": plan.destructive,
        "approvals_needed": list(approvals_needed(plan)),
        "findings": [
            {
                **finding_document(each.finding),
                "step": None if each.step is None else each.step - 1,
                "file": each.place.file.as_posix() if each.place else None,
                "line": each.place.line if each.place else None,
            }
            for each in findings
        ],
    }
