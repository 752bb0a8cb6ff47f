"""Assemble the commands below `migrate`."""

from collections.abc import Mapping
from typing import Any, cast

import typer
import typer.main
from typer.core import TyperGroup

from fastapi_easy.interfaces.cli.migrate.commands import (
    apply,
    baseline,
    lint,
    make,
    plan,
    repair,
    rollback,
    status,
)
from fastapi_easy.interfaces.cli.migrate.tasks import LoadTasks


def build_commands(load_tasks: LoadTasks) -> Mapping[str, Any]:
    """Return the commands by their names, in the order in which they are shown."""
    migrate = typer.Typer(rich_markup_mode=None)
    make.add_to(migrate, load_tasks)
    plan.add_to(migrate, load_tasks)
    lint.add_to(migrate, load_tasks)
    apply.add_to(migrate, load_tasks)
    rollback.add_to(migrate, load_tasks)
    status.add_to(migrate, load_tasks)
    repair.add_to(migrate, load_tasks)
    baseline.add_to(migrate, load_tasks)
    return cast("TyperGroup", typer.main.get_command(migrate)).commands
