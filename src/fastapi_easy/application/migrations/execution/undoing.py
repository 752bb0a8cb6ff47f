"""What has to be done to undo a run: for each of its steps, newest first."""

import enum
from dataclasses import dataclass
from typing import Final

from returns.result import Failure, Success

from fastapi_easy.application.migrations.execution.run_record import read_stored_plan
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.change import ChangeKind
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.run import Run, StepRecord, StepState
from fastapi_easy.domain.migrations.step import Effect, Reversibility, Step, StepMode
from fastapi_easy.domain.migrations.stopped import MigrationStopped
from fastapi_easy.domain.ports.schema_store import SchemaStore

_HOLDING_DATA: Final = frozenset(
    {ChangeKind.CREATE_TABLE, ChangeKind.CREATE_COLLECTION, ChangeKind.CREATE_SCHEMA, ChangeKind.ADD_COLUMN}
)
"""What may hold the data of somebody else, if it was not this step that has made it."""


class Undo(enum.Enum):
    """What is to be done about one step."""

    REVERSE = enum.auto()
    """It took effect, or has left something: execute what undoes it."""

    FORGET = enum.auto()
    """It has no effect: record that."""

    BLOCK = enum.auto()
    """Nobody can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undoing:
    """How a run is undone.

    Attributes:
        run: As it is recorded.

        plan: What it has carried out.

        todo: What is to be done about which step, newest first.
    """

    run: Run
    plan: MigrationPlan
    todo: tuple[tuple[int, Undo], ...]

    @property
    def reversed_steps(self) -> tuple[tuple[int, Step], ...]:
        """Return the steps that are executed backwards."""
        return tuple((index, self.plan.steps[index]) for index, what in self.todo if what is Undo.REVERSE)

    @property
    def irreversible(self) -> tuple[tuple[int, Step], ...]:
        """Return those of them that nothing undoes."""
        return tuple(
            (index, step) for index, step in self.reversed_steps if step.reversibility is Reversibility.NONE
        )


async def plan_undoing(store: SchemaStore, run: Run) -> Outcome[Undoing]:
    """Find out what has to be done to undo *run*; nothing is changed.

    Fails with:
        MigrationStopped: The recorded plan was changed.

        Unavailable: The database does not answer.
    """
    plan = read_stored_plan(store.name, run)
    if isinstance(plan, MigrationStopped):
        return Failure(plan)
    todo: list[tuple[int, Undo]] = []
    for record in reversed(run.steps):
        found = await _find(store, record, plan.steps[record.index])
        if isinstance(found, Failure):
            return found
        what = found.unwrap()
        if what is not None:
            todo.append((record.index, what))
    return Success(Undoing(run=run, plan=plan, todo=tuple(todo)))


async def _find(store: SchemaStore, record: StepRecord, step: Step) -> Outcome[Undo | None]:
    if record.state in {StepState.PENDING, StepState.REVERSED, StepState.SKIPPED}:
        return Success(None)
    if record.state is StepState.DONE:
        return Success(Undo.REVERSE)
    # Begun and not done: never a reverse for what has not happened.
    if step.mode is StepMode.BATCHES:
        return Success(Undo.BLOCK if step.reverse else Undo.FORGET)
    probed = await store.probe(step)
    if isinstance(probed, Failure):
        return probed
    return Success(_conclude(record, step, probed.unwrap()))


def _conclude(record: StepRecord, step: Step, effect: Effect) -> Undo:
    was_refused = record.state is StepState.FAILED
    if was_refused and step.mode is not StepMode.AUTOCOMMIT:
        return Undo.FORGET
    match effect:
        case Effect.APPLIED:
            # What the server has refused to make was made by somebody else.
            return Undo.FORGET if was_refused else Undo.REVERSE
        case Effect.NOT_APPLIED:
            return Undo.FORGET
        case Effect.PARTIAL:
            return Undo.REVERSE if _leaves_remains(step) else Undo.BLOCK
        case Effect.UNKNOWN:
            return Undo.BLOCK


def _leaves_remains(step: Step) -> bool:
    """Return whether what is half there was left by an attempt of *step*, and holds no data: an invalid index, say."""
    return bool(step.cleanup and step.reverse) and not any(
        each.kind in _HOLDING_DATA for each in step.changes
    )
