"""What the relay makes of confirmations, refusals, silences and crashes."""

import asyncio
from dataclasses import dataclass, field

import pytest
from returns.result import Failure, Success

from fastapi_easy.application.events.backoff import Backoff
from fastapi_easy.application.events.publish_messages import PublishLimits, PublishMessages
from fastapi_easy.application.events.relay_figures import RelayFigures
from fastapi_easy.domain.errors import Fault, Invalid, Outcome, Unavailable
from fastapi_easy.domain.outbox.message import OutboxMessage
from fastapi_easy.domain.ports.broker import Broker, BrokerMessage
from fastapi_easy.domain.ports.outbox import Outbox
from fastapi_easy.testing import FrozenClock
from tests.unit.application.events.messages import DecidedBroker, ListOutbox, encode, message, silence

LIMITS = PublishLimits(max_attempts=3)


@dataclass
class World:
    """One outbox, one broker, and as many relays as a test makes."""

    clock: FrozenClock = field(default_factory=FrozenClock)
    outbox: ListOutbox = field(init=False)
    broker: DecidedBroker = field(default_factory=DecidedBroker)
    figures: RelayFigures = field(default_factory=RelayFigures)

    def __post_init__(self) -> None:
        self.outbox = ListOutbox(self.clock)

    def relay(self, limits: PublishLimits = LIMITS) -> PublishMessages:
        return PublishMessages(
            "default", self.outbox, self.broker, encode, self.clock, limits=limits, figures=self.figures
        )

    async def drain(self, relay: PublishMessages) -> None:
        while await relay.run_once():
            pass


def refusing(poison: str) -> DecidedBroker:
    async def answer(given: BrokerMessage) -> Outcome[None]:
        if given.body.decode() == poison:
            return Failure(Invalid((Fault("", "it is too large", "too_large"),)))
        return Success(None)

    return DecidedBroker(answer)


def test_the_doubles_are_what_they_stand_for() -> None:
    assert isinstance(World().outbox, Outbox)
    assert isinstance(DecidedBroker(), Broker)


async def test_an_outage_of_the_outbox_is_logged_when_it_begins_and_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    relay = world.relay()
    world.outbox.unavailable.add("claim")

    for _ in range(3):
        await world.drain(relay)
    world.outbox.unavailable.clear()
    for _ in range(2):
        await world.drain(relay)

    assert caplog.messages == [
        "publishing default: the outbox does not answer: unavailable",
        "publishing default: the outbox answers again",
    ]


async def test_messages_of_one_entity_are_published_one_after_the_other_and_others_beside_them() -> None:
    world = World()
    world.outbox.add(*(message(number, "ab"[number % 2]) for number in range(6)))

    await world.drain(world.relay())

    assert [each for each in world.broker.confirmed if each[0] == "a"] == ["a0", "a2", "a4"]
    assert [each for each in world.broker.confirmed if each[0] == "b"] == ["b1", "b3", "b5"]
    assert (world.outbox.rows, world.figures.published, world.figures.failed) == ([], 6, 0)


async def test_a_refused_message_parks_its_entity_while_others_flow_on_until_it_is_retried() -> None:
    world = World(broker=refusing("a1"))
    world.outbox.add(message(1, "a"), message(2, "b"), message(3, "a"), message(4, "b"))

    await world.drain(world.relay())
    parked = (await world.outbox.find_parked(10)).unwrap()

    assert world.broker.confirmed == ["b2", "b4"]
    assert [(each.message.number, each.error, each.attempts, each.waiting) for each in parked] == [
        (1, "it is too large", 1, 1)
    ]
    assert world.figures.parked == 1

    world.broker.answer = DecidedBroker().answer
    await world.outbox.retry_parked(None)
    await world.drain(world.relay())

    assert world.broker.confirmed == ["b2", "b4", "a1", "a3"]


async def test_a_message_that_cannot_be_encoded_is_parked_at_once() -> None:
    world = World()
    world.outbox.add(message(1, "a"), message(2, "b"))

    def encode_some(given: OutboxMessage) -> BrokerMessage:
        if given.entity == "a":
            raise TypeError("secret")
        return encode(given)

    relay = PublishMessages(
        "default", world.outbox, world.broker, encode_some, world.clock, limits=LIMITS, figures=world.figures
    )
    await world.drain(relay)

    assert world.outbox.row(1).is_parked
    assert world.outbox.row(1).error == "cannot be encoded: TypeError"
    assert world.broker.confirmed == ["b2"]


async def test_while_the_broker_is_away_nothing_is_parked_and_no_attempt_is_counted() -> None:
    world = World(broker=DecidedBroker(silence))
    world.outbox.add(*(message(number, f"e{number}") for number in range(40)))
    relay = world.relay()

    for _ in range(20):
        assert not await relay.run_once()
        world.clock.advance(60)

    assert not any(each.is_parked or each.claim or each.attempts for each in world.outbox.rows)
    # As soon as it is clear that nobody answers the rest of a batch is left alone.
    assert world.broker.asked < 20 * 40

    world.broker.answer = DecidedBroker().answer
    await world.drain(relay)

    assert len(world.broker.confirmed) == 40


async def test_while_the_broker_is_away_it_is_asked_ever_more_rarely() -> None:
    world = World(broker=DecidedBroker(silence))
    world.outbox.add(message(1, "a"))
    relay = world.relay(PublishLimits(outage_backoff=Backoff(first=10.0, longest=10.0)))

    await relay.run_once()
    await relay.run_once()
    asked_without_pause = world.broker.asked
    world.clock.advance(10.0)
    await relay.run_once()

    assert (asked_without_pause, world.broker.asked) == (1, 2)


async def test_while_the_broker_cannot_be_opened_nothing_is_claimed() -> None:
    world = World(broker=DecidedBroker(is_open=False))
    world.outbox.add(message(1, "a"))

    assert not await world.relay().run_once()

    assert world.outbox.claimed == []


async def test_a_message_the_broker_does_not_confirm_although_it_confirms_others_waits_and_is_parked_in_the_end() -> (
    None
):
    async def answer(given: BrokerMessage) -> Outcome[None]:
        return await silence(given) if given.key == "a" else Success(None)

    world = World(broker=DecidedBroker(answer))
    world.outbox.add(message(1, "a"))
    relay = world.relay()

    for number in range(2, 5):
        world.outbox.add(message(number, "b"))
        await world.drain(relay)
        world.clock.advance(301)

    assert world.outbox.row(1).is_parked
    assert world.outbox.row(1).attempts == 3
    assert world.outbox.row(1).error == "broker has not confirmed it: unavailable"
    assert world.broker.confirmed == ["b2", "b3", "b4"]


async def test_an_adapter_that_raises_fails_its_message_and_not_the_relay() -> None:
    async def answer(_: BrokerMessage) -> Outcome[None]:
        raise RuntimeError("secret")

    world = World(broker=DecidedBroker(answer))
    world.outbox.add(message(1, "a"))

    assert await world.relay().run_once()

    row = world.outbox.row(1)
    assert (row.error, row.attempts, row.claim) == ("RuntimeError while it was published", 1, None)
    assert 0 <= row.not_before <= 1


async def test_a_broker_that_hangs_is_given_up_and_the_claims_are_given_back() -> None:
    async def answer(_: BrokerMessage) -> Outcome[None]:
        await asyncio.Event().wait()
        return Success(None)

    world = World(broker=DecidedBroker(answer))
    world.outbox.add(message(1, "a"))

    assert not await world.relay(PublishLimits(timeout=0.01)).run_once()

    assert (world.outbox.claimed, world.outbox.row(1).attempts) == ([], 0)


async def test_when_the_outbox_does_not_answer_nothing_is_published() -> None:
    world = World()
    world.outbox.add(message(1, "a"))
    world.outbox.unavailable = {"claim"}

    assert not await world.relay().run_once()

    assert world.broker.asked == 0


async def test_a_crash_between_confirmation_and_mark_publishes_again_and_nothing_is_lost() -> None:
    world = World()
    world.outbox.add(message(1, "a"), message(2, "a"))
    world.outbox.unavailable = {"mark_published"}

    await world.relay().run_once()
    world.outbox.unavailable = set()
    # Until the claim has expired nobody takes over, so that the second message does not overtake the first.
    await world.drain(world.relay())
    before = list(world.broker.confirmed)
    world.clock.advance(LIMITS.lease)
    await world.drain(world.relay())

    assert before == ["a1"]
    assert world.broker.confirmed == ["a1", "a1", "a2"]


async def test_a_claim_of_a_relay_that_died_before_it_published_expires() -> None:
    world = World()
    world.outbox.add(message(1, "a"))
    await world.outbox.claim(10, LIMITS.lease)

    await world.drain(world.relay())
    before = list(world.broker.confirmed)
    world.clock.advance(LIMITS.lease)
    await world.drain(world.relay())

    assert (before, world.broker.confirmed) == ([], ["a1"])


@dataclass
class HeldBroker(DecidedBroker):
    """Confirms `a…` at once, and all others when it is let."""

    began: asyncio.Event = field(default_factory=asyncio.Event)
    let: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.answer = self.hold

    async def hold(self, given: BrokerMessage) -> Outcome[None]:
        if given.key != "a":
            self.began.set()
            await self.let.wait()
        return Success(None)


async def test_a_cancelled_relay_marks_what_was_confirmed_and_gives_back_the_rest() -> None:
    broker = HeldBroker()
    world = World(broker=broker)
    world.outbox.add(message(1, "a"), message(2, "b"), message(3, "c"))
    running = asyncio.create_task(world.relay(PublishLimits(concurrency=1)).run_once())
    await broker.began.wait()

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert [each.number for each in world.outbox.published] == [1]
    assert world.outbox.claimed == []
    assert [each.attempts for each in world.outbox.rows] == [0, 0]


async def test_a_relay_that_finishes_publishes_what_is_under_way_and_begins_nothing_more() -> None:
    broker = HeldBroker()
    world = World(broker=broker)
    world.outbox.add(message(1, "b"), message(2, "c"))
    relay = world.relay(PublishLimits(concurrency=1))
    running = asyncio.create_task(relay.run_once())
    await broker.began.wait()

    relay.finish()
    broker.let.set()
    await running

    assert [each.number for each in world.outbox.published] == [1]
    assert world.outbox.claimed == []
    assert not await relay.run_once()


async def test_two_relays_at_once_publish_each_message_once_and_in_order() -> None:
    async def answer(_: BrokerMessage) -> Outcome[None]:
        await asyncio.sleep(0)
        return Success(None)

    world = World(broker=DecidedBroker(answer))
    world.outbox.add(*(message(number, "abc"[number % 3]) for number in range(60)))

    await asyncio.gather(*(world.drain(world.relay(PublishLimits(batch=2))) for _ in range(2)))
    await world.drain(world.relay())

    for entity in "abc":
        numbers = [int(each[1:]) for each in world.broker.confirmed if each[0] == entity]
        assert numbers == sorted(set(numbers))
    assert len(world.broker.confirmed) == 60


def test_the_wait_after_a_failure_grows_up_to_its_limit_and_is_random() -> None:
    backoff = Backoff(first=1.0, longest=300.0)

    for failures, limit in ((1, 1.0), (2, 2.0), (9, 256.0), (10, 300.0), (10_000, 300.0)):
        waits = [backoff.delay(failures) for _ in range(200)]
        assert 0 <= min(waits) <= max(waits) <= limit
        assert len(set(waits)) > 100
    assert max(backoff.delay(9) for _ in range(200)) > 2.0


async def test_unavailable_to_the_outbox_is_not_taken_for_the_brokers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    world.outbox.add(message(1, "a"))
    world.outbox.unavailable = {"mark_published"}

    assert await world.relay().run_once()

    assert "1 messages are published again, as the outbox could not note them: unavailable" in caplog.text
    assert Unavailable.code in caplog.text
