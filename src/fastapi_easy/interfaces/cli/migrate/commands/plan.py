"""The command `migrate plan`: show what differs, and what would be done about it."""

from typing import Annotated

import typer

from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.interfaces.cli.migrate.exit_codes import ExitCode
from fastapi_easy.interfaces.cli.migrate.failures import reported, unwrap
from fastapi_easy.interfaces.cli.migrate.parameters import (
    Database,
    DropUndeclared,
    Fills,
    Online,
    Renames,
    Usings,
    options_of,
    read_hints,
)
from fastapi_easy.interfaces.cli.migrate.reports.next_command import apply_command, hinted_command
from fastapi_easy.interfaces.cli.migrate.reports.plan_report import print_plan
from fastapi_easy.interfaces.cli.migrate.reports.sql_script import sql_script
from fastapi_easy.interfaces.cli.migrate.tasks import LoadTasks, MigrationTarget, Planning
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, Json, TargetPath
from fastapi_easy.interfaces.cli.tasks import Target

_EXAMPLES = """\b
Examples:
  fastapi-easy migrate plan shop:app
  fastapi-easy migrate plan shop:app --rename books.title=name
  fastapi-easy migrate plan shop:app --json > plan.json
  fastapi-easy migrate plan shop:app --sql > plan.sql
\b
Exit codes: 0 nothing to do, 2 there is something to apply, 1 the database does not answer.
"""


def add_to(cli: typer.Typer, load_tasks: LoadTasks) -> None:
    """Add the command `plan` to *cli*."""

    @cli.command(epilog=_EXAMPLES)
    def plan(  # noqa: PLR0913, PLR0917 (what typer makes of each is an option)
        app: TargetPath,
        database: Database = None,
        as_sql: Annotated[bool, typer.Option("--sql", help="Print a script for people who run SQL.")] = False,
        rename: Renames = None,
        fill: Fills = None,
        using: Usings = None,
        drop_undeclared: DropUndeclared = False,
        online: Online = True,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Show what differs, as steps with their risks. Changes nothing.

        MODULE:APP names a FastAPI app, a function without arguments that returns one, or a container.
        """
        if as_sql and as_json:
            raise typer.BadParameter("choose one of --sql and --json")
        planning = Planning(
            at=MigrationTarget(target=Target(path=app, folder=app_dir), database=database),
            hints=read_hints(
                renames=rename, fills=fill, usings=using, drop_undeclared=drop_undeclared, online=online
            ),
        )
        with reported(as_json=as_json, debug=debug):
            tasks = load_tasks()
            made = unwrap(tasks.plan(planning), as_json=as_json)
            _tell_of_unused(made, planning)
            if as_json:
                from fastapi_easy.application.migrations.plan_document import write_plan

                typer.echo(write_plan(made, indent=2))
            elif as_sql:
                typer.echo(sql_script(made), nl=False)
            else:
                print_plan(
                    made, apply_command(planning, made) if made else "", hinted_command(planning, made)
                )
        raise typer.Exit((ExitCode.PENDING if made else ExitCode.DONE).value)


def _tell_of_unused(made: MigrationPlan, planning: Planning) -> None:
    from fastapi_easy.application.migrations.planning.unused_hints import unused_hints

    if made and made.source == "models":
        words = options_of(unused_hints(made.changes, planning.hints))
        for option, text in zip(words[::2], words[1::2], strict=True):
            typer.echo(f"{option} {text}: nothing in this plan has to do with that name", err=True)
