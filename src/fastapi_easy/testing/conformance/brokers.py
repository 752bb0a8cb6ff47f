"""The suite that every broker must pass."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain.errors import Invalid
from fastapi_easy.domain.ports.broker import (
    Accept,
    Broker,
    BrokerMessage,
    Delivery,
    Handling,
    Park,
    Redeliver,
    Subscription,
)

LIMIT: Final = 60.0
"""Seconds to wait for a delivery, on a machine that has much else to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerFactory:
    """The broker under test.

    Attributes:
        make: Makes an adapter; all that are made talk to the same server.

        keeps_history: Whether a new consumer is given what was published before it first subscribed.

        counts_across_members: Whether it knows how often a message was delivered to members that died.

        too_large: The bytes of a message that it refuses; `None` where it takes any.
    """

    make: Callable[[], Broker]
    keeps_history: bool = True
    counts_across_members: bool = True
    too_large: int | None = None


@dataclass(slots=True)
class Recorder:
    """Records deliveries, and answers what *decide* says."""

    decide: Callable[[Delivery], Awaitable[Handling]]
    deliveries: list[Delivery] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    running: dict[str, int] = field(default_factory=dict)
    overlapped: list[str] = field(default_factory=list)

    async def __call__(self, delivery: Delivery) -> Handling:
        """Record *delivery*."""
        key = delivery.message.key
        self.deliveries.append(delivery)
        self.running[key] = self.running.get(key, 0) + 1
        if self.running[key] > 1:
            self.overlapped.append(key)
        try:
            handling = await self.decide(delivery)
        finally:
            self.running[key] -= 1
        if isinstance(handling, Accept):
            self.accepted.append(delivery.message.id)
        return handling


async def accept(_delivery: Delivery) -> Handling:
    """Accept whatever is delivered."""
    return Accept()


def new_name(prefix: str) -> str:
    """Return a name that nobody has used on the server."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def message(topic: str, number: int = 0, key: str = "one") -> BrokerMessage:
    """Return a message of *topic*, told from others by its *number*."""
    return BrokerMessage(
        id=f"{topic}:{key}:{number}",
        topic=topic,
        key=key,
        body=f'{{"number":{number}}}'.encode(),
        headers={"content-type": "application/json", "traceparent": f"00-{number:032d}-{1:016d}-01"},
    )


async def until(condition: Callable[[], bool]) -> None:
    """Wait until *condition* holds.

    Raises:
        TimeoutError: It does not.
    """
    async with asyncio.timeout(LIMIT):
        while not condition():  # noqa: ASYNC110 - what it looks at is not ours to change
            await asyncio.sleep(0.01)


@asynccontextmanager
async def opened(*brokers: Broker) -> AsyncIterator[None]:
    """Open *brokers*, and close them in the end."""
    try:
        for each in brokers:
            assert await each.open() == Success(None)
        yield
    finally:
        for each in brokers:
            await each.close(5)


async def publish(broker: Broker, messages: Sequence[BrokerMessage]) -> None:
    """Publish *messages*, one after the other."""
    for each in messages:
        assert await broker.publish(each) == Success(None)


class BrokerConformance:
    """Subclass it, and override the fixture `brokers`."""

    @pytest.fixture
    def brokers(self) -> BrokerFactory:
        """Return the factory of the brokers under test."""
        raise NotImplementedError("override the fixture `brokers`")

    async def test_it_can_be_opened_twice_and_closed_twice(self, brokers: BrokerFactory) -> None:
        """Opening twice does nothing, nor does closing; a broker that answers says so."""
        broker = brokers.make()
        async with opened(broker):
            assert await broker.open() == Success(None)
            assert await broker.check() == Success(None)
        await broker.close()
        assert isinstance(await broker.publish(message(new_name("closed"))), Failure)

    async def test_a_message_arrives_as_it_was_published(self, brokers: BrokerFactory) -> None:
        """Id, topic, key, body and headers are the same, and it is the first attempt."""
        topic, recorder, broker = new_name("books.created"), Recorder(accept), brokers.make()
        body = bytes(range(256))
        sent = BrokerMessage(
            id=str(uuid.uuid4()),
            topic=topic,
            key="ключ 1",
            body=body,
            headers={"content-type": "application/octet-stream", "note": "a: b"},
        )
        async with opened(broker):
            _ = await broker.subscribe(Subscription(consumer=new_name("c"), topic=topic, handle=recorder))
            await publish(broker, [sent])
            await until(lambda: bool(recorder.accepted))
        (delivery,) = recorder.deliveries
        assert delivery == Delivery(message=sent, attempts=1)

    async def test_what_was_published_while_a_consumer_was_away_is_kept_for_it(
        self, brokers: BrokerFactory
    ) -> None:
        """A consumer that subscribed once misses nothing; nor does a new one, where there is a history."""
        topic, consumer = new_name("kept"), new_name("c")
        first, second = Recorder(accept), Recorder(accept)
        broker = brokers.make()
        async with opened(broker):
            # Nobody has subscribed yet: confirmed all the same.
            await publish(broker, [message(topic, 0)])
            _ = await broker.subscribe(Subscription(consumer=consumer, topic=topic, handle=first))
            await publish(broker, [message(topic, 1)])
            await until(lambda: message(topic, 1).id in first.accepted)
        again = brokers.make()
        async with opened(again):
            await publish(again, [message(topic, 2), message(topic, 3)])
            _ = await again.subscribe(Subscription(consumer=consumer, topic=topic, handle=second))
            await until(lambda: len(second.accepted) == 2)
        assert second.accepted == [message(topic, 2).id, message(topic, 3).id]
        assert first.accepted == [message(topic, n).id for n in ((0, 1) if brokers.keeps_history else (1,))]

    async def test_messages_with_one_key_are_handled_in_their_order(self, brokers: BrokerFactory) -> None:
        """One after the other, by all members together, whatever has to be delivered again in between."""
        topic, consumer, keys = new_name("ordered"), new_name("c"), ("a", "b", "c")

        async def sometimes(delivery: Delivery) -> Handling:
            await asyncio.sleep(0)
            again = delivery.attempts == 1 and delivery.message.id.endswith(("0", "4"))
            return Redeliver(0.02) if again else Accept()

        recorder, one, other = Recorder(sometimes), brokers.make(), brokers.make()
        async with opened(one, other):
            for each in (one, other):
                _ = await each.subscribe(Subscription(consumer=consumer, topic=topic, handle=recorder))
            await publish(one, [message(topic, n, key) for n in range(8) for key in keys])
            await until(lambda: len(recorder.accepted) == 24)
        assert recorder.overlapped == []
        for key in keys:
            prefix = f"{topic}:{key}:"
            assert [each for each in recorder.accepted if each.startswith(prefix)] == [
                f"{prefix}{n}" for n in range(8)
            ]

    async def test_consumers_of_one_topic_do_not_share_and_members_of_one_consumer_do(
        self, brokers: BrokerFactory
    ) -> None:
        """Each consumer is given every message, and one of its members has it accepted."""
        topic, consumers = new_name("shared"), [new_name("stock"), new_name("mail")]
        recorders = [Recorder(accept), Recorder(accept)]
        one, other = brokers.make(), brokers.make()
        async with opened(one, other):
            for broker in (one, other):
                for name, recorder in zip(consumers, recorders, strict=True):
                    _ = await broker.subscribe(Subscription(consumer=name, topic=topic, handle=recorder))
            await publish(one, [message(topic, n, f"key {n}") for n in range(10)])
            await until(lambda: all(len(each.accepted) >= 10 for each in recorders))
            await one.close(5)
            # Who is left goes on alone.
            await publish(other, [message(topic, 10)])
            await until(lambda: all(message(topic, 10).id in each.accepted for each in recorders))
        for recorder in recorders:
            assert len(recorder.accepted) == len(set(recorder.accepted)) == 11

    async def test_what_a_handler_raises_means_that_it_is_delivered_again(
        self, brokers: BrokerFactory
    ) -> None:
        """A defect of a handler loses nothing, and what takes too long counts as one."""
        topic = new_name("raising")

        async def fail_first(delivery: Delivery) -> Handling:
            if delivery.attempts == 1:
                raise ValueError("a defect")
            return Accept()

        recorder, broker = Recorder(fail_first), brokers.make()
        async with opened(broker):
            _ = await broker.subscribe(Subscription(consumer=new_name("c"), topic=topic, handle=recorder))
            await publish(broker, [message(topic)])
            await until(lambda: bool(recorder.accepted))
        assert [each.attempts for each in recorder.deliveries] == [1, 2]

    async def test_what_is_never_accepted_is_parked_and_does_not_stop_the_rest(
        self, brokers: BrokerFactory
    ) -> None:
        """After the last attempt, or at once when the handler says so, with the reason and what it was."""
        topic, consumer = new_name("poison"), new_name("c")

        async def by_number(delivery: Delivery) -> Handling:
            match delivery.message.id.rpartition(":")[2]:
                case "0":
                    return Redeliver(0.01)
                case "1":
                    return Park("it is\nno order")
                case _:
                    return Accept()

        recorder, dead, broker = Recorder(by_number), Recorder(accept), brokers.make()
        async with opened(broker):
            wanted = Subscription(consumer=consumer, topic=topic, handle=recorder, max_attempts=3)
            _ = await broker.subscribe(wanted)
            letters = Subscription(consumer=new_name("undertaker"), topic=f"dead.{consumer}", handle=dead)
            _ = await broker.subscribe(letters)
            await publish(broker, [message(topic, n) for n in range(3)])
            await until(lambda: bool(recorder.accepted) and len(dead.accepted) == 2)
        poison, refused = (each.message for each in dead.deliveries)
        assert [each.attempts for each in recorder.deliveries] == [1, 2, 3, 1, 1]
        assert recorder.accepted == [message(topic, 2).id]
        assert (poison.body, poison.key) == (message(topic, 0).body, "one")
        assert poison.headers["dead-id"] == message(topic, 0).id
        assert poison.headers["dead-topic"] == topic
        assert poison.headers["dead-attempts"] == "3"
        assert refused.headers["dead-reason"] == "it is no order"
        assert refused.headers["content-type"] == "application/json"

    async def test_what_a_member_had_when_it_died_another_is_given(self, brokers: BrokerFactory) -> None:
        """A handler that was interrupted has not accepted: the message comes again, before those behind it."""
        topic, consumer = new_name("died"), new_name("c")
        started = asyncio.Event()

        async def hang(_delivery: Delivery) -> Handling:
            started.set()
            _ = await asyncio.Event().wait()
            return Accept()

        dying, other, recorder = brokers.make(), brokers.make(), Recorder(accept)
        async with opened(dying, other):
            _ = await dying.subscribe(Subscription(consumer=consumer, topic=topic, handle=hang))
            await publish(dying, [message(topic, 0), message(topic, 1)])
            async with asyncio.timeout(LIMIT):
                _ = await started.wait()
            await dying.close(0)
            _ = await other.subscribe(Subscription(consumer=consumer, topic=topic, handle=recorder))
            await until(lambda: len(recorder.accepted) == 2)
        assert recorder.accepted == [message(topic, 0).id, message(topic, 1).id]
        if brokers.counts_across_members:
            assert recorder.deliveries[0].attempts == 2

    async def test_close_waits_for_what_is_being_handled(self, brokers: BrokerFactory) -> None:
        """What was begun is finished and accepted, and nothing is begun any more."""
        topic, consumer = new_name("drained"), new_name("c")
        started, finish = asyncio.Event(), asyncio.Event()

        async def slow(_delivery: Delivery) -> Handling:
            started.set()
            _ = await finish.wait()
            return Accept()

        recorder, later = Recorder(slow), Recorder(accept)
        broker, other = brokers.make(), brokers.make()
        async with opened(broker, other):
            _ = await broker.subscribe(Subscription(consumer=consumer, topic=topic, handle=recorder))
            await publish(broker, [message(topic, 0), message(topic, 1)])
            async with asyncio.timeout(LIMIT):
                _ = await started.wait()
            closing = asyncio.create_task(broker.close(LIMIT))
            await asyncio.sleep(0)
            finish.set()
            await closing
            assert recorder.accepted == [message(topic, 0).id]
            _ = await other.subscribe(Subscription(consumer=consumer, topic=topic, handle=later))
            await until(lambda: bool(later.accepted))
        assert later.accepted == [message(topic, 1).id]

    async def test_what_can_never_be_published_is_invalid(self, brokers: BrokerFactory) -> None:
        """A topic that some broker could not have, and a message that is too large."""
        broker = brokers.make()
        async with opened(broker):
            assert refused(await broker.publish(message("books.*")))
            assert refused(await broker.subscribe(Subscription(consumer="a b", topic="books", handle=accept)))
            if brokers.too_large is not None:
                topic = new_name("large")
                large = BrokerMessage(
                    id="large",
                    topic=topic,
                    key="",
                    body=bytes(brokers.too_large),
                    headers={"content-type": "application/octet-stream"},
                )
                assert refused(await broker.publish(large))
                # It is there all the same.
                await publish(broker, [message(topic)])


def refused(outcome: object) -> bool:
    """Return whether *outcome* says that it can never succeed."""
    return isinstance(outcome, Failure) and isinstance(outcome.failure(), Invalid)
