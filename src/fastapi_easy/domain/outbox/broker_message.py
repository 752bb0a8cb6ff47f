"""Messages as brokers carry them."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerMessage:
    """A message as a broker carries it.

    Attributes:
        id: The same however often it is published; brokers that can drop duplicates know it by this.

        topic: Where it goes: a subject, a routing key, a stream, a topic.

        key: Messages with the same key keep their order, on brokers with partitions.

        body: Its content.

        headers: Further properties. `content-type` is always there.
    """

    id: str
    topic: str
    key: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
