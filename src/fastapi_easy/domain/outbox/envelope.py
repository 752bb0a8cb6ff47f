"""Messages of the outbox as they leave the application: to brokers, webhooks and the change feed."""

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi_easy.domain.outbox.broker_message import BrokerMessage
from fastapi_easy.domain.outbox.cloud_event import CONTENT_TYPE, CloudEvent, write_cloud_event
from fastapi_easy.domain.outbox.message import OutboxMessage

_SEQUENCE_DIGITS: Final = 20
"""Texts of one length sort as their numbers do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Turns messages of the outbox into CloudEvents, and these into messages for brokers.

    Attributes:
        source: Of every event: names the application, `/shop`.

        topic_prefix: Put in front of `books.created` to make the topic.

        by_resource: The topic is that of the resource, `books`, so that brokers keep the order of all that happens to
            an entity.

        fields: By resource, the fields that may leave the application. Of a resource that is not declared any more
            only keys do.
    """

    source: str
    topic_prefix: str = ""
    by_resource: bool = False
    fields: Mapping[str, AbstractSet[str]] = field(default_factory=dict)

    def topic_of(self, resource: str, verb: str) -> str:
        """Return the topic of what happens to entities of *resource*, as *verb* says."""
        return (
            f"{self.topic_prefix}{resource}" if self.by_resource else f"{self.topic_prefix}{resource}.{verb}"
        )

    def to_event(self, message: OutboxMessage) -> CloudEvent:
        """Return *message* as an event, with the fields that may leave."""
        published = self.fields.get(message.resource, frozenset())
        data: dict[str, Any] = {"key": message.key}
        if message.version is not None:
            data["version"] = message.version
        if message.values is not None:
            data["values"] = _pick(message.values, published)
        if message.changed:
            data["changed"] = sorted(name for name in message.changed if name in published)
        if message.before is not None:
            data["before"] = _pick(message.before, published)
        extensions = {
            "tenant": message.tenant or "",
            "actor": message.actor,
            "correlationid": message.correlation_id,
            "traceparent": message.trace,
            "sequence": f"{message.number:0{_SEQUENCE_DIGITS}d}",
        }
        return CloudEvent(
            id=str(message.id),
            source=self.source,
            type=message.name,
            subject=key_text(message.key),
            time=message.occurred_at,
            data=data,
            extensions={name: value for name, value in extensions.items() if value},
        )

    def to_broker_message(self, message: OutboxMessage) -> BrokerMessage:
        """Return *message* as a broker carries it: a CloudEvent in JSON.

        Messages of one entity have the same key.
        """
        headers = {"content-type": CONTENT_TYPE}
        if message.trace:
            headers["traceparent"] = message.trace
        return BrokerMessage(
            id=str(message.id),
            topic=self.topic_of(message.resource, message.verb),
            key=message.entity,
            body=write_cloud_event(self.to_event(message)),
            headers=headers,
        )


def key_text(key: Any) -> str:
    """Return *key*, plain JSON, as one text: as it is when it is a text, else its JSON."""
    return key if isinstance(key, str) else json.dumps(key, ensure_ascii=False, separators=(",", ":"))


def _pick(values: Mapping[str, Any], names: AbstractSet[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in names}
