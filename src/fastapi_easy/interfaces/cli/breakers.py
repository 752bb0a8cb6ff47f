"""The command `breakers`: list, isolate and reset the circuit breakers of a running application."""

import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from fastapi_easy.interfaces.cli.output import report_command_errors, table
from fastapi_easy.interfaces.cli.parameters import Debug, Json
from fastapi_easy.interfaces.cli.tasks import BreakerState, CommandError, Tasks

_EXAMPLES = """\b
Examples:
  fastapi-easy breakers list
  fastapi-easy breakers isolate default
  fastapi-easy breakers reset default --json
\b
Reaches every process on this machine that has the same setting control, which names a folder.
Exit codes: 0 success, 2 no process answers, or none has a circuit breaker for that database.
"""


class Action(enum.StrEnum):
    """The first argument of `breakers`."""

    LIST = "list"
    ISOLATE = "isolate"
    RESET = "reset"


def add_to(cli: typer.Typer, tasks: Tasks) -> None:
    """Add the command `breakers` to *cli*."""

    @cli.command(epilog=_EXAMPLES)
    def breakers(
        action: Annotated[Action, typer.Argument(metavar="list|isolate|reset", show_default=False)],
        database: Annotated[str | None, typer.Argument(metavar="DATABASE", show_default=False)] = None,
        control: Annotated[
            Path | None,
            typer.Option(help="The folder of the application.", show_default="the setting control"),
        ] = None,
        as_json: Json = False,
        debug: Debug = False,
    ) -> None:
        """Show and set the circuit breakers of a running application's processes.

        An isolated database gets no calls until its breaker is reset; callers get 503 with Retry-After.
        """
        if action is not Action.LIST and database is None:
            raise typer.BadParameter(f"name the database: fastapi-easy breakers {action} default")
        with report_command_errors(debug=debug):
            states = tasks.ask_breakers(action, database, control)
        if as_json:
            typer.echo(json.dumps([asdict(each) for each in states], indent=2))
        else:
            typer.echo(table([_HEADINGS, *map(_row, states)]))


def breaker_states(
    answers: Sequence[tuple[int, Mapping[str, Any]]], database: str | None
) -> list[BreakerState]:
    """Return the breakers in *answers*, by process; only the one of *database* in each process, if it is given.

    Raises:
        CommandError: No process answers, or none has that breaker.
    """
    if not answers:
        raise CommandError(
            "no process answers there: is the application running, with the same setting control?"
        )
    known = sorted({name for _, answer in answers for name in answer})
    if database is not None and database not in known:
        names = ", ".join(known) or "none"
        raise CommandError(f"no process has a circuit breaker for {database!r}; there are: {names}")
    return [
        BreakerState(process=process, database=name, **circuit)
        for process, answer in answers
        for name, circuit in answer.items()
        if database in {None, name}
    ]


_HEADINGS = ("PROCESS", "DATABASE", "STATE", "RETRY AFTER", "OPENED", "REFUSED")


def _row(state: BreakerState) -> tuple[str, ...]:
    pause = f"{state.retry_after:.1f} s" if state.retry_after else "-"
    return str(state.process), state.database, state.state, pause, str(state.opened), str(state.refused)
