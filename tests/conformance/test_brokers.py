"""Brokers keep the promises of every broker, and their own."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import aio_pika
import nats
import pytest
import redis.asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.consumer.group_coordinator import GroupCoordinator
from nats.js.api import RetentionPolicy
from returns.result import Failure, Success

from fastapi_easy.domain.errors import Unavailable
from fastapi_easy.domain.ports.broker import Accept, Broker, BrokerMessage, Delivery, Handling, Subscription
from fastapi_easy.infrastructure.brokers.kafka import producer
from fastapi_easy.infrastructure.brokers.kafka.broker import KafkaBroker
from fastapi_easy.infrastructure.brokers.memory import MemoryBroker
from fastapi_easy.infrastructure.brokers.memory_topics import MemoryTopics
from fastapi_easy.infrastructure.brokers.nats.broker import NatsBroker
from fastapi_easy.infrastructure.brokers.rabbit.broker import RabbitBroker
from fastapi_easy.infrastructure.brokers.redis.broker import RedisBroker
from fastapi_easy.testing.conformance import BrokerConformance, BrokerFactory
from fastapi_easy.testing.conformance.brokers import (
    LIMIT,
    Recorder,
    accept,
    message,
    new_name,
    opened,
    publish,
    refused,
    until,
)
from tests.wire import wired

SILENCE = 1.2
"""Seconds: fewer than a Kafka cluster would take, and those after which that for tests has divided a topic anew."""


class TestMemory(BrokerConformance):
    @pytest.fixture
    def brokers(self) -> BrokerFactory:
        topics = MemoryTopics()
        return BrokerFactory(make=lambda: MemoryBroker(topics))


class TestNats(BrokerConformance):
    @pytest.fixture(params=[1, 3], ids=["one partition", "three partitions"])
    def brokers(self, request: pytest.FixtureRequest, nats_url: str) -> BrokerFactory:
        stream = new_name("stream")
        return BrokerFactory(
            make=lambda: NatsBroker(
                nats_url, stream=stream, partitions=request.param, retention=600, silence=1
            ),
            too_large=1_048_577,
        )

    async def test_a_message_that_is_published_twice_within_two_minutes_is_stored_once(
        self, brokers: BrokerFactory
    ) -> None:
        topic, recorder, broker = new_name("twice"), Recorder(accept), brokers.make()
        async with opened(broker):
            await publish(broker, [message(topic, 0), message(topic, 0), message(topic, 1)])
            _ = await broker.subscribe(Subscription(consumer=new_name("c"), topic=topic, handle=recorder))
            await until(lambda: message(topic, 1).id in recorder.accepted)
        assert recorder.accepted == [message(topic, 0).id, message(topic, 1).id]

    async def test_a_stream_that_forgets_what_nobody_subscribed_to_is_refused(self, nats_url: str) -> None:
        stream, topic = new_name("stream"), new_name("forgotten")
        client = await nats.connect(nats_url)
        _ = await client.jetstream().add_stream(
            name=stream, subjects=[topic], retention=RetentionPolicy.INTEREST
        )
        await client.close()

        outcome = await NatsBroker(nats_url, stream=stream, partitions=1, retention=600).open()

        assert refused(outcome)

    async def test_a_topic_that_another_stream_keeps_is_left_there_and_read_from_there(
        self, brokers: BrokerFactory, nats_url: str
    ) -> None:
        topic, recorder, broker = new_name("orders.create"), Recorder(accept), brokers.make()
        client = await nats.connect(nats_url)
        # Their own publisher knows nothing of our headers.
        jetstream = client.jetstream()
        stream = (await jetstream.add_stream(name=new_name("theirs"), subjects=[topic])).config.name
        _ = await jetstream.publish(topic, b"{}", stream=stream)
        async with opened(broker):
            await publish(broker, [message(topic, 1)])
            _ = await broker.subscribe(Subscription(consumer=new_name("c"), topic=topic, handle=recorder))
            await until(lambda: len(recorder.accepted) == 2)
        _ = await jetstream.delete_stream(stream or "")
        await client.close()
        assert set(recorder.accepted) == {f"{stream}:1", message(topic, 1).id}

    async def test_a_server_that_is_not_there_is_unavailable(self) -> None:
        await unavailable(
            lambda port: NatsBroker(f"nats://127.0.0.1:{port}", stream="s", partitions=1, retention=600)
        )

    async def test_it_goes_on_after_its_connections_broke(self, nats_url: str) -> None:
        await goes_on(
            nats_url, lambda url: NatsBroker(url, stream=new_name("stream"), partitions=1, retention=600)
        )


class TestRedis(BrokerConformance):
    @pytest.fixture(params=[1, 3], ids=["one partition", "three partitions"])
    def brokers(self, request: pytest.FixtureRequest, redis_url: str) -> BrokerFactory:
        return BrokerFactory(
            make=lambda: RedisBroker(redis_url, partitions=request.param, retention=600, silence=1)
        )

    async def test_what_somebody_else_appended_is_read_as_well(
        self, brokers: BrokerFactory, redis_url: str
    ) -> None:
        topic, recorder, broker = new_name("orders.create"), Recorder(accept), brokers.make()
        async with redis.asyncio.Redis.from_url(redis_url) as client:
            entry: Any = await client.xadd(topic, {"body": '{"n":1}', "content-type": "application/json"})
        async with opened(broker):
            _ = await broker.subscribe(Subscription(consumer=new_name("c"), topic=topic, handle=recorder))
            await until(lambda: bool(recorder.accepted))
        (delivery,) = recorder.deliveries
        assert delivery.message == BrokerMessage(
            id=f"{topic}:{entry.decode()}",
            topic=topic,
            key="",
            body=b'{"n":1}',
            headers={"content-type": "application/json"},
        )

    async def test_what_is_older_than_the_retention_is_removed(self, redis_url: str) -> None:
        topic = new_name("old")
        async with redis.asyncio.Redis.from_url(redis_url) as client:
            old = [await client.xadd(topic, {"body": "{}"}, id=f"{number}-1") for number in range(1, 500)]
            broker = RedisBroker(redis_url, partitions=1, retention=600)
            async with opened(broker):
                await publish(broker, [message(topic)])
            # Whole nodes of the stream are removed, not single entries.
            assert 1 <= await client.xlen(topic) < len(old)

    async def test_a_server_that_is_not_there_is_unavailable(self) -> None:
        await unavailable(
            lambda port: RedisBroker(f"redis://127.0.0.1:{port}/0", partitions=1, retention=600)
        )

    async def test_it_goes_on_after_its_connections_broke(self, redis_url: str) -> None:
        await goes_on(redis_url, lambda url: RedisBroker(url, partitions=1, retention=600, silence=1))


class TestRabbit(BrokerConformance):
    @pytest.fixture(params=[1, 3], ids=["one partition", "three partitions"])
    def brokers(self, request: pytest.FixtureRequest, rabbit_url: str) -> BrokerFactory:
        exchange = new_name("exchange")
        return BrokerFactory(
            make=lambda: RabbitBroker(rabbit_url, exchange=exchange, partitions=request.param, retention=600),
            keeps_history=False,
        )

    async def test_what_nobody_has_subscribed_to_is_kept_in_a_queue(self, rabbit_url: str) -> None:
        exchange, topic = new_name("exchange"), new_name("nobody")
        broker = RabbitBroker(rabbit_url, exchange=exchange, partitions=1, retention=600)
        async with opened(broker):
            await publish(broker, [message(topic)])
        connection = await aio_pika.connect(rabbit_url)
        async with connection:
            queue = await (await connection.channel()).get_queue(f"{exchange}.unrouted")
            kept = await queue.get(timeout=LIMIT)
            assert kept is not None
            await kept.ack()
        assert (kept.routing_key, kept.body) == (topic, message(topic).body)

    async def test_an_exchange_of_another_kind_is_refused(self, rabbit_url: str) -> None:
        exchange = new_name("exchange")
        connection = await aio_pika.connect(rabbit_url)
        async with connection:
            channel = await connection.channel()
            _ = await channel.declare_exchange(exchange, aio_pika.ExchangeType.FANOUT, durable=True)

        outcome = await RabbitBroker(rabbit_url, exchange=exchange, partitions=1, retention=600).open()

        assert refused(outcome)

    async def test_it_goes_on_after_its_connections_broke(self, rabbit_url: str) -> None:
        await goes_on(
            rabbit_url,
            lambda url: RabbitBroker(url, exchange=new_name("exchange"), partitions=1, retention=600),
        )


class TestRabbitWithoutServer:
    async def test_a_server_that_is_not_there_is_unavailable(self) -> None:
        await unavailable(
            lambda port: RabbitBroker(
                f"amqp://guest:guest@127.0.0.1:{port}/", exchange="e", partitions=1, retention=600
            )
        )


class TestKafka(BrokerConformance):
    @pytest.fixture(autouse=True)
    def leaders_are_late(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The cluster for tests refuses members that ask for their part after the leader; Kafka does not."""
        at_once = GroupCoordinator._perform_assignment

        async def late(coordinator: GroupCoordinator, response: Any) -> Any:
            await asyncio.sleep(0.1)
            return await at_once(coordinator, response)

        monkeypatch.setattr(GroupCoordinator, "_perform_assignment", late)

    @pytest.fixture
    def brokers(self, kafka_url: str) -> BrokerFactory:
        return BrokerFactory(
            make=lambda: KafkaBroker(kafka_url, silence=SILENCE),
            counts_across_members=False,
            too_large=1_048_577,
        )

    async def test_what_another_program_published_is_read_as_well(
        self, brokers: BrokerFactory, kafka_url: str
    ) -> None:
        topic, recorder, broker = new_name("orders.create"), Recorder(accept), brokers.make()
        async with AIOKafkaProducer(bootstrap_servers=kafka_url.removeprefix("kafka://")) as theirs:
            place = await theirs.send_and_wait(
                topic, b'{"n":1}', key=b"7", headers=[("Content-Type", b"application/json")]
            )
        async with opened(broker):
            _ = await broker.subscribe(Subscription(consumer=new_name("c"), topic=topic, handle=recorder))
            await until(lambda: bool(recorder.accepted))
        (delivery,) = recorder.deliveries
        assert delivery.message == BrokerMessage(
            id=f"{topic}:{place.partition}:{place.offset}",
            topic=topic,
            key="7",
            body=b'{"n":1}',
            headers={"content-type": "application/json"},
        )

    async def test_a_server_that_is_not_there_is_unavailable(self) -> None:
        await unavailable(lambda port: KafkaBroker(f"kafka://127.0.0.1:{port}"))

    async def test_it_goes_on_after_its_connections_broke(self, kafka_url: str) -> None:
        await goes_on(kafka_url, lambda url: KafkaBroker(url, silence=SILENCE))

    async def test_what_a_lost_cluster_did_not_confirm_is_not_sent_behind_anybodys_back(
        self, kafka_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(producer, "TIMEOUT", 0.5)
        topic, recorder = new_name("lost"), Recorder(accept)
        async with wired(kafka_url) as (address, wire):
            broker = KafkaBroker(address, silence=SILENCE)
            async with opened(broker):
                await publish(broker, [message(topic, 0)])

                wire.refuse()
                outcomes = [await broker.publish(message(topic, 1)), await broker.check()]
                await wire.listen()

                async with asyncio.timeout(LIMIT):
                    while await broker.publish(message(topic, 2)) != Success(None):  # noqa: ASYNC110
                        await asyncio.sleep(0.1)
                _ = await broker.subscribe(Subscription(consumer=new_name("c"), topic=topic, handle=recorder))
                await until(lambda: message(topic, 2).id in recorder.accepted)
        assert outcomes == [Failure(Unavailable("broker"))] * 2
        assert message(topic, 1).id not in recorder.accepted

    async def test_a_member_finishes_what_it_has_before_another_is_given_its_partition(
        self, brokers: BrokerFactory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The cluster for tests waits for no member, so this asks as its client would."""
        topic, listeners, finish = new_name("handed-over"), [], asyncio.Event()
        subscribe = AIOKafkaConsumer.subscribe

        def listened(consumer: Any, topics: Any, listener: Any = None) -> None:
            listeners.append(listener)
            subscribe(consumer, topics, listener=listener)

        async def until_told(_delivery: Delivery) -> Handling:
            _ = await finish.wait()
            return Accept()

        monkeypatch.setattr(AIOKafkaConsumer, "subscribe", listened)
        recorder, broker = Recorder(until_told), brokers.make()
        async with opened(broker):
            _ = await broker.subscribe(Subscription(consumer=new_name("c"), topic=topic, handle=recorder))
            await publish(broker, [message(topic)])
            await until(lambda: bool(recorder.deliveries))
            revoking = asyncio.create_task(listeners[0].on_partitions_revoked(set()))
            _ = await asyncio.wait({revoking}, timeout=0.1)
            was_done = revoking.done()
            finish.set()
            await revoking
        assert not was_done
        assert recorder.accepted == [message(topic).id]


async def goes_on(url: str, make: Callable[[str], Broker]) -> None:
    """Assert that a broker publishes and delivers again after every connection of it was broken."""
    topic, recorder = new_name("broken"), Recorder(accept)
    async with wired(url) as (address, wire):
        broker = make(address)
        async with opened(broker):
            _ = await broker.subscribe(Subscription(consumer=new_name("c"), topic=topic, handle=recorder))
            await publish(broker, [message(topic, 0)])
            await until(lambda: len(recorder.accepted) == 1)

            wire.reset()

            async with asyncio.timeout(LIMIT):
                while await broker.publish(message(topic, 1)) != Success(None):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            await until(lambda: message(topic, 1).id in recorder.accepted)
    # At least once.
    assert list(dict.fromkeys(recorder.accepted)) == [message(topic, 0).id, message(topic, 1).id]


async def unavailable(make: Callable[[int], Broker]) -> None:
    """Assert what a broker says on a port where nobody answers."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        broker = make(nobody.getsockname()[1])
        outcomes = [
            await broker.open(),
            await broker.publish(message("books.created")),
            await broker.subscribe(Subscription(consumer="c", topic="books.created", handle=accept)),
            await broker.check(),
        ]
        await broker.close()
    assert outcomes == [Failure(Unavailable("broker"))] * 4
