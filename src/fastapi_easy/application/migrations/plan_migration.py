"""Make a plan, and change nothing."""

from dataclasses import dataclass, field

from returns.result import Failure, Success

from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.planning.asked_plan import make_asked_plan
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.plan import MigrationPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMigration:
    """Make the plan that leads from the stored schema to the declared one, or to the last script.

    Attributes:
        hints: What only a person knows.
    """

    hints: Hints = field(default_factory=Hints)


class PlanMigrationHandler:
    """Carries out `PlanMigration`."""

    def __init__(self, collaborators: MigrationCollaborators) -> None:
        self._collaborators = collaborators

    async def __call__(self, command: PlanMigration, /) -> Outcome[MigrationPlan]:
        """Make the plan. Nothing is written, not even an empty ledger.

        Fails with:
            MigrationStopped: `VETOED` when a hook refuses; what scripts say that do not belong to this database.

            Unavailable: The database does not answer.
        """
        found = await make_asked_plan(self._collaborators, command.hints)
        return found if isinstance(found, Failure) else Success(found.unwrap().plan)
