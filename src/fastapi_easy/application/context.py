"""The context of a call: the caller, the tenant, the correlation id, the deadline."""

from dataclasses import dataclass, field
from typing import Final

from fastapi_easy.application.receipt import Receipt
from fastapi_easy.domain.changes.events import DomainEvent
from fastapi_easy.domain.principal import ANONYMOUS, Principal, Tenant
from fastapi_easy.domain.rates.rate import RateUsage
from fastapi_easy.domain.value_object import value_object


@dataclass(slots=True)
class DryRun:
    """The record of a dry run: everything is done but the commit.

    Attributes:
        events: The events that would have been published; filled by the use case.
    """

    events: list[DomainEvent] = field(default_factory=list)


@dataclass(slots=True)
class Replay:
    """The record of a call with an idempotency key.

    Attributes:
        is_replayed: Whether the answer is that of an earlier call; filled by the use case.
    """

    is_replayed: bool = False


@value_object(kw_only=True)
class Context:
    """The circumstances of a call; it accompanies the command through every step.

    Attributes:
        principal: The caller.

        tenant: The partition the call works in.

        correlation_id: Ties together everything that one call causes; 1 to 128 printable ASCII characters.

        address: The network address the call came from, as far as the interface could prove it; empty where there is
            none.

        idempotency_key: Identifies the call, so that a repetition gets the first answer; 1 to 255 visible ASCII
            characters.

        fingerprint: Tells the call from another one with the same key; made of what the caller gave, by the step
            `validate`, and `None` before.

        replay: The record of whether the answer is that of an earlier call; `None` where nobody wants to know.

        receipt: The note in the inbox of a message that asks for this; the idempotency key is then its id. `None` for a
            call that no message asks for.

        rate: The record of what rate limits leave to the caller; `None` where nobody wants to know.

        deadline: The time at which the caller stops waiting, on the clock of `Clock.monotonic`.

        dry_run: The record of a dry run, which commits nothing; `None` for a real call.
    """

    principal: Principal = ANONYMOUS
    tenant: Tenant | None = None
    correlation_id: str = ""
    address: str = ""
    idempotency_key: str | None = None
    fingerprint: str | None = None
    replay: Replay | None = None
    receipt: Receipt | None = None
    rate: RateUsage | None = None
    deadline: float | None = None
    dry_run: DryRun | None = None


NOBODY: Final = Context()
"""The context of an anonymous caller."""
