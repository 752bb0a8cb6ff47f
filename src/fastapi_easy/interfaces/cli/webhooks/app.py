"""The group of commands below `webhooks`; they are assembled when one is called, or its help is shown."""

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperGroup


def add_to(cli: typer.Typer, load_tasks: Callable[[], Any]) -> None:
    """Add the commands below `webhooks` to *cli*.

    Args:
        cli: The command line.

        load_tasks: Returns the `WebhookTasks` that they call.
    """

    class Webhooks(TyperGroup):
        """Loads its commands when they are needed, so that `fastapi-easy --help` does not pay for them."""

        def load(self) -> None:
            """Fill in the commands, unless they are there."""
            if not self.commands:
                from fastapi_easy.interfaces.cli.webhooks.commands import build_commands

                self.commands.update(build_commands(load_tasks))

        def list_commands(self, ctx: Any) -> list[str]:
            self.load()
            return super().list_commands(ctx)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            self.load()
            return super().get_command(ctx, cmd_name)

    cli.add_typer(
        typer.Typer(
            name="webhooks",
            help="Add, list, try and remove webhooks.",
            epilog="Exit codes: 0 success, 1 no such webhook, or a test failed, 2 the command cannot be carried out.",
            no_args_is_help=True,
            cls=Webhooks,
            rich_markup_mode=None,
        )
    )
