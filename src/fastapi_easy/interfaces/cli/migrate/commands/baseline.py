"""The command `migrate baseline`: adopt a database that has its tables already."""

import json
from typing import Annotated

import typer

from fastapi_easy.interfaces.cli.migrate.confirmation import confirm
from fastapi_easy.interfaces.cli.migrate.failures import reported, unwrap
from fastapi_easy.interfaces.cli.migrate.parameters import DEFAULT_WAIT, Database, Wait, Yes, read_wait
from fastapi_easy.interfaces.cli.migrate.reports.run_report import run_document, run_text
from fastapi_easy.interfaces.cli.migrate.tasks import Adopting, LoadTasks, MigrationTarget
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, Json, TargetPath
from fastapi_easy.interfaces.cli.tasks import Target

_EXAMPLES = """\b
Examples:
  fastapi-easy migrate baseline shop:app
  fastapi-easy migrate baseline shop:app --revision 4f1c --yes
"""


def add_to(cli: typer.Typer, load_tasks: LoadTasks) -> None:
    """Add the command `baseline` to *cli*."""

    @cli.command(epilog=_EXAMPLES)
    def baseline(  # noqa: PLR0913, PLR0917 (what typer makes of each is an option)
        app: TargetPath,
        database: Database = None,
        revision: Annotated[
            str,
            typer.Option(
                metavar="REVISION", help="The last script that the database has already.", show_default="all"
            ),
        ] = "",
        yes: Yes = False,
        wait: Wait = DEFAULT_WAIT,
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Adopt a database as it is.

        Records its schema without changing any table; what differs from the declared schema stays to be applied.

        MODULE:APP names a FastAPI app, a function without arguments that returns one, or a container.
        """
        adopting = Adopting(
            at=MigrationTarget(target=Target(path=app, folder=app_dir), database=database),
            revision=revision,
            wait=read_wait(wait),
        )
        with reported(as_json=as_json, debug=debug):
            tasks = load_tasks()
            if not yes:
                confirm(tasks, "Record the stored schema as it is?", as_json=as_json)
            run = unwrap(tasks.baseline(adopting), as_json=as_json)
            typer.echo(json.dumps(run_document(run), indent=2) if as_json else run_text(run))
