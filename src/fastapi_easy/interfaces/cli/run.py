"""The command `run`: serve an application."""

import enum
from typing import Annotated

import typer

from fastapi_easy.interfaces.cli.output import report_command_errors
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, TargetPath
from fastapi_easy.interfaces.cli.tasks import Serving, Target, Tasks

_EXAMPLES = """\b
Examples:
  fastapi-easy run shop:app
  fastapi-easy run shop:app --reload
  fastapi-easy run shop:make_app --host 0.0.0.0 --port 80 --workers 4
  fastapi-easy run shop.main:app --app-dir src --log-level debug
\b
Exit codes: 0 stopped by a signal, 1 it cannot listen there, 2 there is no such app or its declarations have
mistakes, 3 the app did not start.
"""


class LogLevel(enum.StrEnum):
    """The least severe level that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def add_to(cli: typer.Typer, tasks: Tasks) -> None:
    """Add the command `run` to *cli*."""

    @cli.command(epilog=_EXAMPLES)
    def run(  # noqa: PLR0913, PLR0917 (typer: one parameter for each option)
        app: TargetPath,
        host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 is all.")] = "127.0.0.1",
        port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
        reload: Annotated[bool, typer.Option("--reload", help="Restart when the code changes.")] = False,
        workers: Annotated[
            int, typer.Option(min=1, envvar="WEB_CONCURRENCY", help="Number of worker processes.")
        ] = 1,
        log_level: Annotated[
            LogLevel | None,
            typer.Option(
                help="How much is logged.", show_default="the setting log.level", case_sensitive=False
            ),
        ] = None,
        access_log: Annotated[bool, typer.Option("--access-log", help="Log every request.")] = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """Serve an application.

        MODULE:APP names a FastAPI app, or a function without arguments that returns one.
        """
        if reload and workers > 1:
            raise typer.BadParameter("--reload works with one process: leave out --workers")
        serving = Serving(
            target=Target(path=app, folder=app_dir),
            host=host,
            port=port,
            reload=reload,
            workers=workers,
            log_level=log_level.value.upper() if log_level else None,
            access_log=access_log,
        )
        with report_command_errors(debug=debug):
            raise typer.Exit(tasks.serve(serving))
