"""Channels → an AsyncAPI 3.0 document."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi_easy.interfaces.messaging.asyncapi.documented_channel import Document, DocumentedChannel


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentedServer:
    """The broker of an application.

    Attributes:
        host: Host and port, without credentials.

        protocol: `nats`, `redis`, `amqp`, `kafka`, or the same with an `s` for encrypted connections.
    """

    host: str
    protocol: str


def build_document(
    channels: Sequence[DocumentedChannel],
    *,
    title: str,
    version: str,
    description: str = "",
    server: DocumentedServer | None = None,
) -> Document:
    """Return the document of an application with *channels*.

    Args:
        channels: What it sends and receives.

        title: Of the application.

        version: Of the application.

        description: A paragraph; Markdown.

        server: Its broker, if it has one that others can reach.
    """
    info: Document = {"title": title, "version": version}
    if description:
        info["description"] = description
    document: Document = {"asyncapi": "3.0.0", "info": info, "defaultContentType": "application/json"}
    if server is not None:
        document["servers"] = {"broker": {"host": server.host, "protocol": server.protocol}}
    return {
        **document,
        "channels": _channels(channels),
        "operations": _operations(channels),
        "components": {
            "messages": {each.message: _message(each) for each in channels},
            "schemas": {name: schema for each in channels for name, schema in each.schemas.items()},
        },
    }


def _channels(channels: Sequence[DocumentedChannel]) -> Document:
    found: Document = {}
    for each in channels:
        # An application may send and receive on the same topic.
        channel = found.setdefault(each.address, {"address": each.address, "messages": {}})
        channel["messages"][each.message] = {"$ref": f"#/components/messages/{each.message}"}
    return found


def _operations(channels: Sequence[DocumentedChannel]) -> Document:
    found: Document = {}
    for each in channels:
        made = _operation(each)
        # Messages of several kinds may have one topic.
        operation = found.setdefault(f"{each.action}.{each.address}", made)
        if operation is not made:
            operation["messages"] += made["messages"]
            operation["summary"] += f" {made['summary']}"
    return found


def _operation(channel: DocumentedChannel) -> Document:
    place = f"#/channels/{channel.address}"
    return {
        "action": channel.action,
        "channel": {"$ref": place},
        "messages": [{"$ref": f"{place}/messages/{channel.message}"}],
        "summary": channel.summary,
        **channel.properties,
    }


def _message(channel: DocumentedChannel) -> Document:
    message: Document = {
        "name": channel.message,
        "contentType": channel.content_type,
        "payload": channel.payload,
    }
    if channel.correlation is not None:
        message["correlationId"] = {"location": channel.correlation}
    return message
