"""The command `routes`: list every route of an application."""

import json
from dataclasses import asdict

import typer

from fastapi_easy.interfaces.cli.output import report_command_errors, table
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, Json, TargetPath
from fastapi_easy.interfaces.cli.tasks import Target, Tasks

_EXAMPLES = """\b
Examples:
  fastapi-easy routes shop:app
  fastapi-easy routes shop:Shop
  fastapi-easy routes shop:app --json
"""


def add_to(cli: typer.Typer, tasks: Tasks) -> None:
    """Add the command `routes` to *cli*."""

    @cli.command(epilog=_EXAMPLES)
    def routes(
        app: TargetPath, as_json: Json = False, app_dir: Folder = CURRENT_FOLDER, debug: Debug = False
    ) -> None:
        """List every route: those of the resources, and the app's own.

        MODULE:APP names a FastAPI app, a function without arguments that returns one, or a container.
        """
        with report_command_errors(debug=debug):
            found = tasks.list_routes(Target(path=app, folder=app_dir))
        if as_json:
            typer.echo(json.dumps([asdict(each) for each in found], indent=2))
            return
        rows = [(each.method, each.path, each.name, each.resource or "-") for each in found]
        typer.echo(table([("METHOD", "PATH", "NAME", "RESOURCE"), *rows]))
