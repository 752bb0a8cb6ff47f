"""The command `migrate rollback`: undo what was applied, with the statements that were stored for it."""

import json
from typing import Annotated

import typer

from fastapi_easy.interfaces.cli.migrate.confirmation import confirm
from fastapi_easy.interfaces.cli.migrate.failures import reported, unwrap
from fastapi_easy.interfaces.cli.migrate.parameters import (
    DEFAULT_WAIT,
    Allowed,
    Database,
    Wait,
    Yes,
    read_approvals,
    read_wait,
)
from fastapi_easy.interfaces.cli.migrate.reports.plan_view import counted
from fastapi_easy.interfaces.cli.migrate.reports.progress import shown_progress
from fastapi_easy.interfaces.cli.migrate.reports.run_report import run_document, run_text
from fastapi_easy.interfaces.cli.migrate.tasks import LoadTasks, MigrationTarget, RollingBack
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, Json, TargetPath
from fastapi_easy.interfaces.cli.tasks import Target

_EXAMPLES = """\b
Examples:
  fastapi-easy migrate rollback shop:app
  fastapi-easy migrate rollback shop:app --steps 2
  fastapi-easy migrate rollback shop:app --to 3f2a9c1b0d4e --allow destructive --yes
\b
Nothing is executed when a step cannot be undone, or would delete data that nobody allowed to lose.
"""


def add_to(cli: typer.Typer, load_tasks: LoadTasks) -> None:
    """Add the command `rollback` to *cli*."""

    @cli.command(epilog=_EXAMPLES)
    def rollback(  # noqa: PLR0913, PLR0917 (what typer makes of each is an option)
        app: TargetPath,
        database: Database = None,
        steps: Annotated[int, typer.Option(min=1, help="How many runs to undo, the newest first.")] = 1,
        to: Annotated[
            str,
            typer.Option(
                metavar="RUN",
                help="The run or plan that is to be the last one afterwards; base for none.",
                show_default="--steps decides",
            ),
        ] = "",
        allow: Allowed = None,
        yes: Yes = False,
        wait: Wait = DEFAULT_WAIT,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Undo runs, with the statements stored for it.

        MODULE:APP names a FastAPI app, a function without arguments that returns one, or a container.
        """
        if steps > 1 and to:
            raise typer.BadParameter("choose one of --steps and --to")
        rolling = RollingBack(
            at=MigrationTarget(target=Target(path=app, folder=app_dir), database=database),
            approvals=read_approvals(allow),
            wait=read_wait(wait),
            to=to,
            steps=steps,
        )
        with reported(as_json=as_json, debug=debug):
            tasks = load_tasks()
            if not yes:
                confirm(tasks, f"Undo {_describe(rolling)}?", as_json=as_json)
            with shown_progress() as watch:
                run = unwrap(tasks.rollback(rolling, watch), as_json=as_json)
            if as_json:
                typer.echo(json.dumps(run_document(run), indent=2))
            else:
                typer.echo("Nothing to undo." if run is None or not run.id else run_text(run))


def _describe(rolling: RollingBack) -> str:
    if rolling.to:
        return "every run" if rolling.to == "base" else f"every run after {rolling.to}"
    return "the last run" if rolling.steps == 1 else f"the last {counted(rolling.steps, 'run')}"
