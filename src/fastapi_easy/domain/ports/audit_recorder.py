"""What records changes in the audit trail, as the units of work of an application use it."""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from fastapi_easy.domain.changes.events import DomainEvent
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork


@runtime_checkable
class AuditRecorder(Protocol):
    """Writes entries about changes, in their transaction."""

    async def record_in(self, work: UnitOfWork, events: Iterable[DomainEvent]) -> Outcome[None]:
        """Record what *events* tell of audited resources, in the transaction of *work*.

        To be called last before the commit: whoever changes what belongs to the same chain waits until that.

        Fails with:
            Unavailable: The trail cannot be written, and so nothing else may be.
        """
        ...
