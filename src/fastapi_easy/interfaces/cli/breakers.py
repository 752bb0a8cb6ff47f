"""`breakers`: what the processes of a running application think of their databases, and a say in it."""

import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from fastapi_easy.interfaces.cli.output import refusals, table
from fastapi_easy.interfaces.cli.parameters import Debug, Json
from fastapi_easy.interfaces.cli.tasks import BreakerState, Refusal, Tasks

_EXAMPLES = """\b
Examples:
  fastapi-easy breakers list
  fastapi-easy breakers isolate default
  fastapi-easy breakers reset default --json
\b
Reaches every process on this machine that has the same setting control, which names a folder.
Exit codes: 0 well, 2 no process answers, or none has a breaker for that database.
"""


class Act(enum.StrEnum):
    """What is done with a breaker."""

    LIST = "list"
    ISOLATE = "isolate"
    RESET = "reset"


def add_to(cli: typer.Typer, tasks: Tasks) -> None:
    """Add the command to *cli*."""

    @cli.command(epilog=_EXAMPLES)
    def breakers(
        act: Annotated[Act, typer.Argument(metavar="list|isolate|reset", show_default=False)],
        database: Annotated[str | None, typer.Argument(metavar="DATABASE", show_default=False)] = None,
        control: Annotated[
            Path | None,
            typer.Option(help="The folder of the application.", show_default="the setting control"),
        ] = None,
        as_json: Json = False,
        debug: Debug = False,
    ) -> None:
        """See, and set, whether the processes of a running application ask their databases.

        An isolated database is not asked until it is reset; callers are told to come back later.
        """
        if act is not Act.LIST and database is None:
            raise typer.BadParameter(f"name the database: fastapi-easy breakers {act} default")
        with refusals(debug=debug):
            states = tasks.ask_breakers(act, database, control)
        if as_json:
            typer.echo(json.dumps([asdict(each) for each in states], indent=2))
        else:
            typer.echo(table([_HEADINGS, *map(_row, states)]))


def states_in(answers: Sequence[tuple[int, Mapping[str, Any]]], database: str | None) -> list[BreakerState]:
    """The breakers of *answers*, by process, or the one of *database* in each of them.

    Raises:
        Refusal: No process answers, or none has that breaker.
    """
    if not answers:
        raise Refusal("no process answers there: is the application running, with the same setting control?")
    known = sorted({name for _, answer in answers for name in answer})
    if database is not None and database not in known:
        there = ", ".join(known) or "none"
        raise Refusal(f"no process has a breaker for {database!r}; there are: {there}")
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
