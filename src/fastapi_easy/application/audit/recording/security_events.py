"""Events of the application that its audit trail tells of, in the stream `security`."""

import dataclasses
from collections.abc import Callable
from typing import Any, Final, get_args

from fastapi_easy.application.audit.recording.security_log import SecurityLog
from fastapi_easy.application.audit.trail import AuditTrail
from fastapi_easy.domain.authentication.events import (
    ApiKeyCreated,
    ApiKeyRevoked,
    SessionClosed,
    SessionOpened,
    SessionRefused,
)
from fastapi_easy.domain.changes.events import DomainEvent
from fastapi_easy.domain.locks.lease import Eviction
from fastapi_easy.domain.migrations.events import MigrationEvent, MigrationPlanned, StepApplied
from fastapi_easy.domain.outbox.events import MessageDropped, MessageRetried
from fastapi_easy.domain.ports.event_bus import EventBus
from fastapi_easy.domain.values.plain_json import to_plain_json
from fastapi_easy.domain.webhooks.events import WebhookEvent

LEASE_EVICTED: Final = "lock.evicted"
"""The action of the entry that tells of an operator who took a lease away."""

_UNRECORDED: Final = (MigrationPlanned, StepApplied)
"""Nothing but what the others tell of."""

_OF_ENTRIES: Final = frozenset({"id", "occurred_at", "owner", "resource", "verb"})
"""The fields of events about migrations that are no details of an entry."""


def record_security_events(log: SecurityLog, trail: AuditTrail, bus: EventBus) -> Callable[[], None]:
    """Record from now on what *bus* tells of API keys, sessions, parked messages, webhooks and migrations.

    Returns:
        A function that ends it.
    """

    async def of_key(event: ApiKeyCreated | ApiKeyRevoked) -> None:
        expires_at = getattr(event, "expires_at", None)
        details = {"owner": event.owner, "expires_at": to_plain_json(expires_at)}
        await log.note(event.name, **_about(event), key=event.key, changes=details)

    async def of_session(event: SessionOpened | SessionClosed) -> None:
        address = getattr(event, "address", "")
        await log.note(event.name, **_about(event), changes={"address": address} if address else {})

    async def of_message(event: MessageRetried | MessageDropped) -> None:
        details = {"database": event.database}
        await log.note(event.name, **_about(event), key=str(event.key), changes=details)

    async def of_webhook(event: WebhookEvent) -> None:
        details = {name: value for name in ("url", "error") if (value := getattr(event, name, ""))}
        await log.note(event.name, **_about(event), key=event.key, changes=details)

    async def of_refused_session(event: SessionRefused) -> None:
        # What somebody has typed may be the address or the password of a person.
        details = {"account": trail.pseudonym(str(event.key)), "throttled": event.throttled}
        await log.refuse(
            event.name, address=event.address, **_about(event), outcome="unauthenticated", changes=details
        )

    async def of_migration(event: MigrationEvent) -> None:
        if isinstance(event, _UNRECORDED):
            return
        details = {
            each.name: to_plain_json(getattr(event, each.name))
            for each in dataclasses.fields(event)
            if each.name not in _OF_ENTRIES
        }
        await log.note(event.name, occurred_at=event.occurred_at, actor=event.owner, changes=details)

    ends = [
        bus.subscribe(ApiKeyCreated, of_key),
        bus.subscribe(ApiKeyRevoked, of_key),
        bus.subscribe(SessionOpened, of_session),
        bus.subscribe(SessionClosed, of_session),
        bus.subscribe(SessionRefused, of_refused_session),
        bus.subscribe(MessageRetried, of_message),
        bus.subscribe(MessageDropped, of_message),
        *(bus.subscribe(each, of_webhook) for each in get_args(WebhookEvent)),
        bus.subscribe(MigrationEvent, of_migration),
    ]

    def end() -> None:
        for each in ends:
            each()

    return end


async def record_eviction(log: SecurityLog, evicted: Eviction) -> None:
    """Record that an operator took a lease from its holder."""
    await log.note(
        LEASE_EVICTED, changes={"lock": evicted.name, "token": evicted.token, "reason": evicted.reason}
    )


def _about(event: DomainEvent) -> dict[str, Any]:
    return {
        "occurred_at": event.occurred_at,
        "actor": event.actor,
        "resource": event.resource,
        "tenant": event.tenant,
        "correlation_id": event.correlation_id,
    }
