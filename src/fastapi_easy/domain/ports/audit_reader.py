"""What reads the audit trail of an application for the past of its entities."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from fastapi_easy.domain.audit.entry import AuditEntry
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.history.history_limits import HistoryLimits
from fastapi_easy.domain.ports.audit_sink import AuditSink


@runtime_checkable
class AuditReader(Protocol):
    """Knows where the trail of each database is, and the keys of what is about people."""

    @property
    def sinks(self) -> Mapping[str, AuditSink]:
        """Where the trail of each database is, by the name of the database."""
        ...

    @property
    def history(self) -> HistoryLimits:
        """How much one question about the past may read."""
        ...

    async def reveal(self, entries: Sequence[AuditEntry], database: str) -> Outcome[Sequence[AuditEntry]]:
        """Return *entries* of the trail of *database* with the values about people that were not erased.

        Fails with:
            Unavailable: The database does not answer.
        """
        ...
