"""Assemble the command line."""

from typing import Annotated

import typer

from fastapi_easy.interfaces.cli import breakers, doctor, locks, routes, run
from fastapi_easy.interfaces.cli.tasks import Tasks


def build_cli(tasks: Tasks) -> typer.Typer:
    """Return the command line, whose commands call *tasks*."""
    # Plain help: importing rich takes twice as long as everything else together, and its tracebacks show the
    # values of variables, secrets included.
    cli = typer.Typer(
        name="fastapi-easy",
        help="Serve and look at fastapi_easy applications.",
        epilog="Exit codes: 0 success, 1 something is wrong, 2 the command cannot be run as given.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    def show_version(is_given: bool) -> None:
        if is_given:
            typer.echo(f"fastapi_easy {tasks.version()}")
            raise typer.Exit

    @cli.callback()
    def start(
        version: Annotated[
            bool, typer.Option("--version", help="Show the version.", callback=show_version, is_eager=True)
        ] = False,
    ) -> None:
        pass

    run.add_to(cli, tasks)
    routes.add_to(cli, tasks)
    doctor.add_to(cli, tasks)
    breakers.add_to(cli, tasks)
    locks.add_to(cli, tasks)
    return cli
