"""Output for people: plain tables, and errors without a traceback."""

import contextlib
import sys
import traceback
from collections.abc import Iterator, Sequence

import typer

from fastapi_easy.interfaces.cli.tasks import CommandError


def table(rows: Sequence[Sequence[str]]) -> str:
    """Format *rows* as text, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


@contextlib.contextmanager
def report_command_errors(*, debug: bool) -> Iterator[None]:
    """Print the message of a `CommandError` on stderr and end the command with its exit code.

    Args:
        debug: Show the traceback too.
    """
    try:
        yield
    except CommandError as command_error:
        if debug:
            traceback.print_exception(command_error.__cause__ or command_error, file=sys.stderr)
        typer.echo(command_error.message, err=True)
        raise typer.Exit(command_error.exit_code) from None
