"""What travels beside the body of a message, the same on every broker."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote

from fastapi_easy.domain.outbox.broker_message import BrokerMessage

KEY: Final = "message-key"
"""The key of a message, percent-encoded: not every broker's headers take any text."""

ID: Final = "message-id"
"""Its id, on brokers that have no place of their own for it."""

_OWN: Final = frozenset({KEY, ID, "correlation_id", "reply_to"})
"""What we, or FastStream, add; not the publisher's."""

_CONTENT_TYPE: Final = "application/octet-stream"


def write_headers(message: BrokerMessage) -> dict[str, str]:
    """Return the headers of *message* with its key and id among them."""
    return {**message.headers, KEY: quote(message.key, safe=""), ID: quote(message.id, safe="")}


def read_message(
    headers: Mapping[str, object], body: bytes, *, topic: str, fallback_id: str, key: str = ""
) -> BrokerMessage:
    """Return the message that came with *headers*, whoever published it.

    Args:
        headers: As the broker's client gives them.

        body: Its content.

        topic: Where it was published.

        fallback_id: Its id where the publisher gave none: what the broker calls it.

        key: Its key where the publisher gave none among the headers.
    """
    texts = {name.lower(): _text(value) for name, value in headers.items()}
    return BrokerMessage(
        id=unquote(texts[ID]) if texts.get(ID) else fallback_id,
        topic=topic,
        key=unquote(texts[KEY]) if KEY in texts else key,
        body=body,
        headers={
            "content-type": _CONTENT_TYPE,
            **{name: value for name, value in texts.items() if name not in _OWN},
        },
    )


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
