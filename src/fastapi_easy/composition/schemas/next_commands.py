"""What a start that cannot go on tells people to call."""

import os
from pathlib import Path

from fastapi_easy.application.migrations.migrations import Migrations
from fastapi_easy.composition.application import Application
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.ports.database import Database
from fastapi_easy.interfaces.cli.migrate.proposal import Proposal, propose
from fastapi_easy.interfaces.cli.migrate.reports.next_command import apply_command, command
from fastapi_easy.interfaces.cli.migrate.tasks import MigrationTarget, Planning
from fastapi_easy.interfaces.cli.tasks import TARGET_VARIABLE, Target

__all__ = ["NextCommands"]


class NextCommands:
    """The commands that lead on.

    Args:
        application: The program.

        database: The database whose stored schema has to be looked at.
    """

    def __init__(self, application: Application, database: Database) -> None:
        target = Target(path=os.environ.get(TARGET_VARIABLE, "MODULE:APP"), folder=Path())
        several = len({each.database for each in application.every_resource()}) > 1
        self._target = MigrationTarget(target=target, database=database.name if several else None)

    def apply(self, plan: MigrationPlan) -> str:
        """Return the command that carries out *plan*."""
        return apply_command(Planning(at=self._target, hints=Hints()), plan)

    def named(self, name: str) -> str:
        """Return the command *name* below `migrate`."""
        return command(name, self._target)

    async def propose(self, migrations: Migrations) -> Outcome[Proposal]:
        """Return what leads on, and the command for it.

        Fails with: as `propose`.
        """
        return await propose(migrations, self._target)
