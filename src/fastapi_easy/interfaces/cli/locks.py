"""The command `locks`: list the locks of an application that are held, and evict a holder."""

import enum
import json
from dataclasses import asdict
from typing import Annotated

import typer

from fastapi_easy.interfaces.cli.output import report_command_errors, table
from fastapi_easy.interfaces.cli.parameters import CURRENT_FOLDER, Debug, Folder, Json, TargetPath
from fastapi_easy.interfaces.cli.tasks import Lock, Target, Tasks

_EXAMPLES = """\b
Examples:
  fastapi-easy locks list shop:app
  fastapi-easy locks list shop:app invoice: --json
  fastapi-easy locks evict shop:app invoice:42 --token 1795448854202890 --reason "its job hangs"
\b
Exit codes: 0 success, 1 no lock is held with that token, 2 the store does not answer, or does not support it.
"""


class Action(enum.StrEnum):
    """The first argument of `locks`."""

    LIST = "list"
    EVICT = "evict"


def add_to(cli: typer.Typer, tasks: Tasks) -> None:
    """Add the command `locks` to *cli*."""

    @cli.command(epilog=_EXAMPLES)
    def locks(  # noqa: PLR0913, PLR0917 (what typer makes of each is an option)
        action: Annotated[Action, typer.Argument(metavar="list|evict", show_default=False)],
        app: TargetPath,
        name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)] = "",
        token: Annotated[
            int | None,
            typer.Option(help="Of the lease that is taken away, as listed.", show_default="needed to evict"),
        ] = None,
        reason: Annotated[
            str, typer.Option(help="Why it is taken away; kept in the log.", show_default="needed to evict")
        ] = "",
        as_json: Json = False,
        app_dir: Folder = CURRENT_FOLDER,
        debug: Debug = False,
    ) -> None:
        """List the locks whose names begin with NAME, or take the one called NAME from its holder.

        The holder is told at its next renewal, or when it commits.

        MODULE:APP names a FastAPI app, a function without arguments that returns one, or a container.
        """
        target = Target(path=app, folder=app_dir)
        if action is Action.EVICT:
            if not name or token is None or not reason:
                raise typer.BadParameter("name the lock, its --token and the --reason: see locks list")
            with report_command_errors(debug=debug):
                evicted = tasks.evict_lock(target, name, token, reason)
            typer.echo(
                f"{name} was evicted." if evicted else f"No lock {name} is held with token {token}.",
                err=not evicted,
            )
            raise typer.Exit(0 if evicted else 1)
        with report_command_errors(debug=debug):
            held = tasks.list_locks(target, name)
        if as_json:
            typer.echo(json.dumps([asdict(each) for each in held], indent=2))
        else:
            typer.echo(table([_HEADINGS, *map(_row, held)]))


_HEADINGS = ("NAME", "TOKEN", "AGE", "REMAINING", "WAITING", "OWNER")


def _row(lock: Lock) -> tuple[str, ...]:
    remaining = "-" if lock.remaining is None else f"{lock.remaining:.1f} s"
    return lock.name, str(lock.token), f"{lock.age:.1f} s", remaining, str(len(lock.waiters)), lock.owner
