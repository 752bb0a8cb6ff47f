"""Orders that messages ask for, over a broker within the process."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi_easy.domain.ports.broker import Accept, Delivery, Handling, Subscription
from fastapi_easy.domain.resources.options import Operation
from fastapi_easy.messaging import BrokerMessage, Consumer, open_consumers
from tests.e2e.orders import container_of, settings_for
from tests.e2e.stores import empty_store

PATIENCE = 60.0
"""Seconds after which something that does not happen never will."""


@dataclass
class Post:
    """Publishes messages, and sees what becomes of them.

    Attributes:
        container: The application that consumes them.

        parked: The dead letters of the group `orders`, as they come.
    """

    container: Any
    parked: list[BrokerMessage] = field(default_factory=list)

    @property
    def kernel(self) -> Any:
        return self.container.kernel()

    async def send(
        self, topic: str, data: Any, *, event_id: str | None = None, key: str = "k", **attributes: Any
    ) -> str:
        """Publish a CloudEvent; return its id."""
        named = event_id or uuid.uuid4().hex
        event = {"specversion": "1.0", "id": named, "source": "/web", "type": topic, **attributes}
        if data is not None:
            event["data"] = data
        body = json.dumps(event, default=str).encode()
        await self.send_bytes(topic, body, "application/cloudevents+json", event_id=named, key=key)
        return named

    async def send_bytes(
        self,
        topic: str,
        body: bytes,
        content_type: str,
        *,
        event_id: str | None = None,
        key: str = "k",
        **headers: str,
    ) -> None:
        message = BrokerMessage(
            id=uuid.uuid4().hex if event_id is None else event_id,
            topic=topic,
            key=key,
            body=body,
            headers={"content-type": content_type, **headers},
        )
        (await self.container.broker().publish(message)).unwrap()

    async def reasons(self, count: int) -> list[str]:
        """Why messages were parked, once there are *count* of them."""
        await until(lambda: len(self.parked) >= count)
        return [each.headers["dead-reason"] for each in self.parked]

    async def numbers(self) -> set[str]:
        page = (await self.kernel.orders.list(limit=100)).unwrap()
        return {row["number"] for row in page.items}


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait until *condition* holds."""
    async with asyncio.timeout(PATIENCE):
        while True:
            held = condition()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.01)


@asynccontextmanager
async def consuming_orders(
    store: str, folder: Path, consumers: Sequence[Consumer], **options: Any
) -> AsyncIterator[Post]:
    """An application that consumes on an empty *store*."""
    declared = {"operations": tuple(Operation), **options.pop("declared", {})}
    make: Any = container_of(store, **declared)
    with empty_store(store, folder) as url:
        settings = settings_for(url, events={"broker_url": "memory://"})
        container = make(settings=settings, consumers=consumers, **options)
        post = Post(container)
        async with open_consumers(container):
            await _collect_dead_letters(post)
            yield post


async def _collect_dead_letters(post: Post) -> None:
    async def collect(delivery: Delivery) -> Handling:
        post.parked.append(delivery.message)
        return Accept()

    subscription = Subscription(consumer="undertaker", topic="dead.orders", handle=collect)
    (await post.container.broker().subscribe(subscription)).unwrap()
