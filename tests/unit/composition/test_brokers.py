"""The settings choose the broker, and say what is missing."""

import importlib
from dataclasses import dataclass

import pytest

from fastapi_easy.composition.events.brokers import open_broker, open_envelope
from fastapi_easy.container import Container, resource
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.resources.options import Fields
from fastapi_easy.domain.resources.recording import Events
from fastapi_easy.settings import Settings
from fastapi_easy.testing import in_memory


@dataclass
class Book:
    id: int
    title: str
    price: int = 0


class Shop(Container):
    books = resource(Book, events=True, fields=Fields(hidden=["price"]))
    loans = resource(Book, events=Events(fields=["title"]))
    quiet = resource(Book)


def settings(**events: object) -> Settings:
    return Settings.model_validate({"events": events})


@pytest.mark.parametrize(
    ("url", "module", "name"),
    [
        ("memory://", "memory", "MemoryBroker"),
        ("nats://one:4222,two:4222", "nats.broker", "NatsBroker"),
        ("redis://localhost/1", "redis.broker", "RedisBroker"),
        ("amqps://user:secret@localhost/shop", "rabbit.broker", "RabbitBroker"),
        ("kafka://one:9092,two:9092", "kafka.broker", "KafkaBroker"),
    ],
)
def test_the_url_chooses_the_broker_and_nothing_is_connected(url: str, module: str, name: str) -> None:
    expected = getattr(importlib.import_module(f"fastapi_easy.infrastructure.brokers.{module}"), name)

    assert type(open_broker(settings(broker_url=url))) is expected


def test_without_a_url_there_is_no_broker() -> None:
    assert open_broker(Settings()) is None
    assert in_memory(Shop).broker() is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://user:secret@localhost", "name one of them"),
        ("kafka://", "kafka://host:9092"),
    ],
)
def test_a_url_of_no_broker_is_refused_without_its_secrets(url: str, said: str) -> None:
    with pytest.raises(DeclarationError, match=said) as raised:
        open_broker(settings(broker_url=url))

    assert "secret" not in str(raised.value)


def test_an_application_has_one_broker_for_as_long_as_it_lives() -> None:
    shop = Shop(settings=settings(broker_url="memory://"))

    assert shop.broker() is shop.broker()


def test_the_envelope_knows_what_may_leave() -> None:
    envelope = in_memory(Shop).envelope()

    assert envelope.source == "/fastapi_easy"
    assert envelope.fields == {"books": {"id", "title"}, "loans": {"title"}}


def test_source_and_prefix_are_settings() -> None:
    named = Settings.model_validate({"http": {"title": "The shop"}, "events": {"topic_prefix": "eu.shop."}})

    assert open_envelope(named, lambda: ()).source == "/The%20shop"
    assert open_envelope(named, lambda: ()).topic_prefix == "eu.shop."
    assert open_envelope(settings(source="urn:shop"), lambda: ()).source == "urn:shop"
