"""What happened during migrations, in the past tense."""

import datetime
import uuid
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationEvent:
    """Something happened to the schema of a database.

    It belongs to no resource: whoever subscribes to the events of one is not told.

    Attributes:
        database: The name of the database in the settings.

        plan_id, plan_checksum: Of the plan.

        run_id: Of the run; empty before there is one.

        owner: Who asked for it.

        occurred_at: Aware, UTC.

        id: Unique for this event.
    """

    verb: ClassVar[str] = "happened"
    resource: ClassVar[str] = ""
    database: str
    plan_id: str
    plan_checksum: str
    run_id: str = ""
    owner: str = ""
    occurred_at: datetime.datetime
    id: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def name(self) -> str:
        """Return the name for subscribers and logs: `migration.started`."""
        return f"migration.{self.verb}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationPlanned(MigrationEvent):
    """A plan was made for a run.

    Attributes:
        risk: Its risk.

        steps: How many steps it has.
    """

    verb: ClassVar[str] = "planned"
    risk: str
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationStarted(MigrationEvent):
    """A run has begun, or goes on.

    Attributes:
        approvals: What was allowed.

        resumed: It goes on after an earlier attempt.
    """

    verb: ClassVar[str] = "started"
    approvals: tuple[str, ...]
    resumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StepApplied(MigrationEvent):
    """A step took effect.

    Attributes:
        index: Its place in the plan, from 0.

        summary: What it did.

        seconds: How long it took.
    """

    verb: ClassVar[str] = "step_applied"
    index: int
    summary: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailed(MigrationEvent):
    """A step failed.

    Attributes:
        index: Its place in the plan, from 0.

        summary: What it was to do.

        error: Why it failed.
    """

    verb: ClassVar[str] = "step_failed"
    index: int
    summary: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationApplied(MigrationEvent):
    """Every step of a run took effect."""

    verb: ClassVar[str] = "applied"


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationBlocked(MigrationEvent):
    """Nobody can tell what a step has done; somebody has to look.

    Attributes:
        index: The place of the step.

        reason: Why.
    """

    verb: ClassVar[str] = "blocked"
    index: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationRolledBack(MigrationEvent):
    """Steps of a run were undone.

    Attributes:
        steps: How many.
    """

    verb: ClassVar[str] = "rolled_back"
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationRepaired(MigrationEvent):
    """Somebody has said what holds of a run that had not ended.

    Attributes:
        action: What was done about it: `adopt`, `retry`, `mark_done` or `abandon`.

        index: The place of the step that was taken for done, from 0; `None` where all are meant.

        outcome: `ok`, or the code of the error that it came to: some of it may be recorded all the same.
    """

    verb: ClassVar[str] = "repaired"
    action: str
    index: int | None = None
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationLockLost(MigrationEvent):
    """The lock of a run was lost between two steps."""

    verb: ClassVar[str] = "lock_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftDetected(MigrationEvent):
    """The stored schema is not what the last run left.

    Attributes:
        differences: Each a sentence.
    """

    verb: ClassVar[str] = "drift_detected"
    differences: tuple[str, ...]
