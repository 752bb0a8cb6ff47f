"""What is said while steps are executed: a bar on a terminal, a line for each step elsewhere."""

import contextlib
import sys
from collections.abc import Iterator
from typing import Final

import typer

from fastapi_easy.domain.migrations.events import (
    DriftDetected,
    MigrationBlocked,
    MigrationEvent,
    MigrationLockLost,
    MigrationPlanned,
    MigrationStarted,
    StepApplied,
    StepFailed,
)
from fastapi_easy.interfaces.cli.migrate.masking import on_one_line
from fastapi_easy.interfaces.cli.migrate.tasks import Watch

_WORDS: Final = "[progress.description]{task.description}"


@contextlib.contextmanager
def shown_progress(steps: int | None = None, *, on_terminal: bool | None = None) -> Iterator[Watch]:
    """Yield what shows the events of a run on stderr.

    Args:
        steps: How many steps there will be; `None` when an event is to say so.

        on_terminal: Show a bar; `None` does if stderr is a terminal.
    """
    if sys.stderr.isatty() if on_terminal is None else on_terminal:
        with _bar(steps) as watch:
            yield watch
    else:
        yield _Lines(steps)


class _Lines:
    """Prints a line for each step.

    Args:
        steps: How many there will be; `None` when an event is to say so.
    """

    def __init__(self, steps: int | None) -> None:
        self._steps = steps

    def __call__(self, event: MigrationEvent) -> None:
        match event:
            case MigrationPlanned(steps=steps):
                self._steps = steps
            case _:
                for line in lines_of(event, self._steps):
                    typer.echo(line, err=True)


def lines_of(event: MigrationEvent, steps: int | None) -> list[str]:
    """Return what to say of *event*, in a run of so many *steps*."""
    match event:
        case MigrationStarted(resumed=True):
            return [f"Run {event.run_id} goes on."]
        case StepApplied(index=index, summary=summary, seconds=seconds):
            return [f"{_number(index, steps)}  {on_one_line(summary)}  ({seconds:.2f} s)"]
        case StepFailed(index=index, summary=summary, error=error):
            return [f"{_number(index, steps)}  {on_one_line(summary)}  FAILED: {on_one_line(error)}"]
        case MigrationBlocked(index=index, reason=reason):
            return [f"{_number(index, steps)}  BLOCKED: {on_one_line(reason)}"]
        case MigrationLockLost():
            return ["The lock was lost."]
        case DriftDetected(differences=differences):
            return [f"drift: {on_one_line(each)}" for each in differences]
        case _:
            return []


def _number(index: int, steps: int | None) -> str:
    return str(index + 1) if steps is None else f"{index + 1}/{steps}"


@contextlib.contextmanager
def _bar(steps: int | None) -> Iterator[Watch]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
    from rich.progress import TimeElapsedColumn as Elapsed

    console = Console(stderr=True, highlight=False, force_terminal=True)
    columns = (SpinnerColumn(), TextColumn(_WORDS), BarColumn(), MofNCompleteColumn(), Elapsed())
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("migrating", total=steps)

        def watch(event: MigrationEvent) -> None:
            nonlocal steps
            match event:
                case MigrationPlanned(steps=number):
                    steps = number
                    progress.update(bar, total=number)
                case StepApplied():
                    progress.advance(bar)
                case _:
                    pass
            for line in lines_of(event, steps):
                progress.console.print(escape(line), soft_wrap=True)

        yield watch
