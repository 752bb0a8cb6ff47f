"""A shop that publishes its changes."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain.outbox.message import OutboxMessage
from fastapi_easy.domain.resources.recording import Events
from fastapi_easy.settings import Settings
from tests.e2e.recorded_shop import PlainBook, RelabelBook, Shop, SqlBook
from tests.e2e.stores import empty_store


def publishing(store: str, events: Events | bool = True) -> type[Container]:
    """The class of a shop whose books are published, and those of another resource on the same table are not."""
    entity: Any = PlainBook if store in {"memory", "mongo"} else SqlBook

    class Publishing(Container):
        books = resource(entity, actions=[RelabelBook], upsert=("isbn",), version="version", events=events)
        quiet = resource(entity, version="version")

    return Publishing


@asynccontextmanager
async def published(
    store: str, folder: Path, url: str | None = None, events: Events | bool = True, **overriding: Any
) -> AsyncIterator[Shop]:
    """The shop on *store*, started."""
    with empty_store(store, folder) as own:
        settings = Settings.model_validate({"databases": {"default": {"url": url or own}}})
        make: Any = publishing(store, events)
        shop = make(settings=settings, **overriding)
        async with open_kernel(shop) as kernel:
            yield Shop(shop, kernel)


async def messages_of(shop: Shop, database: str = "default") -> Sequence[OutboxMessage]:
    """Every message of *shop*, along the positions, which all of them get."""
    outbox = shop.container.outboxes()[database]
    while (await outbox.assign_positions(100)).unwrap():
        pass
    messages, _ = (await outbox.read_after(0, 10_000)).unwrap()
    return messages
