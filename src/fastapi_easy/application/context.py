"""The context of a call: the caller, the tenant, the correlation id, the deadline."""

from dataclasses import dataclass, field
from typing import Final

from fastapi_easy.domain.changes.events import DomainEvent
from fastapi_easy.domain.principal import ANONYMOUS, Principal, Tenant


@dataclass(slots=True)
class DryRun:
    """The record of a dry run: everything is done but the commit.

    Attributes:
        events: The events that would have been published; filled by the use case.
    """

    events: list[DomainEvent] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The circumstances of a call; it accompanies the command through every step.

    Attributes:
        principal: The caller.

        tenant: The partition the call works in.

        correlation_id: Ties together everything that one call causes; 1 to 128 printable ASCII characters.

        idempotency_key: Identifies the call, so that a repetition gets the first answer.

        deadline: The time at which the caller stops waiting, on the clock of `Clock.monotonic`.

        dry_run: The record of a dry run, which commits nothing; `None` for a real call.
    """

    principal: Principal = ANONYMOUS
    tenant: Tenant | None = None
    correlation_id: str = ""
    idempotency_key: str | None = None
    deadline: float | None = None
    dry_run: DryRun | None = None


NOBODY: Final = Context()
"""The context of an anonymous caller."""
