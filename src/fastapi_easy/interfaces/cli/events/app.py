"""The group of commands below `events`; they are assembled when one is called, or its help is shown."""

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperGroup

_EPILOG = """\b
Exit codes: 0 success, 1 there is no such parked message, or `lag` found one, 2 the command cannot be carried out.
"""


def add_to(cli: typer.Typer, load_tasks: Callable[[], Any]) -> None:
    """Add the commands below `events` to *cli*.

    Args:
        cli: The command line.

        load_tasks: Returns the `EventTasks` that they call.
    """

    class Events(TyperGroup):
        """Loads its commands when they are needed, so that `fastapi-easy --help` does not pay for them."""

        def load(self) -> None:
            """Fill in the commands, unless they are there."""
            if not self.commands:
                from fastapi_easy.interfaces.cli.events.commands import build_commands

                self.commands.update(build_commands(load_tasks))

        def list_commands(self, ctx: Any) -> list[str]:
            self.load()
            return super().list_commands(ctx)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            self.load()
            return super().get_command(ctx, cmd_name)

    cli.add_typer(
        typer.Typer(
            name="events",
            help="See how far publishing is behind, and look after messages that could not be published.",
            epilog=_EPILOG,
            no_args_is_help=True,
            cls=Events,
            rich_markup_mode=None,
        )
    )
