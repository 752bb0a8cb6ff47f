"""Tasks that note what was asked, and answer as told."""

import dataclasses
import datetime
from typing import Any

from returns.result import Failure, Success
from typer.testing import CliRunner, Result

from fastapi_easy.application.migrations.plan_document import write_plan
from fastapi_easy.domain.migrations.events import MigrationEvent
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.run import Run, RunState, StepRecord, StepState
from fastapi_easy.interfaces.cli.app import build_cli
from fastapi_easy.interfaces.cli.migrate.tasks import (
    Linted,
    MigrationStatus,
    MigrationTasks,
    Repaired,
)
from fastapi_easy.interfaces.cli.tasks import Tasks
from tests.unit.application.migrations.sample_plans import NOTHING, PLAN

NOON = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)


def run_of(plan: MigrationPlan, state: RunState, *states: StepState, error: str = "") -> Run:
    """A run of *plan* that has come so far."""
    records = [
        StepRecord(
            index=index,
            kind=step.kind,
            object=step.object,
            summary=step.summary,
            statements=step.statements,
            reverse=step.reverse,
            checksum="c",
            reversibility=step.reversibility,
            mode=step.mode,
            reverse_mode=step.reverse_mode,
            risk=step.risk.value,
            state=step_state,
            attempts=1,
            started_at=NOON,
            finished_at=NOON,
        )
        for index, (step, step_state) in enumerate(zip(plan.steps, states, strict=True))
    ]
    return Run(
        id="6a9b",
        plan_id=plan.id,
        plan_checksum=plan.checksum,
        parent=plan.parent,
        source=plan.source,
        revisions=plan.revisions,
        state=state,
        epoch=1,
        owner="vm:1",
        app_version="1.2.3",
        approvals=("caution",),
        schema_before="b",
        schema_after="a",
        started_at=NOON,
        finished_at=NOON,
        plan=write_plan(plan),
        steps=tuple(records),
        error=error,
    )


APPLIED = run_of(PLAN, RunState.APPLIED, *[StepState.DONE] * 4)
BLOCKED = run_of(
    PLAN,
    RunState.BLOCKED,
    *(StepState.DONE, StepState.RUNNING, StepState.PENDING, StepState.PENDING),
    error="nobody knows",
)
UP_TO_DATE = MigrationStatus(server_version="PostgreSQL 15.4", head=PLAN.id, pending=NOTHING)


class RecordedTasks:
    """Notes what was asked, and answers as told.

    Args:
        failure: What every task fails with.

        raises: What every task raises.

        confirms: What a person answers; `None` is nobody.

        events: What is told of a run.

        answers: What the tasks answer, by their names.
    """

    def __init__(
        self,
        *,
        failure: Any = None,
        raises: Exception | None = None,
        confirms: bool | None = True,
        events: tuple[MigrationEvent, ...] = (),
        **answers: Any,
    ) -> None:
        self.asked: list[Any] = []
        self.questions: list[str] = []
        self._failure = failure
        self._raises = raises
        self._confirms = confirms
        self._events = events
        self._answers = {
            "make": None,
            "plan": PLAN,
            "lint": Linted(plan=PLAN),
            "lint_scripts": Linted(plan=PLAN),
            "apply": APPLIED,
            "rollback": APPLIED,
            "status": UP_TO_DATE,
            "repair": Repaired(run=None),
            "baseline": APPLIED,
            **answers,
        }

    def tasks(self) -> MigrationTasks:
        """What the commands call."""
        return MigrationTasks(
            **{name: self._answering(name) for name in self._answers},
            confirm=self._confirm,
        )

    def _answering(self, name: str) -> Any:
        def answered(asked: Any, watch: Any = None) -> Any:
            self.asked.append((name, asked))
            if self._raises is not None:
                raise self._raises
            for event in self._events if watch else ():
                watch(event)
            return Success(self._answers[name]) if self._failure is None else Failure(self._failure)

        return answered

    def _confirm(self, question: str) -> bool | None:
        self.questions.append(question)
        return self._confirms


def call(
    *arguments: str, recorded: RecordedTasks | None = None, text: str = "", **told: Any
) -> tuple[Result, Any]:
    """Call `fastapi-easy migrate` with *arguments*, and return what came of it and what was asked."""
    recorded = recorded or RecordedTasks(**told)
    others: Any = dict.fromkeys((each.name for each in dataclasses.fields(Tasks)), print)
    cli = build_cli(Tasks(**others), recorded.tasks)
    return CliRunner().invoke(cli, ["migrate", *arguments], input=text), recorded
