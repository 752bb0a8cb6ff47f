"""The command `consume`: handle messages of the broker."""

from collections.abc import Callable, Sequence
from typing import Annotated, Final

import typer

from fastapi_easy.interfaces.cli.consuming.tasks import Consume, Consumed
from fastapi_easy.interfaces.cli.output import report_command_errors, table
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, TargetPath
from fastapi_easy.interfaces.cli.tasks import Target

_EPILOG: Final = """\b
Examples:
  fastapi-easy consume shop:app
  fastapi-easy consume shop:app --group billing --group stock
\b
Exit codes: 0 stopped by a signal, 2 there is nothing to consume, or the broker or a database does not answer.
"""


def add_to(cli: typer.Typer, load: Callable[[], Consume]) -> None:
    """Add the command `consume` to *cli*.

    Args:
        cli: The command line.

        load: Returns what it calls.
    """

    @cli.command(epilog=_EPILOG)
    def consume(
        app: TargetPath,
        group: Annotated[
            list[str] | None,
            typer.Option(help="Handle the messages of this group only.", show_default="all groups"),
        ] = None,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Handle the messages that an application consumes.

        Several may run at the same time, and share the messages. SIGTERM lets it finish those that it has.

        MODULE:APP names a FastAPI app, a function without arguments that returns one, or a container.
        """

        def announce(consumed: Sequence[Consumed]) -> None:
            typer.echo(f"Consuming for {app} (press Ctrl-C to stop)")
            typer.echo(table([("TOPIC", "GROUP"), *((each.topic, each.group) for each in consumed)]))

        with report_command_errors(debug=debug):
            load()(Target(path=app, folder=app_dir), group or (), announce)
