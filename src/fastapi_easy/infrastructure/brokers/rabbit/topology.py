"""The exchanges and queues of RabbitMQ that topics and consumers are made of."""

from typing import Any, cast

from faststream.rabbit import ExchangeType, QueueType, RabbitBroker, RabbitExchange, RabbitQueue
from faststream.rabbit.schemas.queue import QuorumQueueArgs

from fastapi_easy.infrastructure.brokers.topics import dead_topic, partition_name


class Topology:
    """Declares durable exchanges and queues; declaring twice does nothing.

    Everything is published to one exchange, with the topic for a routing key. What no queue is bound for goes on to
    another one, and so to a queue that keeps it for a while.

    Args:
        broker: A client that is connected.

        exchange: The name of the exchange.

        retention: Seconds for which messages that nobody has subscribed to are kept.
    """

    def __init__(self, broker: RabbitBroker, exchange: str, retention: float) -> None:
        self._broker = broker
        self._retention = retention
        self._unrouted = f"{exchange}.unrouted"
        self.exchange = RabbitExchange(
            exchange,
            type=ExchangeType.TOPIC,
            durable=True,
            arguments={"alternate-exchange": self._unrouted},
        )

    async def declare_exchange(self) -> None:
        """Declare where messages are published, and where those go that nobody has subscribed to."""
        unrouted = await self._broker.declare_exchange(
            RabbitExchange(self._unrouted, type=ExchangeType.FANOUT, durable=True)
        )
        keeping = await self._declare_queue(
            self._unrouted, {"x-message-ttl": max(1, round(self._retention * 1000))}
        )
        await keeping.bind(unrouted)
        _ = await self._broker.declare_exchange(self.exchange)

    async def declare_queue(self, consumer: str, topic: str, partition: int) -> str:
        """Declare the queue of *consumer* for a partition of *topic*, and that of its dead letters; return its name.

        Of its members one at a time is given messages; another one when that is gone.
        """
        exchange = await self._broker.declare_exchange(self.exchange)
        dead = dead_topic(consumer)
        letters = await self._declare_queue(dead, {})
        await letters.bind(exchange, dead)
        subject = partition_name(topic, partition)
        name = f"{consumer}:{subject}"
        queue = await self._declare_queue(
            name,
            {
                "x-single-active-consumer": True,
                # Only what the server itself gives up: it has a limit of deliveries from version 4 on.
                "x-dead-letter-exchange": self.exchange.name,
                "x-dead-letter-routing-key": dead,
            },
        )
        await queue.bind(exchange, subject)
        return name

    async def _declare_queue(self, name: str, arguments: dict[str, Any]) -> Any:
        return await self._broker.declare_queue(
            RabbitQueue(
                name, queue_type=QueueType.QUORUM, durable=True, arguments=cast("QuorumQueueArgs", arguments)
            )
        )
