"""The audit trail: what is declared, and what operators do with it in scripts."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import cast

from fastapi_easy.application.audit.opened_trails import OpenedTrails
from fastapi_easy.application.audit.trail import AuditTrail
from fastapi_easy.application.audit.trail_operations import TrailOperations
from fastapi_easy.application.audit.verification.verify_trail import VerificationReport, VerifiedStream
from fastapi_easy.bootstrap.opening import checked_kernel
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.audit.checkpoints import trail_operations
from fastapi_easy.container import Container
from fastapi_easy.domain.audit.entry import AuditEntry, SealedEntry, StoredEntry
from fastapi_easy.domain.audit.findings import Finding, FindingKind, Verdict
from fastapi_easy.domain.history.history_entry import HistoryEntry
from fastapi_easy.domain.history.lost_value import LostValue
from fastapi_easy.domain.resources.recording import Audit

__all__ = [
    "Audit",
    "AuditEntry",
    "AuditTrail",
    "Finding",
    "FindingKind",
    "HistoryEntry",
    "LostValue",
    "OpenedTrails",
    "SealedEntry",
    "StoredEntry",
    "TrailOperations",
    "Verdict",
    "VerificationReport",
    "VerifiedStream",
    "open_audit",
]


@asynccontextmanager
async def open_audit(container: Container) -> AsyncIterator[OpenedTrails]:
    """Open the audit trail of *container* for a script, and close it at the end.

    ```python
    async with open_audit(Shop()) as opened:
        for trail in opened.operations:
            report = await trail.verify()
    ```

    Args:
        container: An instance of your container, with a resource that is declared with `audit`.

    Raises:
        DeclarationError: With every mistake in the declarations and the settings.

        ConnectionError: A database does not answer.
    """
    application = cast("Application", container)
    _ = checked_kernel(application)
    trail: AuditTrail = application.audit_trail()
    operations = trail_operations(application)
    async with AsyncExitStack() as stack:
        for database in application.every_database():
            if database.name in trail.sinks:
                _ = stack.push_async_callback(database.close)
                await database.open()
        _ = stack.push_async_callback(application.locks().aclose)
        yield OpenedTrails(operations=operations, trail=trail)
