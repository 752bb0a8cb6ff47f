"""How far the execution of a plan has come, as the ledger in the database says."""

import datetime
import enum
import hashlib
import json
from dataclasses import dataclass

from fastapi_easy.domain.migrations.step import Reversibility, Step, StepMode


class RunState(enum.StrEnum):
    """The state of a run."""

    PLANNED = "planned"
    """What a dry run answers; never recorded."""

    RUNNING = "running"
    APPLIED = "applied"
    FAILED = "failed"
    BLOCKED = "blocked"
    """Nobody can tell what a step has done: only `repair` goes on from here."""

    ROLLED_BACK = "rolled_back"
    ABANDONED = "abandoned"


class StepState(enum.StrEnum):
    """The state of a step."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    REVERSED = "reversed"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One step of a run, as recorded.

    Attributes:
        index: Its place in the plan, from 0.

        kind, object, summary: As of the step.

        statements, reverse: What was or will be executed.

        checksum: The SHA-256 of `statements`.

        reversibility: What `reverse` brings back.

        mode, reverse_mode: How each is executed.

        risk: As assessed when the run began.

        state: How far it has come.

        attempts: How often it was begun.

        progress: The last key of a backfill, or a number of rows; empty for none.

        error: Why it failed last; empty if it did not.
    """

    index: int
    kind: str
    object: str
    summary: str
    statements: tuple[str, ...]
    reverse: tuple[str, ...]
    checksum: str
    reversibility: Reversibility
    mode: StepMode
    reverse_mode: StepMode
    risk: str
    state: StepState
    attempts: int = 0
    progress: str = ""
    started_at: datetime.datetime | None = None
    finished_at: datetime.datetime | None = None
    error: str = ""

    @classmethod
    def of(cls, index: int, step: Step) -> "StepRecord":
        """Return the record of *step* before anything was executed."""
        return cls(
            index=index,
            kind=step.kind,
            object=step.object,
            summary=step.summary,
            statements=step.statements,
            reverse=step.reverse,
            checksum=hashlib.sha256(json.dumps(step.statements, separators=(",", ":")).encode()).hexdigest(),
            reversibility=step.reversibility,
            mode=step.mode,
            reverse_mode=step.reverse_mode,
            risk=step.risk.value,
            state=StepState.PENDING,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution of a plan, as recorded.

    Attributes:
        id: Of the run, UUID as text.

        plan_id, plan_checksum: Of the plan.

        parent: The id of the plan that was applied before; empty for none. Of applied runs no two have the same.

        source, revisions: As of the plan.

        state: How far it has come.

        epoch: The fencing number of its lock.

        owner: Who asked for it: host, process and, if known, principal.

        app_version: Of the program that asked.

        approvals: What was allowed, as given.

        schema_before, schema_after: Fingerprints of the stored schema.

        plan: The whole plan as JSON, so that it can be resumed by another program.

        steps: In order.

        error: Why it failed or is blocked; empty if it did not.

        notes: What whoever asked should know beside: where a backup is, which hooks failed afterwards. Not recorded.
    """

    id: str
    plan_id: str
    plan_checksum: str
    parent: str
    source: str
    revisions: tuple[str, ...]
    state: RunState
    epoch: int
    owner: str
    app_version: str
    approvals: tuple[str, ...]
    schema_before: str
    schema_after: str
    started_at: datetime.datetime
    finished_at: datetime.datetime | None
    plan: str
    steps: tuple[StepRecord, ...]
    error: str = ""
    notes: tuple[str, ...] = ()

    @property
    def is_being_undone(self) -> bool:
        """Return whether a rollback of it was begun and has not ended."""
        return self.state is not RunState.ROLLED_BACK and any(
            each.state is StepState.REVERSED for each in self.steps
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The ledger of one database.

    Attributes:
        exists: Whether the database has a ledger at all.

        epoch: The last fencing number.

        head: The id of the plan that was applied last; empty for none.

        declared: The checksum of the declared schema that the database was brought to last; empty for none.

        fingerprint: That of the stored schema after the last run; empty for none.

        runs: Newest first.
    """

    exists: bool = False
    epoch: int = 0
    head: str = ""
    declared: str = ""
    fingerprint: str = ""
    runs: tuple[Run, ...] = ()

    @property
    def unfinished(self) -> Run | None:
        """Return the run that was begun and neither ended nor was given up; `None` for none."""
        states = {RunState.RUNNING, RunState.FAILED, RunState.BLOCKED}
        return next((each for each in self.runs if each.state in states), None)

    @property
    def applied(self) -> tuple[Run, ...]:
        """Return the runs that led to the stored schema, from the last one back to the first; only ended ones."""
        oldest_first = self.runs[::-1]
        by_plan = {each.plan_id: each for each in oldest_first}
        # A plan that was undone or given up may have been applied again: that run counts.
        by_plan |= {each.plan_id: each for each in oldest_first if each.state is RunState.APPLIED}
        found: list[Run] = []
        name = self.head
        while name in by_plan:
            found.append(by_plan.pop(name))
            name = found[-1].parent
        return tuple(each for each in found if each.state is RunState.APPLIED)
