"""The command `audit grants`."""

from typing import Annotated, Final

import typer

from fastapi_easy.interfaces.cli.audit.tasks import LoadAuditTasks
from fastapi_easy.interfaces.cli.output import report_command_errors
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, TargetPath
from fastapi_easy.interfaces.cli.tasks import Target

_EXAMPLES: Final = """\b
Examples:
  fastapi-easy audit grants shop:app --role shop
  fastapi-easy audit grants shop:app --role shop --archiver archive | psql "$OWNER_URL"
"""


def add_grants(group: typer.Typer, load_tasks: LoadAuditTasks) -> None:
    """Add the command to *group*."""

    @group.command(epilog=_EXAMPLES)
    def grants(
        app: TargetPath,
        role: Annotated[
            str, typer.Option("--role", help="The application's user of the database, as SQL spells it.")
        ],
        archiver: Annotated[
            str | None, typer.Option("--archiver", help="The user that removes what was archived.")
        ] = None,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Print the SQL that lets the application add to its audit trail, and change nothing in it.

        For the owner of the tables, who should be another user. It may be run again.
        """
        with report_command_errors(debug=debug):
            for statement in load_tasks().list_grants(Target(path=app, folder=app_dir), role, archiver):
                typer.echo(f"{statement};")
