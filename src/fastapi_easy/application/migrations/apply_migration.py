"""Apply a plan."""

from dataclasses import dataclass, field

from returns.result import Failure, Success

from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.execution.applier import Applier
from fastapi_easy.application.migrations.execution.preview import preview
from fastapi_easy.application.migrations.planning.order import Order
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.policy import Approvals
from fastapi_easy.domain.migrations.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyMigration:
    """Bring the stored schema to the declared one, or to the last script.

    Attributes:
        plan: What was reviewed; `None` to make a plan now.

        approvals: What may be executed beside what is safe.

        wait: Seconds to wait for another process that migrates.

        hints: What only a person knows; a reviewed plan has them in it.

        until_step: The index of the step after which to stop; the run goes on when it is applied again.

        dry_run: Only answer what would be executed.
    """

    plan: MigrationPlan | None = None
    approvals: Approvals = field(default_factory=Approvals)
    wait: float = 60.0
    hints: Hints = field(default_factory=Hints)
    until_step: int | None = None
    dry_run: bool = False


class ApplyMigrationHandler:
    """Carries out `ApplyMigration`."""

    def __init__(self, collaborators: MigrationCollaborators) -> None:
        self._collaborators = collaborators

    async def __call__(self, command: ApplyMigration, /) -> Outcome[Run]:
        """Go on with a run that was begun, if there is one; then apply what was asked for, and compare once more.

        Returns:
            The run, as recorded. One without id when there was nothing to do: then nothing was written. Of a dry run
            one in the state `PLANNED`, whose pending steps would be executed.

        Fails with:
            MigrationStopped: Anything in `MigrationStop`. Before `FAILED`, `VETOED` by a hook of a step, `NEEDS_REPAIR`
                and `NOT_CONVERGED` something may have been executed, and is recorded; in all other cases nothing was.

            LockHeld: Another process migrates, and went on for longer than *wait*.

            LockLost: The lock was lost between two steps; what was executed is recorded.

            Unavailable: The database did not answer before anything was executed.
        """
        order = Order(
            plan=command.plan,
            approvals=command.approvals,
            hints=command.hints,
            until=command.until_step,
        )
        if command.dry_run:
            return await preview(self._collaborators, order)
        collaborators = self._collaborators
        async with collaborators.store.session(collaborators.owner, command.wait) as opened:
            if isinstance(opened, Failure):
                return opened
            applied = await Applier(collaborators, opened.unwrap(), order).apply()
        return applied if isinstance(applied, Failure) else Success(applied.unwrap().run)
