"""The commands `audit keygen` and `audit keys`."""

from typing import Annotated, Any

import typer
from returns.result import Success

from fastapi_easy.application.audit.opened_trails import OpenedTrails
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.interfaces.cli.audit.outcomes import value_of
from fastapi_easy.interfaces.cli.audit.tasks import LoadAuditTasks
from fastapi_easy.interfaces.cli.output import report_command_errors
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, TargetPath
from fastapi_easy.interfaces.cli.tasks import Target


def add_keys(group: typer.Typer, load_tasks: LoadAuditTasks) -> None:
    """Add the commands to *group*."""

    @group.command()
    def keygen(
        name: Annotated[
            str, typer.Argument(help="What the trail is called, like shop.example.", show_default=False)
        ],
        debug: Debug = False,
    ) -> None:
        """Print a new private key for checkpoints on stdout, for audit.checkpoints.signing_keys."""
        with report_command_errors(debug=debug):
            private, public = load_tasks().generate(name)
        typer.echo(f"The public key, for whoever verifies: {public}", err=True)
        typer.echo(private)

    @group.command()
    def keys(
        app: TargetPath,
        with_mac_keys: Annotated[
            bool,
            typer.Option("--with-mac-keys", help="Also the secret keys of MACs, for `audit verify --keys`."),
        ] = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Print the keys that verifying takes, for `audit verify --keys`."""
        with report_command_errors(debug=debug):
            tasks = load_tasks()
            found = value_of(tasks.ask(Target(path=app, folder=app_dir), keys_of))
            typer.echo(tasks.write_keys(found, with_mac_keys))


async def keys_of(opened: OpenedTrails) -> Outcome[Any]:
    """Return the keys that the application verifies with, which are the same for each database."""
    return Success(opened.operations[0].keys)
