"""Messages about changes, as the outbox holds them."""

import datetime
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi_easy.domain.principal import Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxMessage:
    """One change of one entity.

    Values are plain JSON, as `domain.values.plain_json` writes them.

    Attributes:
        id: Of the event; the same however often the message is published.

        number: Ascends in the order in which changes of one entity were committed. Says nothing of two entities.

        position: Its place in the change feed, ascending in an order in which nothing appears later before what was
            read already; `None` until it has one.

        resource: The name of the resource.

        verb: What happened: `created`, `updated`, `deleted`, `restored`, `purged`.

        entity: Identifies the entity among all that the outbox holds: a digest, or a text, at most 255 characters.
            Messages of one entity are published in their order.

        key: The key of the entity, as plain JSON.

        version: The value of the resource's `version` field after the change, if it has one.

        tenant: The partition in which it happened.

        actor: The id of the principal who asked; empty when anonymous.

        by_system: The change was made beyond what the actor may do.

        correlation_id: Ties together everything that one call caused.

        trace: The W3C `traceparent` of the call; empty when it was not traced.

        occurred_at: Aware, UTC.

        values: The published fields as they are now; `None` of an entity that is gone.

        changed: The fields that were set, of an update.

        before: The published fields as they were, where the declaration asks for them.
    """

    id: uuid.UUID
    number: int
    position: int | None = None
    resource: str
    verb: str
    entity: str
    key: Any
    version: str | None = None
    tenant: Tenant | None = None
    actor: str = ""
    by_system: bool = False
    correlation_id: str = ""
    trace: str = ""
    occurred_at: datetime.datetime
    values: Mapping[str, Any] | None = None
    changed: Sequence[str] = ()
    before: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """Resource and verb: `books.created`. The topic, unless something else is configured."""
        return f"{self.resource}.{self.verb}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedMessage:
    """A message that one relay publishes at the moment, and no other.

    Attributes:
        message: What to publish.

        claim: Identifies this claim: whoever has lost it can neither mark nor park the message.

        attempts: How often it was claimed, this time included: 1 for the first.
    """

    message: OutboxMessage
    claim: uuid.UUID
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedMessage:
    """A message that could not be published, with all that wait behind it.

    Attributes:
        message: What could not be published.

        attempts: How often it was tried.

        error: Why it failed at last, for people; never contains a secret.

        parked_at: Aware, UTC.

        waiting: The number of later messages of the same entity, which are not published meanwhile.
    """

    message: OutboxMessage
    attempts: int
    error: str
    parked_at: datetime.datetime
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxLag:
    """What has not been published yet.

    Attributes:
        waiting: Messages that are neither published nor parked nor behind a parked one.

        oldest: Seconds since the oldest of those was written; 0.0 when there is none.

        parked: Messages that are parked.

        behind_parked: Messages that wait behind a parked one.
    """

    waiting: int
    oldest: float
    parked: int
    behind_parked: int
