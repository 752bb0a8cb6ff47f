"""Apply what is safe, as a program does when it starts."""

from dataclasses import dataclass, field

from returns.result import Failure, Success

from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.execution.applier import Applier
from fastapi_easy.application.migrations.execution.unfinished import find_obstacle, has_done_nothing
from fastapi_easy.application.migrations.planning.order import Order
from fastapi_easy.application.migrations.planning.planner import Planner
from fastapi_easy.application.migrations.planning.safe_part import select_safe_part
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplySafeSteps:
    """Apply what is safe, and say what is left.

    Attributes:
        wait: Seconds to wait for another process that migrates.

        hints: What only a person knows.
    """

    wait: float = 60.0
    hints: Hints = field(default_factory=Hints)


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeRun:
    """What was applied, and what was not.

    Attributes:
        run: The run; `None` when there was nothing safe to do.

        rest: What is left to do, which somebody has to ask for.

        ahead: How a newer program has migrated the database, a sentence: then nothing is applied. Empty when none has.
    """

    run: Run | None
    rest: MigrationPlan
    ahead: str = ""


class ApplySafeStepsHandler:
    """Carries out `ApplySafeSteps`."""

    def __init__(self, collaborators: MigrationCollaborators) -> None:
        self._collaborators = collaborators

    async def __call__(self, command: ApplySafeSteps, /) -> Outcome[SafeRun]:
        """Apply what is safe and depends on nothing else. Without anything of that kind no lock is taken.

        Fails with:
            MigrationStopped: A run that was begun has not ended, and what is left of it is not safe or needs repair;
                or a step failed.

            LockHeld: Another process migrates, and went on for longer than *wait*.

            LockLost: The lock was lost between two steps; what was executed is recorded.

            Unavailable: The database did not answer before anything was executed.
        """
        collaborators = self._collaborators
        planner = Planner(collaborators)
        looked = await planner.look(command.hints)
        if isinstance(looked, Failure):
            return looked
        now = looked.unwrap()
        unfinished = now.history.unfinished
        obstacle = None if unfinished is None else find_obstacle(now.plan.database, unfinished)
        if obstacle is not None:
            return Failure(obstacle)
        goes_on = unfinished is not None and not await has_done_nothing(collaborators.store, unfinished)
        if not goes_on and (now.ahead or not select_safe_part(now.plan)):
            return Success(SafeRun(run=None, rest=now.plan, ahead=now.ahead))
        order = Order(hints=command.hints, select=select_safe_part, at_start=True)
        async with collaborators.store.session(collaborators.owner, command.wait) as opened:
            if isinstance(opened, Failure):
                return opened
            outcome = await Applier(collaborators, opened.unwrap(), order).apply()
            if isinstance(outcome, Failure):
                return outcome
            applied = outcome.unwrap()
            looked = await planner.look(command.hints)
            if isinstance(looked, Failure):
                return looked
        run = applied.run if applied.run.id else None
        return Success(SafeRun(run=run, rest=looked.unwrap().plan, ahead=looked.unwrap().ahead))
