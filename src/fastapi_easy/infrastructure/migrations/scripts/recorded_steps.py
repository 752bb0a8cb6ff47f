"""The steps that only keep the table of revisions."""

from dataclasses import replace

from sqlalchemy import Connection

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.step import Reversibility, Step
from fastapi_easy.infrastructure.migrations.relational.compiling.steps import compile_steps
from fastapi_easy.infrastructure.migrations.relational.sqlite.compiling import compile_sqlite_steps
from fastapi_easy.infrastructure.migrations.scripts import version_table
from fastapi_easy.infrastructure.migrations.scripts.version_table import RecordedRevision
from fastapi_easy.infrastructure.relational.server import Server


def creating_steps(recorded: RecordedRevision, server: Server, connection: Connection) -> tuple[Step, ...]:
    """Return the steps that create the table of revisions, if there is none. What undoes them leaves it."""
    if recorded.exists:
        return ()
    creation = version_table.creation(server.dialect)
    steps = (
        compile_sqlite_steps(connection, [creation], Hints())
        if server.name == "sqlite"
        else compile_steps([creation], server, Hints(), connection)
    )
    return tuple(
        replace(
            each,
            summary=f"create table {version_table.NAME}",
            reverse=(),
            reversibility=Reversibility.FULL,
        )
        for each in steps
    )
