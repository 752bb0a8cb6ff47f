"""The command `tenants row-security`: print the SQL of the second wall between tenants."""

from typing import Final

import typer

from fastapi_easy.interfaces.cli.output import report_command_errors
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, TargetPath
from fastapi_easy.interfaces.cli.tasks import Target, Tasks

_EXAMPLES: Final = """\b
Examples:
  fastapi-easy tenants row-security shop:app
  fastapi-easy tenants row-security shop:app | psql "$OWNER_URL"
\b
Exit codes: 0 success, 2 a database is not PostgreSQL, or the declarations have mistakes.
"""


def add_to(cli: typer.Typer, tasks: Tasks) -> None:
    """Add the commands below `tenants` to *cli*."""
    tenants = typer.Typer(
        help="Keep the tenants of an application apart in its database too.",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    cli.add_typer(tenants, name="tenants")

    @tenants.callback()
    def only_commands() -> None:
        pass

    @tenants.command(name="row-security", epilog=_EXAMPLES)
    def row_security(app: TargetPath, app_dir: Folder = CURRENT_FOLDER, debug: Debug = False) -> None:
        """Print the SQL of PostgreSQL's row-level security for every resource with tenants.

        It may be run again, by the owner of the tables. The setting databases.NAME.row_security lets the application
        tell the database whose call it is.

        MODULE:APP names a FastAPI app, a function without arguments that returns one, or a container.
        """
        with report_command_errors(debug=debug):
            for statement in tasks.list_row_security(Target(path=app, folder=app_dir)):
                typer.echo(f"{statement};")
