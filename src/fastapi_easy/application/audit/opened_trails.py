"""The audit trail of an application, which is open."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi_easy.application.audit.trail import AuditTrail
from fastapi_easy.application.audit.trail_operations import TrailOperations


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedTrails:
    """The audit trail of an application, which is open.

    Attributes:
        operations: What operators do with it, for each database.

        trail: What writes it.
    """

    operations: Sequence[TrailOperations]
    trail: AuditTrail
