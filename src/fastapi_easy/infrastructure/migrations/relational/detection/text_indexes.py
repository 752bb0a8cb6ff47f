"""Full-text indexes of SQLite, which are tables and triggers: those that are missing, and those nobody declares."""

from alembic.operations.ops import ExecuteSQLOp
from sqlalchemy import Connection, MetaData

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Facts
from fastapi_easy.infrastructure.migrations.relational.operations import Detected
from fastapi_easy.infrastructure.relational.server import server_name_of
from fastapi_easy.infrastructure.relational.sqlite.text_index import compare_text_indexes


def dropped_and_created_text_indexes(
    connection: Connection, metadata: MetaData
) -> tuple[list[Detected], list[Detected]]:
    """Return what drops the full-text indexes that are in the way, before anything else, and what creates others, last.

    On servers they are indexes like any other.
    """
    if server_name_of(connection.dialect.name) != "sqlite":
        return [], []
    dropped, created = compare_text_indexes(connection, metadata)
    return [_drop(each) for each in dropped], [
        Detected(
            change=Change(
                kind=ChangeKind.CREATE_INDEX,
                table=each.table,
                name=each.name,
                facts=Facts(columns=each.columns),
            ),
            operation=ExecuteSQLOp(statement),
        )
        for each in created
        for statement in each.creation
    ]


def _drop(statement: str) -> Detected:
    name = statement.split(maxsplit=2)[2].strip('"')
    return Detected(change=Change(kind=ChangeKind.DROP_INDEX, name=name), operation=ExecuteSQLOp(statement))
