"""The migrations of one database, behind one object."""

from fastapi_easy.application.migrations.adopt_database import AdoptDatabase, AdoptDatabaseHandler
from fastapi_easy.application.migrations.apply_migration import ApplyMigration, ApplyMigrationHandler
from fastapi_easy.application.migrations.apply_safe_steps import (
    ApplySafeSteps,
    ApplySafeStepsHandler,
    SafeRun,
)
from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.hooks.registry import MigrationHooks
from fastapi_easy.application.migrations.plan_migration import PlanMigration, PlanMigrationHandler
from fastapi_easy.application.migrations.read_standing import ReadStandingHandler, Standing
from fastapi_easy.application.migrations.read_status import ReadStatus, ReadStatusHandler, Status
from fastapi_easy.application.migrations.repair_migration import (
    RepairAction,
    Repaired,
    RepairMigration,
    RepairMigrationHandler,
)
from fastapi_easy.application.migrations.roll_back_migration import (
    RollBackMigration,
    RollBackMigrationHandler,
)
from fastapi_easy.application.migrations.write_script import WriteScript, WriteScriptHandler
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.policy import Approvals
from fastapi_easy.domain.migrations.run import Run


class Migrations:
    """The migrations of one database.

    Each method carries out the command that its handler explains, and answers an outcome. A call that is cancelled
    leaves a run that can be gone on with, and gives the lock back.
    """

    def __init__(self, collaborators: MigrationCollaborators) -> None:
        self._collaborators = collaborators

    @property
    def database(self) -> str:
        """Return the name of the database in the settings."""
        return self._collaborators.store.name

    @property
    def hooks(self) -> MigrationHooks:
        """Return the hooks; those that are registered later are called as well."""
        return self._collaborators.hooks

    async def plan(self, hints: Hints | None = None) -> Outcome[MigrationPlan]:
        """Make a plan and write nothing; see `PlanMigrationHandler`."""
        return await PlanMigrationHandler(self._collaborators)(PlanMigration(hints=hints or Hints()))

    async def apply(
        self,
        plan: MigrationPlan | None = None,
        *,
        approvals: Approvals | None = None,
        wait: float = 60.0,
        hints: Hints | None = None,
        until_step: int | None = None,
        dry_run: bool = False,
    ) -> Outcome[Run]:
        """Apply *plan*, or the one that is made now; see `ApplyMigrationHandler`."""
        command = ApplyMigration(
            plan=plan,
            approvals=approvals or Approvals(),
            wait=wait,
            hints=hints or Hints(),
            until_step=until_step,
            dry_run=dry_run,
        )
        return await ApplyMigrationHandler(self._collaborators)(command)

    async def apply_safe(self, *, wait: float = 60.0, hints: Hints | None = None) -> Outcome[SafeRun]:
        """Apply what is safe, as at start; see `ApplySafeStepsHandler`."""
        command = ApplySafeSteps(wait=wait, hints=hints or Hints())
        return await ApplySafeStepsHandler(self._collaborators)(command)

    async def rollback(
        self,
        *,
        steps: int = 1,
        to: str | None = None,
        approvals: Approvals | None = None,
        wait: float = 60.0,
    ) -> Outcome[Run]:
        """Undo the newest runs; see `RollBackMigrationHandler`."""
        command = RollBackMigration(steps=steps, to=to, approvals=approvals or Approvals(), wait=wait)
        return await RollBackMigrationHandler(self._collaborators)(command)

    async def status(self, hints: Hints | None = None) -> Outcome[Status]:
        """Look at everything; see `ReadStatusHandler`."""
        return await ReadStatusHandler(self._collaborators)(ReadStatus(hints=hints or Hints()))

    async def standing(self) -> Outcome[Standing]:
        """Tell in one word how the database stands; see `ReadStandingHandler`."""
        return await ReadStandingHandler(self._collaborators.store)()

    async def repair(
        self, action: RepairAction = RepairAction.SHOW, *, index: int | None = None, wait: float = 60.0
    ) -> Outcome[Repaired]:
        """Say what holds of the run that has not ended; see `RepairMigrationHandler`."""
        command = RepairMigration(action=action, index=index, wait=wait)
        return await RepairMigrationHandler(self._collaborators)(command)

    async def baseline(
        self, revision: str | None = None, *, wait: float = 60.0, seen: MigrationPlan | None = None
    ) -> Outcome[Run]:
        """Adopt the database as it is; see `AdoptDatabaseHandler`."""
        command = AdoptDatabase(revision=revision, wait=wait, seen=seen)
        return await AdoptDatabaseHandler(self._collaborators)(command)

    async def make(self, message: str, hints: Hints | None = None) -> Outcome[str]:
        """Write a migration script; see `WriteScriptHandler`."""
        command = WriteScript(message=message, hints=hints or Hints())
        return await WriteScriptHandler(self._collaborators)(command)
