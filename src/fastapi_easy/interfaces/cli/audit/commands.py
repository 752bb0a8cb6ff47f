"""The commands below `audit`."""

from collections.abc import Mapping
from typing import Any, cast

import typer
import typer.main
from typer.core import TyperGroup

from fastapi_easy.interfaces.cli.audit.exporting import add_export
from fastapi_easy.interfaces.cli.audit.granting import add_grants
from fastapi_easy.interfaces.cli.audit.key_commands import add_keys
from fastapi_easy.interfaces.cli.audit.operating import add_operations
from fastapi_easy.interfaces.cli.audit.proving import add_proofs
from fastapi_easy.interfaces.cli.audit.tasks import LoadAuditTasks
from fastapi_easy.interfaces.cli.audit.verifying import add_verify


def build_commands(load_tasks: LoadAuditTasks) -> Mapping[str, Any]:
    """Return the commands by name.

    Args:
        load_tasks: Returns what they call.
    """
    group = typer.Typer(rich_markup_mode=None)
    for add in (add_verify, add_proofs, add_export, add_operations, add_keys, add_grants):
        add(group, load_tasks)
    return cast("TyperGroup", typer.main.get_command(group)).commands
