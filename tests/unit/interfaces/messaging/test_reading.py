"""What a consumer is given of a delivery."""

import json
from decimal import Decimal
from typing import Any

import pytest

from fastapi_easy.application.messaging.received_message import ReceivedMessage
from fastapi_easy.domain.ports.broker import BrokerMessage, Delivery, Park
from fastapi_easy.interfaces.messaging.reading import read_message

EVENT = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "/shop",
    "type": "books.created",
    "subject": "7",
    "correlationid": "c-1",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "tenant": "acme",
    "datacontenttype": "application/json",
    "data": {"price": 9.50},
}


def delivered(body: bytes, content_type: str = "application/json", **headers: str) -> Delivery:
    named = {"content-type": content_type, **{name.replace("_", "-"): each for name, each in headers.items()}}
    return Delivery(
        message=BrokerMessage(id="m-1", topic="books.in", key="k", body=body, headers=named), attempts=2
    )


def read(body: Any, content_type: str = "application/json", **headers: str) -> ReceivedMessage:
    encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
    message = read_message(delivered(encoded, content_type, **headers))
    assert isinstance(message, ReceivedMessage), message
    return message


def test_reads_a_structured_cloud_event() -> None:
    message = read(EVENT, "application/cloudevents+json; charset=utf-8")

    assert message == ReceivedMessage(
        id="e-1",
        topic="books.in",
        type="books.created",
        source="/shop",
        subject="7",
        data={"price": Decimal("9.5")},
        attributes={"tenant": "acme", "datacontenttype": "application/json"},
        headers={"content-type": "application/cloudevents+json; charset=utf-8"},
        correlation_id="c-1",
        traceparent=str(EVENT["traceparent"]),
        attempts=2,
    )
    assert message.inbox_id == "/shop#e-1"


@pytest.mark.parametrize("prefix", ["ce-", "ce_", "cloudEvents:"])
def test_reads_a_binary_cloud_event(prefix: str) -> None:
    attributes = {"specversion": "1.0", "id": "e-1", "source": "/shop", "type": "t", "subject": "7"}
    headers = {
        "content-type": "application/json",
        **{prefix + name: each for name, each in attributes.items()},
    }
    message = read_message(
        Delivery(
            message=BrokerMessage(id="m", topic="books.in", key="", body=b'{"a":1}', headers=headers),
            attempts=1,
        )
    )

    assert isinstance(message, ReceivedMessage)
    assert (message.inbox_id, message.type, message.subject, message.data) == (
        "/shop#e-1",
        "t",
        "7",
        {"a": 1},
    )


def test_reads_plain_json_by_the_id_of_the_broker() -> None:
    message = read({"title": "Emma"}, x_correlation_id="c-9")

    assert (message.inbox_id, message.type, message.subject) == ("m-1", "books.in", None)
    assert (message.data, message.correlation_id) == ({"title": "Emma"}, "c-9")


def test_hands_bytes_on_that_are_no_json() -> None:
    assert read(b"\xff\x00", "image/png").data == b"\xff\x00"


def test_decodes_binary_data_of_a_cloud_event() -> None:
    event = {name: each for name, each in EVENT.items() if name != "data"}

    read_json = read({**event, "data_base64": "eyJhIjoxfQ=="}, "application/cloudevents+json")
    read_bytes = read(
        {**event, "datacontenttype": "image/png", "data_base64": "/w=="}, "application/cloudevents+json"
    )

    assert (read_json.data, read_bytes.data) == ({"a": 1}, b"\xff")


@pytest.mark.parametrize("given", ["", "a\nb", "é", "x" * 129])
def test_makes_a_correlation_id_where_there_is_none_that_logs_could_hold(given: str) -> None:
    first, second = read({}, x_correlation_id=given), read({}, x_correlation_id=given)

    assert len(first.correlation_id) == 32
    assert first.correlation_id != second.correlation_id


UNREADABLE = {
    "no JSON": (b"{", "application/json"),
    "not UTF-8": (b'"\xff"', "application/json"),
    "a name twice": (b'{"a":1,"a":2}', "application/json"),
    "NaN": (b'{"a":NaN}', "application/json"),
    "an event that is a list": (b"[]", "application/cloudevents+json"),
    "an event of another version": (
        b'{"specversion":"0.3","id":"1","source":"/","type":"t"}',
        "application/cloudevents+json",
    ),
    "an event without an id": (
        b'{"specversion":"1.0","source":"/","type":"t"}',
        "application/cloudevents+json",
    ),
    "no base64": (
        b'{"specversion":"1.0","id":"1","source":"/","type":"t","data_base64":"*"}',
        "application/cloudevents+json",
    ),
}


@pytest.mark.parametrize(("body", "content_type"), UNREADABLE.values(), ids=UNREADABLE)
def test_parks_what_nobody_can_ever_read(body: bytes, content_type: str) -> None:
    assert isinstance(read_message(delivered(body, content_type)), Park)
