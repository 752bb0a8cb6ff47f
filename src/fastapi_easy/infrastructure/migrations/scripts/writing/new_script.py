"""The script for what differs."""

from collections.abc import Sequence

from sqlalchemy import Connection

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.step import Step
from fastapi_easy.infrastructure.migrations.relational.operations import Detected
from fastapi_easy.infrastructure.migrations.relational.store import Comparison
from fastapi_easy.infrastructure.migrations.scripts.folder import ScriptFolder
from fastapi_easy.infrastructure.migrations.scripts.script import Script
from fastapi_easy.infrastructure.migrations.scripts.writing.script_body import write_body


def write_script(
    folder: ScriptFolder,
    revision: str,
    message: str,
    comparison: Comparison,
    hints: Hints,
    connection: Connection,
) -> Script:
    """Write the next script of *folder*, which does what *comparison* has found, and return it.

    Raises:
        ScriptRefusal: The scripts that are there are not in one line.
    """

    def compile_alone(detected: Sequence[Detected], plainly: Hints) -> Sequence[Step]:
        return comparison.compile(connection, detected, plainly)

    body = write_body(comparison.detected, comparison.steps, hints, connection.dialect, compile_alone)
    return folder.write(
        revision,
        message,
        _in_function(body.upgrade),
        _in_function(body.downgrade),
        "\n".join(body.imports),
    )


def _in_function(lines: Sequence[str]) -> str:
    """Return *lines* as they stand in a template, which indents the first one."""
    return "\n    ".join(lines)
