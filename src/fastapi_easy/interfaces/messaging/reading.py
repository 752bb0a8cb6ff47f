"""Deliveries → messages as consumers see them: CloudEvents 1.0, structured or binary, and plain JSON."""

import base64
import binascii
import random
from collections.abc import Mapping
from typing import Any, Final

from fastapi_easy.application.messaging.received_message import ReceivedMessage
from fastapi_easy.domain import Invalid
from fastapi_easy.domain.ports.broker import Delivery, Park
from fastapi_easy.interfaces.formats.strict_json import Malformed, read_json

_CLOUD_EVENT: Final = "application/cloudevents+json"
_PREFIXES: Final = ("ce-", "ce_", "cloudevents:", "cloudevents_")
"""What the headers of a binary CloudEvent begin with, by broker."""

_REQUIRED: Final = ("id", "source", "type")
_KNOWN: Final = frozenset(
    {"specversion", *_REQUIRED, "subject", "data", "data_base64", "correlationid", "traceparent"}
)
_LONGEST_CORRELATION_ID: Final = 128


def read_message(delivery: Delivery) -> ReceivedMessage | Park:
    """Return the message of *delivery*, or why nobody can ever read it."""
    message = delivery.message
    headers = {name.lower(): value for name, value in message.headers.items()}
    content_type = _media_type(headers.get("content-type", ""))
    attributes: dict[str, Any] = {}
    data: Any = message.body
    if content_type == _CLOUD_EVENT:
        document = _read_json(message.body)
        if isinstance(document, Park):
            return document
        if not isinstance(document, dict):
            return Park("it is not a CloudEvent: not an object")
        attributes, data = document, document.get("data")
        if "data_base64" in document:
            data = _decode(document["data_base64"])
            if data is None:
                return Park("data_base64 is not base64")
            content_type = _media_type(str(document.get("datacontenttype", "")))
            if _is_json(content_type):
                data = _read_json(data)
    else:
        attributes = _binary_attributes(headers)
        if not content_type or _is_json(content_type):
            data = _read_json(message.body) if message.body else None
    if isinstance(data, Park):
        return data
    if attributes and (mistake := _find_mistake(attributes)):
        return Park(f"it is not a CloudEvent: {mistake}")
    subject = attributes.get("subject")
    return ReceivedMessage(
        id=str(attributes.get("id") or message.id),
        topic=message.topic,
        type=str(attributes.get("type") or message.topic),
        source=str(attributes.get("source") or ""),
        subject=subject if isinstance(subject, str) and subject else None,
        data=data,
        attributes={name: value for name, value in attributes.items() if name not in _KNOWN},
        headers=headers,
        correlation_id=_correlation_id(attributes, headers),
        traceparent=str(attributes.get("traceparent") or headers.get("traceparent") or ""),
        attempts=delivery.attempts,
    )


def _media_type(header: str) -> str:
    return header.partition(";")[0].strip().lower()


def _is_json(media_type: str) -> bool:
    return media_type in {"application/json", "text/json"} or media_type.endswith("+json")


def _read_json(body: bytes) -> Any:
    document = read_json(body)
    if isinstance(document, Malformed):
        return Park(f"it cannot be read: {document.detail}")
    if isinstance(document, Invalid):
        fault = document.faults[0]
        return Park(f"it cannot be read: {fault.pointer or '/'}: {fault.message}")
    return document


def _decode(text: object) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except binascii.Error:
        return None


def _binary_attributes(headers: Mapping[str, str]) -> dict[str, Any]:
    """Return the attributes of a CloudEvent in *headers*; nothing where it is none."""
    for prefix in _PREFIXES:
        if f"{prefix}specversion" in headers:
            return {
                name.removeprefix(prefix): value for name, value in headers.items() if name.startswith(prefix)
            }
    return {}


def _find_mistake(attributes: Mapping[str, Any]) -> str | None:
    if attributes.get("specversion") != "1.0":
        return "specversion is not 1.0"
    missing = [
        each for each in _REQUIRED if not isinstance(attributes.get(each), str) or not attributes[each]
    ]
    return f"it has no {' and no '.join(missing)}" if missing else None


def _correlation_id(attributes: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    """Return the correlation id of a message, or a new one where it is missing or unfit for logs."""
    given = (
        attributes.get("correlationid") or headers.get("x-correlation-id") or headers.get("correlation-id")
    )
    if (
        isinstance(given, str)
        and len(given) <= _LONGEST_CORRELATION_ID
        and given.isascii()
        and given.isprintable()
    ):
        return given
    # Has to be unique, and nobody gains anything by guessing it.
    return f"{random.getrandbits(128):032x}"
