"""When hooks are called, and what they are told."""

import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.run import Run
from fastapi_easy.domain.migrations.step import Step


class Moment(enum.StrEnum):
    """When a hook is called. One before something may refuse it; one afterwards cannot undo it."""

    BEFORE_PLAN = "before_plan"
    AFTER_PLAN = "after_plan"
    BEFORE_RUN = "before_run"
    BEFORE_STEP = "before_step"
    AFTER_STEP = "after_step"
    ON_STEP_ERROR = "on_step_error"
    AFTER_RUN = "after_run"
    ON_BLOCKED = "on_blocked"
    BEFORE_ROLLBACK = "before_rollback"
    AFTER_ROLLBACK = "after_rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanContext:
    """A plan is made.

    Attributes:
        database: The name of the database in the settings.

        hints: What whoever asked knows.

        plan: What came out; `None` before.
    """

    database: str
    hints: Hints
    plan: MigrationPlan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """A plan is carried out, or undone.

    Attributes:
        database: The name of the database in the settings.

        plan: What is carried out.

        run: As it is recorded; before a new run, as it will be.

        reason: Why it is blocked; empty otherwise.
    """

    database: str
    plan: MigrationPlan
    run: Run
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContext:
    """A step is carried out.

    Attributes:
        database: The name of the database in the settings.

        plan: What it belongs to.

        run: As it was begun.

        index: Its place in the plan, from 0.

        step: What it does.

        is_undone: It is what undoes the step that is carried out.

        error: Why it failed; empty otherwise.
    """

    database: str
    plan: MigrationPlan
    run: Run
    index: int
    step: Step
    is_undone: bool = False
    error: str = ""


PlanHook: TypeAlias = Callable[[PlanContext], Awaitable[None]]
RunHook: TypeAlias = Callable[[RunContext], Awaitable[None]]
StepHook: TypeAlias = Callable[[StepContext], Awaitable[None]]
