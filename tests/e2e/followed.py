"""A shop whose changes are followed, and listeners for it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pydantic import BaseModel
from sqlmodel import Field, SQLModel

from fastapi_easy.application.changes_feed.change_feed import ChangeStream
from fastapi_easy.application.changes_feed.feed_message import FeedMessage
from fastapi_easy.application.kernel import Kernel
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Outcome
from fastapi_easy.domain.outbox.message import OutboxMessage
from fastapi_easy.events import Events
from fastapi_easy.settings import Settings

PATIENCE = 30.0
"""Seconds after which something that should have come is missed."""


class Note(SQLModel, table=True):
    __tablename__ = "followed_notes"
    id: int | None = Field(default=None, primary_key=True)
    text: str
    stars: int = 0
    owner: str = ""


class Memo(BaseModel):
    id: int | None = None
    text: str
    stars: int = 0
    owner: str = ""


class Shop(Container):
    notes = resource(Note, events=True)


class MongoShop(Container):
    notes = resource(Memo, events=True)


class WatchedShop(Container):
    """Its messages hold the values from before as well."""

    notes = resource(Note, events=Events(before=True))


def settings_at(url: str = "memory://", **feed: Any) -> Settings:
    return Settings(databases={"default": {"url": url}}, events={"feed": {"interval": 0.05, **feed}})


@asynccontextmanager
async def opened(kind: type[Container] = Shop, url: str = "memory://", **given: Any) -> AsyncIterator[Kernel]:
    feed = given.pop("feed", {})
    async with open_kernel(kind(settings=settings_at(url, **feed), **given)) as kernel:
        yield kernel


async def take(stream: ChangeStream, number: int) -> list[FeedMessage]:
    """The next messages, as many as said."""
    async with asyncio.timeout(PATIENCE):
        return [await anext(stream) for _ in range(number)]


def told(messages: Sequence[FeedMessage]) -> list[tuple[str, Any, Mapping[str, Any] | None]]:
    return [(each.verb, each.key, each.values) for each in messages]


class CountingOutbox:
    """An outbox that counts what it is asked."""

    def __init__(self, inner: Any) -> None:
        self.calls: list[str] = []
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        async def counted(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            return await method(*args, **kwargs)

        return counted

    async def read_after(self, position: int, limit: int) -> Outcome[tuple[Sequence[OutboxMessage], bool]]:
        self.calls.append("read_after")
        read: Outcome[tuple[Sequence[OutboxMessage], bool]] = await self._inner.read_after(position, limit)
        return read
