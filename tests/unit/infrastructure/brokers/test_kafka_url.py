"""How the URL of Kafka is read, and what happens when nobody answers: there is no broker of it to be had here."""

import socket

import pytest
from faststream.security import SASLPlaintext
from returns.result import Failure

from fastapi_easy.domain.errors import Unavailable
from fastapi_easy.domain.ports import BrokerMessage
from fastapi_easy.infrastructure.brokers.kafka.broker import KafkaBroker, parse_kafka_url


def test_a_url_names_servers_and_credentials() -> None:
    servers, security = parse_kafka_url("kafka+ssl://shop:p%40ss@one:9092,two:9093")

    assert servers == ["one:9092", "two:9093"]
    assert isinstance(security, SASLPlaintext)
    assert (security.username, security.password, security.use_ssl) == ("shop", "p@ss", True)


@pytest.mark.parametrize(("url", "encrypted"), [("kafka://one:9092", None), ("kafka+ssl://one:9092", True)])
def test_without_credentials_only_the_scheme_says_how_to_connect(url: str, encrypted: bool | None) -> None:
    _, security = parse_kafka_url(url)

    assert (security and security.use_ssl) is encrypted


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        broker = KafkaBroker(f"kafka://127.0.0.1:{nobody.getsockname()[1]}")
        opened = await broker.open()
        published = await broker.publish(
            BrokerMessage(id="1", topic="books.created", key="", body=b"{}", headers={})
        )
        checked = await broker.check()
        await broker.close()

    assert [each.failure() for each in (opened, published, checked)] == [Unavailable("broker")] * 3
    assert all(isinstance(each, Failure) for each in (opened, published, checked))
