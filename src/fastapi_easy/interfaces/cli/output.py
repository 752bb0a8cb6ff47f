"""Output for people: plain tables, and refusals without a traceback."""

import contextlib
import sys
import traceback
from collections.abc import Iterator, Sequence

import typer

from fastapi_easy.interfaces.cli.tasks import Refusal


def table(rows: Sequence[Sequence[str]]) -> str:
    """*rows* in columns as wide as their widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


@contextlib.contextmanager
def refusals(*, debug: bool) -> Iterator[None]:
    """Say what a `Refusal` says on stderr and end the command with its exit code.

    Args:
        debug: Show the traceback too.
    """
    try:
        yield
    except Refusal as refusal:
        if debug:
            traceback.print_exception(refusal.__cause__ or refusal, file=sys.stderr)
        typer.echo(refusal.sentence, err=True)
        raise typer.Exit(refusal.exit_code) from None
