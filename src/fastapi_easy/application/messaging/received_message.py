"""A message as consumers see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedMessage:
    """A message that was delivered, with its content read.

    Attributes:
        id: The same however often it is delivered.

        topic: Where it was published.

        type: What it says, like `books.created`; the topic where it says nothing.

        source: Who published it, of a CloudEvent; else empty.

        subject: What it is about: the key of an entity, as text; `None` where it does not say.

        data: Its content: plain JSON with exact numbers (`Decimal`), or bytes where it is something else.

        attributes: Its further attributes, of a CloudEvent: `tenant`, `actor`, `sequence` and so on.

        headers: Its headers, by name in lower case. Whoever may publish can write anything in them.

        correlation_id: Ties together everything that one call caused; 1 to 128 printable ASCII characters.

        traceparent: The W3C trace context of whoever published it; empty when there is none.

        attempts: How often it was delivered, this time included; 1 where the broker does not say.
    """

    id: str
    topic: str
    type: str
    source: str = ""
    subject: str | None = None
    data: Any = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    correlation_id: str = ""
    traceparent: str = ""
    attempts: int = 1

    @property
    def inbox_id(self) -> str:
        """Return what it is known by in inboxes, however often it is published.

        The id of a CloudEvent is unique within its source only.
        """
        return f"{self.source}#{self.id}" if self.source else self.id
