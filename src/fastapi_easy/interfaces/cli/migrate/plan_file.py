"""Read plans that were written: printed with `--json` and perhaps reviewed since, or stored with a run."""

import dataclasses
import sys
from pathlib import Path
from typing import Final

from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.run import Run, StepState
from fastapi_easy.interfaces.cli.migrate.exit_codes import ExitCode
from fastapi_easy.interfaces.cli.tasks import CommandError

STDIN: Final = Path("-")
"""Stands for the standard input."""


def read_plan_file(file: Path) -> tuple[MigrationPlan, str]:
    """Return the plan in *file*, and its text; `-` is stdin.

    Raises:
        CommandError: It cannot be read, or is not what was printed.
    """
    from fastapi_easy.application.migrations.plan_document import read_plan

    try:
        text = sys.stdin.read() if file == STDIN else file.read_text("utf-8-sig")
        return read_plan(text), text
    except (OSError, UnicodeError) as error:
        raise CommandError(f"{file} cannot be read: {error}") from error
    except ValueError as error:
        raise CommandError(f"{file}: {error}", exit_code=ExitCode.DIFFERENT.value) from error


def rest_of(run: Run) -> MigrationPlan:
    """Return what is left of the plan of *run*.

    Raises:
        CommandError: The plan was changed since the run was begun.
    """
    from fastapi_easy.application.migrations.plan_document import read_plan

    try:
        plan = read_plan(run.plan)
    except ValueError as error:
        raise CommandError(f"run {run.id}: {error}", exit_code=ExitCode.DIFFERENT.value) from error
    done = {each.index for each in run.steps if each.state in {StepState.DONE, StepState.SKIPPED}}
    return dataclasses.replace(
        plan, steps=tuple(step for index, step in enumerate(plan.steps) if index not in done)
    )
