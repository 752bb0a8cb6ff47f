"""What commands of operators leave in the audit trail of an application that does not run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi_easy.application.audit.recording.security_log import SecurityLog
from fastapi_easy.application.audit.trail import AuditTrail
from fastapi_easy.composition.answers import answer, require_none
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.audit.trail import is_audited
from fastapi_easy.domain.ports import Database

__all__ = ["written_by_operators"]


@asynccontextmanager
async def written_by_operators(application: Application) -> AsyncIterator[None]:
    """Record what a command of an operator does while the block runs, and write it at its end.

    Does nothing in an application that runs, which records it anyhow, or that audits nothing.

    Raises:
        ConnectionError: The database does not answer.
    """
    if application.is_recording or not is_audited(application.declarations.values()):
        yield
        return
    # Imported by those who need it.
    from fastapi_easy.composition.audit.recording import subscribed

    security = application.audit_security()
    trail = application.audit_trail()
    database = application.databases.providers[trail.security]()
    try:
        with subscribed(application):
            yield
    finally:
        await _write_and_close(trail, security, database)


async def _write_and_close(trail: AuditTrail, security: SecurityLog, database: Database) -> None:
    try:
        if security.is_empty:
            return
        require_none(database, answer(database, await trail.sinks[trail.security].prepare()))
        _ = answer(database, await security.write())
    finally:
        await database.close()
