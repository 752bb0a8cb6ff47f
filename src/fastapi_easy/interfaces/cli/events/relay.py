"""The command `relay`: publish what the outboxes of an application hold."""

from collections.abc import Callable
from typing import Annotated, Any, Final

import typer

from fastapi_easy.interfaces.cli.output import report_command_errors
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, TargetPath
from fastapi_easy.interfaces.cli.tasks import Target

_EPILOG: Final = """\b
Examples:
  fastapi-easy relay shop:app
  fastapi-easy relay shop:app --once
\b
Exit codes: 0 stopped by a signal, or with --once nothing is left; 1 with --once something is left, which is parked,
waits for another attempt, or cannot be given to a broker that does not answer; 2 the command cannot be carried out.
"""


def add_to(cli: typer.Typer, load_tasks: Callable[[], Any]) -> None:
    """Add the command `relay` to *cli*.

    Args:
        cli: The command line.

        load_tasks: Returns the `EventTasks` that it calls.
    """

    @cli.command(epilog=_EPILOG)
    def relay(
        app: TargetPath,
        once: Annotated[bool, typer.Option("--once", help="Publish what there is, and end.")] = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Publish events to the broker, deliver webhooks, and remove what has been kept long enough.

        Several may run at the same time. SIGTERM lets it finish what it is publishing, and give back the rest.
        """

        def announce() -> None:
            if not once:
                typer.echo(f"Relaying {app} (press Ctrl-C to stop)")

        with report_command_errors(debug=debug):
            done = load_tasks().relay(Target(path=app, folder=app_dir), once, announce)
        typer.echo(f"published {done.published}, parked {done.parked}")
        if not once:
            return
        lags = done.lags
        if lags is None:
            typer.echo("a database does not answer", err=True)
            raise typer.Exit(1)
        waiting = sum(each.waiting for each in lags.values())
        parked = sum(each.parked for each in lags.values())
        if waiting or parked:
            typer.echo(
                f"left: {waiting} waiting, {parked} parked; see fastapi-easy events lag {app}", err=True
            )
            raise typer.Exit(1)
