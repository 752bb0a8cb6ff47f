"""Messages of the outbox leave as CloudEvents, with the fields that may."""

import datetime
import json
import uuid

import pytest

from fastapi_easy.domain.outbox.envelope import Envelope
from fastapi_easy.domain.outbox.message import OutboxMessage

MOMENT = datetime.datetime(2026, 7, 31, 12, 30, 0, 250, datetime.UTC)
ENVELOPE = Envelope(
    source="/shop", topic_prefix="shop.", fields={"books": frozenset({"id", "title", "price"})}
)


def message(**more: object) -> OutboxMessage:
    given = {
        "id": uuid.UUID(int=7),
        "number": 42,
        "resource": "books",
        "verb": "updated",
        "entity": "a digest",
        "key": 1,
        "version": "3",
        "tenant": "acme",
        "actor": "user:42",
        "correlation_id": "call 1",
        "trace": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "occurred_at": MOMENT,
        "values": {"id": 1, "title": "Emma", "price": "9.50", "margin": "3.00"},
        "changed": ("price", "margin"),
        "before": {"id": 1, "title": "Emma", "price": "8.00", "margin": "2.00"},
        **more,
    }
    return OutboxMessage(**given)  # type: ignore[arg-type]


def test_an_event_says_what_happened_and_holds_the_published_fields_only() -> None:
    sent = ENVELOPE.to_broker_message(message())

    assert (sent.id, sent.topic, sent.key) == (str(uuid.UUID(int=7)), "shop.books.updated", "a digest")
    assert sent.headers["content-type"] == "application/cloudevents+json"
    assert json.loads(sent.body) == {
        "specversion": "1.0",
        "id": "00000000-0000-0000-0000-000000000007",
        "source": "/shop",
        "type": "books.updated",
        "subject": "1",
        "time": "2026-07-31T12:30:00.000250Z",
        "tenant": "acme",
        "actor": "user:42",
        "correlationid": "call 1",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "sequence": "00000000000000000042",
        "datacontenttype": "application/json",
        "data": {
            "key": 1,
            "version": "3",
            "values": {"id": 1, "title": "Emma", "price": "9.50"},
            "changed": ["price"],
            "before": {"id": 1, "title": "Emma", "price": "8.00"},
        },
    }


def test_of_a_resource_that_is_not_published_any_more_only_keys_leave() -> None:
    event = ENVELOPE.to_event(message(resource="customers", changed=("email",)))

    assert event.data == {"key": 1, "version": "3", "values": {}, "changed": [], "before": {}}


def test_what_is_not_known_is_left_out() -> None:
    bare = message(
        verb="deleted", version=None, tenant=None, actor="", correlation_id="", trace="", values=None,
        changed=(), before=None,
    )  # fmt: skip
    sent = ENVELOPE.to_broker_message(bare)

    event = json.loads(sent.body)
    assert event["data"] == {"key": 1}
    assert event.keys() == {
        *("specversion", "id", "source", "type", "subject", "time"),
        *("sequence", "datacontenttype", "data"),
    }
    assert sent.headers == {"content-type": "application/cloudevents+json"}


@pytest.mark.parametrize(("key", "subject"), [("a/b", "a/b"), (7, "7"), ([1, "é"], '[1,"é"]')])
def test_the_subject_is_the_key_as_one_text(key: object, subject: str) -> None:
    assert ENVELOPE.to_event(message(key=key)).subject == subject


def test_sequences_sort_as_their_numbers_do() -> None:
    numbers = [9, 10, 99, 2**40]
    sequences = [ENVELOPE.to_event(message(number=each)).extensions["sequence"] for each in numbers]

    assert sequences == sorted(sequences)


def test_all_that_happens_to_a_resource_may_have_one_topic() -> None:
    by_event, by_resource = (
        Envelope(source="/shop", topic_prefix="shop.", by_resource=each) for each in (False, True)
    )

    assert [by_event.topic_of("books", verb) for verb in ("created", "deleted")] == [
        "shop.books.created",
        "shop.books.deleted",
    ]
    assert {by_resource.topic_of("books", verb) for verb in ("created", "deleted")} == {"shop.books"}
