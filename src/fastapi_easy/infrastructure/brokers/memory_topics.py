"""Topics and their consumers within one process."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from fastapi_easy.domain.ports.broker import BrokerMessage

HISTORY: Final = 10_000
"""Messages of a topic that are kept for consumers who subscribe later."""


@dataclass(slots=True)
class PendingMessage:
    """A message that its consumer has not accepted yet.

    Attributes:
        message: The message.

        attempts: How often it was delivered.
    """

    message: BrokerMessage
    attempts: int = 0


@dataclass(slots=True)
class MemoryConsumer:
    """What one consumer has still to handle of one topic: messages with the same key one after the other."""

    _lanes: dict[str, deque[PendingMessage]] = field(default_factory=dict)
    _ready: deque[str] = field(default_factory=deque)
    _waiting: deque[asyncio.Future[None]] = field(default_factory=deque)

    def add(self, message: BrokerMessage) -> None:
        """Add *message* behind those with the same key."""
        lane = self._lanes.get(message.key)
        if lane is None:
            self._lanes[message.key] = deque([PendingMessage(message)])
            self._offer(message.key)
        else:
            lane.append(PendingMessage(message))

    async def take(self) -> PendingMessage:
        """Wait for a message whose key nobody handles at the moment, and return it; `settle` or `give_back` it."""
        while not self._ready:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            try:
                await waiting
            except asyncio.CancelledError:
                if waiting.done() and not waiting.cancelled() and self._ready:
                    self._wake_one()
                raise
        pending = self._lanes[self._ready.popleft()][0]
        pending.attempts += 1
        return pending

    def settle(self, pending: PendingMessage) -> None:
        """Take *pending* away for good; the next one with its key can be taken."""
        lane = self._lanes[pending.message.key]
        _ = lane.popleft()
        if lane:
            self._offer(pending.message.key)
        else:
            del self._lanes[pending.message.key]

    def give_back(self, pending: PendingMessage, delay: float) -> None:
        """Let *pending* be taken again after *delay* seconds, before those with the same key."""
        if delay > 0:
            _ = asyncio.get_running_loop().call_later(delay, self._offer, pending.message.key)
        else:
            self._offer(pending.message.key)

    def _offer(self, key: str) -> None:
        self._ready.append(key)
        self._wake_one()

    def _wake_one(self) -> None:
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(None)
                return


class MemoryTopics:
    """Stands for the server: what several `MemoryBroker` of one process share.

    Args:
        history: Messages of a topic that are kept for consumers who subscribe later.
    """

    def __init__(self, history: int = HISTORY) -> None:
        self._history = history
        self._kept: dict[str, deque[BrokerMessage]] = {}
        self._consumers: dict[str, dict[str, MemoryConsumer]] = {}

    def publish(self, message: BrokerMessage) -> None:
        """Keep *message*, and give it to every consumer of its topic."""
        kept = self._kept.setdefault(message.topic, deque(maxlen=self._history))
        kept.append(message)
        for consumer in self._consumers.get(message.topic, {}).values():
            consumer.add(message)

    def kept(self, topic: str) -> tuple[BrokerMessage, ...]:
        """Return what is kept of *topic*, the oldest first."""
        return tuple(self._kept.get(topic, ()))

    def consumer(self, name: str, topic: str) -> MemoryConsumer:
        """Return the consumer *name* of *topic*; a new one is given what is kept."""
        consumers = self._consumers.setdefault(topic, {})
        if name not in consumers:
            consumers[name] = MemoryConsumer()
            for message in self.kept(topic):
                consumers[name].add(message)
        return consumers[name]
