"""The broker, and the form in which messages leave."""

from collections.abc import Callable, Iterable
from importlib.util import find_spec
from typing import Any, Final
from urllib.parse import quote

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.outbox.envelope import Envelope
from fastapi_easy.domain.ports import Broker
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.settings import EventSettings, Settings

__all__ = ["open_broker", "open_envelope"]

_DRIVERS: Final = {"nats": "nats", "redis": "redis", "rabbit": "aio_pika", "kafka": "aiokafka"}
"""What each extra installs besides FastStream."""


def open_broker(settings: Settings) -> Broker | None:
    """Return the broker in the settings; nothing is connected yet. `None` when there is none.

    Raises:
        DeclarationError: The URL is of no broker, or its client is not installed.
    """
    chosen = settings.events
    if chosen.broker_url is None:
        return None
    url = chosen.broker_url.get_secret_value()
    match url.partition("://")[0].lower():
        case "memory":
            from fastapi_easy.infrastructure.brokers.memory import MemoryBroker

            return MemoryBroker()
        case "nats" | "tls":
            return _open_nats(url, chosen)
        case "redis" | "rediss" | "unix":
            return _open_redis(url, chosen)
        case "amqp" | "amqps":
            return _open_rabbit(url, chosen)
        case "kafka" | "kafka+ssl":
            return _open_kafka(url)
        case _:
            raise DeclarationError(
                [
                    (
                        "events.broker_url: brokers are at nats://, redis://, amqp://, kafka:// or memory://: name one "
                        "of them"
                    )
                ]
            )


def open_envelope(settings: Settings, resources: Callable[[], Iterable[Resource[Any]]]) -> Envelope:
    """Return the form in which messages about *resources* leave."""
    chosen = settings.events
    return Envelope(
        source=chosen.source or f"/{quote(settings.http.title, safe='')}",
        topic_prefix=chosen.topic_prefix,
        by_resource=chosen.topics == "resource",
        fields={
            each.name: frozenset(each.recorded if each.events.fields is None else each.events.fields)
            for each in resources()
            if each.events is not None
        },
    )


def _open_nats(url: str, chosen: EventSettings) -> Broker:
    _require("nats")
    from fastapi_easy.infrastructure.brokers.nats.broker import NatsBroker

    return NatsBroker(
        url, stream=chosen.stream, partitions=chosen.partitions, retention=chosen.broker_retention
    )


def _open_redis(url: str, chosen: EventSettings) -> Broker:
    _require("redis")
    from fastapi_easy.infrastructure.brokers.redis.broker import RedisBroker

    return RedisBroker(url, partitions=chosen.partitions, retention=chosen.broker_retention)


def _open_rabbit(url: str, chosen: EventSettings) -> Broker:
    _require("rabbit")
    from fastapi_easy.infrastructure.brokers.rabbit.broker import RabbitBroker

    return RabbitBroker(
        url, exchange=chosen.stream, partitions=chosen.partitions, retention=chosen.broker_retention
    )


def _open_kafka(url: str) -> Broker:
    _require("kafka")
    from fastapi_easy.infrastructure.brokers.kafka.broker import KafkaBroker

    try:
        return KafkaBroker(url)
    except ValueError as error:
        raise DeclarationError([f"events.broker_url: {error}"]) from error


def _require(extra: str) -> None:
    if missing := [each for each in ("faststream", _DRIVERS[extra]) if find_spec(each) is None]:
        raise DeclarationError(
            [f'events.broker_url: {missing[0]} is not installed: pip install "fastapi_easy[{extra}]"']
        )
