"""A plan for people: coloured on a terminal, plain text that is always the same elsewhere."""

import sys
from collections.abc import Sequence
from typing import Final

import typer

from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.interfaces.cli.migrate.reports.plan_view import (
    HEADINGS,
    FoundAt,
    cells,
    finding_lines,
    findings_of,
    heading,
    sentences,
    totals,
)
from fastapi_easy.interfaces.cli.output import table

NOTHING: Final = "Nothing to do: the stored schema is the declared one."
NO_SCRIPT: Final = "Nothing to do: every script is applied."

_STYLES: Final = {"safe": "green", "caution": "yellow", "dangerous": "bold red", "suppressed": "dim"}
_RISK: Final = HEADINGS.index("RISK")


def print_plan(plan: MigrationPlan, next_command: str = "", hinted_command: str = "") -> None:
    """Print *plan* on stdout.

    Args:
        plan: What is printed.

        next_command: The command that applies it; empty leaves it out.

        hinted_command: The command that plans what was probably meant; empty leaves it out.
    """
    if sys.stdout.isatty():
        print_in_colour(plan, next_command, hinted_command)
    else:
        typer.echo(plan_text(plan, next_command, hinted_command))


def plan_text(plan: MigrationPlan, next_command: str = "", hinted_command: str = "") -> str:
    """Return *plan* as plain text."""
    found = findings_of(plan)
    steps = (
        [heading(plan), "", table([HEADINGS, *cells(plan)]), "", f"{totals(plan)}."]
        if plan
        else [_nothing(plan)]
    )
    return "\n".join([*steps, *_notes(plan, found), *_next(next_command, hinted_command)])


def print_in_colour(
    plan: MigrationPlan, next_command: str = "", hinted_command: str = "", *, width: int | None = None
) -> None:
    """Print *plan* on a terminal: the same words, wrapped and coloured.

    Args:
        plan: What is printed.

        next_command: The command that applies it; empty leaves it out.

        hinted_command: The command that plans what was probably meant; empty leaves it out.

        width: Columns of the terminal; `None` asks it.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # `Text` throughout: rich would take the brackets of SQL for its markup.
    console = Console(highlight=False, width=width)
    if plan:
        console.print(Text(heading(plan), style="bold"))
        steps = Table(box=None, pad_edge=False, header_style="dim")
        for name in HEADINGS:
            steps.add_column(name, overflow="fold")
        for row in cells(plan):
            steps.add_row(
                *(Text(cell, style=_style(cell) if place == _RISK else "") for place, cell in enumerate(row))
            )
        console.print(steps)
        console.print(Text(f"{totals(plan)}.", style="bold"))
    else:
        console.print(Text(_nothing(plan), style="green"))
    for line in _notes(plan, findings_of(plan)):
        console.print(Text(line, style=_style(line)))
    for line in _next(next_command, hinted_command):
        # Not wrapped: it is to be copied.
        console.print(Text(line), soft_wrap=True)


def _nothing(plan: MigrationPlan) -> str:
    return NO_SCRIPT if plan.source == "files" and plan.drift else NOTHING


def _notes(plan: MigrationPlan, found: Sequence[FoundAt]) -> list[str]:
    lines: list[str] = []
    for each in found:
        lines += ["", *finding_lines(each)]
    if plan.drift:
        lines += ["", "The stored schema is not what it should be:"]
        lines += [f"  {each}" for each in sentences(plan.drift)]
    return lines


def _next(next_command: str, hinted_command: str) -> list[str]:
    return [
        *(
            [
                "",
                "With what was probably renamed, and with values for rows that exist:",
                f"  {hinted_command}",
            ]
            if hinted_command
            else []
        ),
        *(["", "To apply it:", f"  {next_command}"] if next_command else []),
    ]


def _style(text: str) -> str:
    """Return the style of a line or cell that begins with a risk."""
    return _STYLES.get(text.partition(" ")[0].rstrip(","), "")
