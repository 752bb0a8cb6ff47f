"""Undo what was applied."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from returns.result import Failure, Success

from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.execution.step_executor import needs_repair
from fastapi_easy.application.migrations.execution.undoer import Undoer
from fastapi_easy.domain.errors import NotFound, Outcome
from fastapi_easy.domain.migrations.policy import Approvals
from fastapi_easy.domain.migrations.run import History, Run, RunState
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped

BASE: Final = "base"
"""Stands for the database before the first run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBackMigration:
    """Undo runs, the newest first.

    Attributes:
        steps: How many runs; a run that has not ended counts as one.

        to: The id of the plan, or run, that is to be the last one afterwards; `base` for none. It goes before *steps*.

        approvals: What may be lost by it.

        wait: Seconds to wait for another process that migrates.
    """

    steps: int = 1
    to: str | None = None
    approvals: Approvals = field(default_factory=Approvals)
    wait: float = 60.0

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"{self.steps} runs cannot be undone: name 1 or more")


class RollBackMigrationHandler:
    """Carries out `RollBackMigration`."""

    def __init__(self, collaborators: MigrationCollaborators) -> None:
        self._collaborators = collaborators

    async def __call__(self, command: RollBackMigration, /) -> Outcome[Run]:
        """Execute the stored reverses of the steps that are done, the newest first.

        Returns:
            The run that was undone last.

        Fails with:
            NotFound: No run that was applied has the id *to*.

            MigrationStopped: `NO_HISTORY` when nothing was applied; `IRREVERSIBLE`, with what is left, when a step
                cannot be undone, and `NOT_ALLOWED` when data would be lost: then nothing is executed.

            LockHeld, LockLost, Unavailable: As `ApplyMigrationHandler`.
        """
        collaborators = self._collaborators
        async with collaborators.store.session(collaborators.owner, command.wait) as opened:
            if isinstance(opened, Failure):
                return opened
            read = await collaborators.store.history()
            if isinstance(read, Failure):
                return read
            chosen = _choose(collaborators.store.name, command, read.unwrap())
            if isinstance(chosen, Failure):
                return chosen
            undoer = Undoer(collaborators, opened.unwrap())
            return await undoer.undo(chosen.unwrap(), command.approvals, read.unwrap().declared)


def _choose(database: str, command: RollBackMigration, history: History) -> Outcome[Sequence[Run]]:
    unfinished = history.unfinished
    if unfinished is not None and unfinished.state is RunState.BLOCKED:
        return Failure(needs_repair(database, unfinished, unfinished.error))
    runs = (*(() if unfinished is None else (unfinished,)), *history.applied)
    if not runs:
        return Failure(
            MigrationStopped(
                database,
                MigrationStop.NO_HISTORY,
                "nothing was applied by this system, so there is nothing to undo",
            )
        )
    if command.to is None:
        return Success(runs[: command.steps])
    if command.to == BASE:
        return Success(runs)
    places = [place for place, each in enumerate(runs) if command.to in {each.id, each.plan_id}]
    if not places:
        return Failure(NotFound("migration", command.to))
    if places[0] == 0:
        message = f"{command.to} is what was applied last, so there is nothing to undo"
        return Failure(MigrationStopped(database, MigrationStop.NO_HISTORY, message))
    return Success(runs[: places[0]])
