"""Events within the process."""

import asyncio
import dataclasses
import datetime

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain.changes.change import BeforeChange, BeforeCreate, BeforeDelete, Veto
from fastapi_easy.domain.changes.events import DomainEvent, EntityCreated, EntityDeleted, EntityUpdated
from fastapi_easy.domain.errors import CheckFailed
from fastapi_easy.domain.ports.event_bus import EventBus, Interest
from fastapi_easy.domain.principal import ANONYMOUS
from fastapi_easy.infrastructure.events.in_process import InProcessEventBus
from fastapi_easy.testing import RecordingEventBus

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
CREATED = EntityCreated(resource="books", key=1, values={}, occurred_at=NOW)
DELETED = EntityDeleted(resource="books", key=1, occurred_at=NOW)


@pytest.fixture(params=[InProcessEventBus, RecordingEventBus])
def bus(request):
    return request.param()


def recorder(seen, name):
    async def handle(event):
        seen.append((name, event))

    return handle


def test_is_an_event_bus(bus):
    assert isinstance(bus, EventBus)


async def test_passes_events_in_their_order_to_each_handler_in_its(bus):
    seen = []
    bus.subscribe(DomainEvent, recorder(seen, "first"))
    bus.subscribe(DomainEvent, recorder(seen, "second"))

    await bus.publish([CREATED, DELETED])

    assert seen == [("first", CREATED), ("second", CREATED), ("first", DELETED), ("second", DELETED)]


async def test_passes_an_event_to_those_subscribed_to_its_type_or_a_base_of_it(bus):
    seen = []
    bus.subscribe(EntityDeleted, recorder(seen, "deleted"))
    bus.subscribe(EntityCreated, recorder(seen, "created"))
    bus.subscribe(DomainEvent, recorder(seen, "any"))

    await bus.publish([DELETED])

    assert seen == [("deleted", DELETED), ("any", DELETED)]


async def test_subscribing_twice_calls_twice_and_each_ends_by_itself(bus):
    seen = []
    handler = recorder(seen, "x")
    end = bus.subscribe(DomainEvent, handler)
    bus.subscribe(DomainEvent, handler)

    await bus.publish([CREATED])
    end()
    end()
    await bus.publish([DELETED])

    assert [event for _, event in seen] == [CREATED, CREATED, DELETED]


async def test_a_handler_that_raises_is_logged_and_the_others_are_called(bus, caplog):
    async def broken(_):
        raise ZeroDivisionError("by zero")

    seen = []
    bus.subscribe(DomainEvent, broken)
    bus.subscribe(DomainEvent, recorder(seen, "after"))

    await bus.publish([CREATED, DELETED])

    assert [event for _, event in seen] == [CREATED, DELETED]
    assert [record.getMessage() for record in caplog.records] == [
        "event handler of books.created failed",
        "event handler of books.deleted failed",
    ]
    assert "by zero" in caplog.text


async def test_cancellation_passes(bus):
    async def cancelled(_):
        raise asyncio.CancelledError

    bus.subscribe(DomainEvent, cancelled)

    with pytest.raises(asyncio.CancelledError):
        await bus.publish([CREATED])


async def test_a_handler_that_unsubscribes_during_delivery_gets_only_the_current_event(bus):
    seen = []
    ends = []

    async def end_both(_):
        for end in ends:
            end()

    ends.append(bus.subscribe(DomainEvent, end_both))
    ends.append(bus.subscribe(DomainEvent, recorder(seen, "x")))

    await bus.publish([CREATED, DELETED])

    assert seen == [("x", CREATED)]


async def test_publishing_nothing_calls_nobody(bus):
    seen = []
    bus.subscribe(DomainEvent, recorder(seen, "x"))

    await bus.publish([])

    assert seen == []


async def test_the_recorder_keeps_what_was_published():
    bus = RecordingEventBus()
    other = dataclasses.replace(CREATED, key=2)

    await bus.publish([CREATED])
    await bus.publish([other])

    assert bus.events == [CREATED, other]


def change(resource: str = "books") -> BeforeDelete:
    return BeforeDelete(
        resource=resource, principal=ANONYMOUS, tenant=None, correlation_id="", work=None, key=1
    )


async def test_asks_every_handler_before_a_change_in_the_order_of_subscription() -> None:
    bus, asked = InProcessEventBus(), []

    async def first(each: BeforeDelete) -> None:
        asked.append(("first", each.key))

    async def second(each: BeforeChange) -> None:
        asked.append(("second", each.resource))

    bus.subscribe(BeforeDelete, first)
    bus.subscribe(BeforeChange, second)
    bus.subscribe(BeforeCreate, first)

    assert await bus.ask(change()) == Success(None)
    assert asked == [("first", 1), ("second", "books")]


async def test_a_veto_is_an_error_and_those_after_it_are_not_asked() -> None:
    bus, asked = InProcessEventBus(), []
    refusal = CheckFailed("books", ())

    async def refuse(_: BeforeDelete) -> None:
        raise Veto(refusal)

    async def never(each: BeforeDelete) -> None:
        asked.append(each)

    bus.subscribe(BeforeDelete, refuse)
    bus.subscribe(BeforeDelete, never)

    assert await bus.ask(change()) == Failure(refusal)
    assert asked == []


async def test_an_exception_before_a_change_that_is_no_veto_is_passed_on() -> None:
    bus = InProcessEventBus()

    async def stumble(_: BeforeDelete) -> None:
        raise ZeroDivisionError

    bus.subscribe(BeforeDelete, stumble)

    with pytest.raises(ZeroDivisionError):
        _ = await bus.ask(change())


async def test_interest_is_in_what_has_subscribers_and_nothing_else() -> None:
    bus = InProcessEventBus()

    async def handler(_: object) -> None:
        """Nothing is to be done."""

    assert bus.interest(EntityUpdated, "books") is Interest.NONE
    end_one = bus.subscribe(DomainEvent, handler, resource="books")
    end_other = bus.subscribe(EntityUpdated, handler, before=True)

    assert bus.interest(EntityCreated, "books") is Interest.EVENT
    assert bus.interest(EntityCreated, "pens") is Interest.NONE
    assert bus.interest(EntityUpdated, "pens") is Interest.BEFORE
    assert bus.interest(BeforeDelete, "books") is Interest.NONE
    end_other()
    assert bus.interest(EntityUpdated, "books") is Interest.EVENT
    end_one()
    assert bus.interest(EntityUpdated, "books") is Interest.NONE


async def test_passes_events_of_one_resource_only_to_its_subscribers() -> None:
    bus, told = InProcessEventBus(), []

    async def tell(event: DomainEvent) -> None:
        told.append(event.resource)

    bus.subscribe(DomainEvent, tell, resource="pens")
    now = datetime.datetime.now(datetime.UTC)
    await bus.publish([DomainEvent(resource=each, key=1, occurred_at=now) for each in ("books", "pens")])

    assert told == ["pens"]
