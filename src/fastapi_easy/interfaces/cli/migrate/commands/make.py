"""The command `migrate make`: write a script for what differs, to be reviewed and kept with the code."""

import json
from typing import Annotated

import typer

from fastapi_easy.interfaces.cli.migrate.failures import reported, unwrap
from fastapi_easy.interfaces.cli.migrate.parameters import (
    Database,
    DropUndeclared,
    Fills,
    Online,
    Renames,
    Usings,
    read_hints,
)
from fastapi_easy.interfaces.cli.migrate.reports.plan_report import print_plan
from fastapi_easy.interfaces.cli.migrate.tasks import LoadTasks, Made, Making, MigrationTarget, Planning
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, Json, TargetPath
from fastapi_easy.interfaces.cli.tasks import Target

_EXAMPLES = """\b
Examples:
  fastapi-easy migrate make shop:app -m "books have an isbn"
  fastapi-easy migrate make shop:app -m "titles are names" --rename books.title=name
"""


def add_to(cli: typer.Typer, load_tasks: LoadTasks) -> None:
    """Add the command `make` to *cli*."""

    @cli.command(epilog=_EXAMPLES)
    def make(  # noqa: PLR0913, PLR0917 (what typer makes of each is an option)
        app: TargetPath,
        message: Annotated[
            str, typer.Option("--message", "-m", help="What it does, in a few words.", show_default=False)
        ],
        database: Database = None,
        rename: Renames = None,
        fill: Fills = None,
        using: Usings = None,
        drop_undeclared: DropUndeclared = False,
        online: Online = True,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Write a script for what differs, to be reviewed.

        MODULE:APP names a FastAPI app, a function without arguments that returns one, or a container.
        """
        if not message.strip():
            raise typer.BadParameter("say what the script does", param_hint="--message")
        planning = Planning(
            at=MigrationTarget(target=Target(path=app, folder=app_dir), database=database),
            hints=read_hints(
                renames=rename, fills=fill, usings=using, drop_undeclared=drop_undeclared, online=online
            ),
        )
        with reported(as_json=as_json, debug=debug):
            tasks = load_tasks()
            made = unwrap(tasks.make(Making(planning=planning, message=message)), as_json=as_json)
            if as_json:
                typer.echo(json.dumps(_to_json(made), indent=2))
            elif made is None:
                typer.echo("Nothing differs, so no script was written.")
            else:
                if made.plan is not None:
                    print_plan(made.plan)
                    typer.echo()
                typer.echo(f"Wrote {made.file}")


def _to_json(made: Made | None) -> dict[str, object]:
    from fastapi_easy.application.migrations.plan_document import document_of

    if made is None:
        return {"file": None, "plan": None}
    return {"file": made.file.as_posix(), "plan": document_of(made.plan) if made.plan else None}
