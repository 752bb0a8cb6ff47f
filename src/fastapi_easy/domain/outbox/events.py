"""What operators do to messages of the outbox."""

from dataclasses import dataclass
from typing import ClassVar

from fastapi_easy.domain.changes.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRetried(DomainEvent):
    """A parked message is to be published again: `outbox.retried`. The key of the event is the id of the message.

    Attributes:
        database: The name of the database in whose outbox it is.
    """

    verb: ClassVar[str] = "retried"
    resource: str = "outbox"
    database: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDropped(DomainEvent):
    """A parked message was given up: `outbox.dropped`. The key of the event is the id of the message.

    Attributes:
        database: The name of the database in whose outbox it is.
    """

    verb: ClassVar[str] = "dropped"
    resource: str = "outbox"
    database: str
