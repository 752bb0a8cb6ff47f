"""The messages of an application, described in AsyncAPI."""

from typing import Any, Final
from urllib.parse import urlsplit

from fastapi_easy.composition.application import Application
from fastapi_easy.settings import Settings

__all__ = ["describe_messages", "has_messages"]

_PROTOCOLS: Final = {
    "nats": "nats",
    "tls": "nats",
    "redis": "redis",
    "rediss": "rediss",
    "amqp": "amqp",
    "amqps": "amqps",
    "kafka": "kafka",
    "kafka+ssl": "kafka-secure",
}
"""What AsyncAPI calls the schemes of brokers; those within a process or a machine are of no use to others."""


def has_messages(application: Application) -> bool:
    """Return whether there is anything to describe."""
    return bool(application.consumers()) or any(
        each.events is not None for each in application.every_resource()
    )


def describe_messages(application: Application) -> dict[str, Any]:
    """Return the AsyncAPI document of what *application* publishes and consumes."""
    from fastapi_easy.interfaces.messaging.asyncapi.command_channels import command_channels
    from fastapi_easy.interfaces.messaging.asyncapi.document import build_document
    from fastapi_easy.interfaces.messaging.asyncapi.event_channels import event_channels

    settings = application.settings()
    return build_document(
        [
            *event_channels(application.every_resource(), application.envelope()),
            *command_channels(application.kernel(), application.consumers() or ()),
        ],
        title=settings.http.title,
        version=settings.http.version,
        description=settings.http.description,
        server=_server(settings),
    )


def _server(settings: Settings) -> Any:
    from fastapi_easy.interfaces.messaging.asyncapi.document import DocumentedServer

    url = settings.events.broker_url
    if url is None:
        return None
    parts = urlsplit(url.get_secret_value())
    protocol = _PROTOCOLS.get(parts.scheme.lower())
    hosts = [each.rpartition("//")[2].rpartition("@")[2] for each in parts.netloc.split(",")]
    return None if protocol is None else DocumentedServer(host=",".join(hosts), protocol=protocol)
