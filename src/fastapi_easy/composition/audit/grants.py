"""The SQL with which the owner of an audit trail lets the application write it, and nothing else."""

from collections.abc import Sequence

from fastapi_easy.composition.application import Application
from fastapi_easy.domain.errors import DeclarationError

__all__ = ["grants_of"]


def grants_of(application: Application, role: str, archiver: str | None = None) -> Sequence[str]:
    """Return what the owner of the tables of each audited database runs.

    Args:
        application: Its databases are not opened.

        role: The user of the application.

        archiver: The user that removes what was archived; `None` for nobody.

    Raises:
        DeclarationError: A database has no SQL, or nothing is audited.
    """
    from fastapi_easy.infrastructure.audit.relational.grants import grant_statements
    from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
    from fastapi_easy.infrastructure.relational.server import server_name_of

    found: list[str] = []
    for name in application.audit_trail().sinks:
        database = application.databases.providers[name]()
        if not isinstance(database, SqlAlchemyDatabase):
            raise DeclarationError(
                [
                    f"database {name!r}: {database.technology} has no SQL: grant find and insert only in fe_audit"
                ]
            )
        server = server_name_of(database.executor.engine.dialect.name)
        found += grant_statements(server, role, archiver)
    return found
