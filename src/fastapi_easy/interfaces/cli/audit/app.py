"""The group of commands below `audit`; they are assembled when one is called, or its help is shown."""

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperGroup


def add_to(cli: typer.Typer, load_tasks: Callable[[], Any]) -> None:
    """Add the commands below `audit` to *cli*.

    Args:
        cli: The command line.

        load_tasks: Returns the `AuditTasks` that they call.
    """

    class Audit(TyperGroup):
        """Loads its commands when they are needed, so that `fastapi-easy --help` does not pay for them."""

        def load(self) -> None:
            """Fill in the commands, unless they are there."""
            if not self.commands:
                from fastapi_easy.interfaces.cli.audit.commands import build_commands

                self.commands.update(build_commands(load_tasks))

        def list_commands(self, ctx: Any) -> list[str]:
            self.load()
            return super().list_commands(ctx)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            self.load()
            return super().get_command(ctx, cmd_name)

    cli.add_typer(
        typer.Typer(
            name="audit",
            help="Verify the audit trail, prove and export what is in it, and anchor, archive or erase.",
            epilog="Exit codes: 0 intact, 1 tampered with, 2 nobody can tell, or the command cannot be carried out.",
            no_args_is_help=True,
            cls=Audit,
            rich_markup_mode=None,
        )
    )
