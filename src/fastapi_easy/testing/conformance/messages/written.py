"""Changes that are told of in an outbox, and tools to look at what is in it."""

import asyncio
import dataclasses
import datetime
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import pytest
import pytest_asyncio
from returns.result import Failure

from fastapi_easy.composition.technologies import technology_of
from fastapi_easy.domain.changes.events import DomainEvent, EntityCreated, EntityUpdated
from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import Key, Unavailable
from fastapi_easy.domain.outbox.journal import OutboxJournal
from fastapi_easy.domain.outbox.message import ClaimedMessage, OutboxMessage
from fastapi_easy.domain.ports.outbox import Outbox
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.resources.recording import Events
from fastapi_easy.testing.conformance.store import Store, Suite, value_of

LEASE: Final = 600.0
"""Seconds for which claims hold in a test that does not wait for their end."""

_ATTEMPTS: Final = 20

_LIMIT: Final = 20.0
"""Seconds to wait for what has to happen some time."""


class OutboxSuite(Suite):
    """The base of suites of `Outbox`. Subclass, and override `store`."""

    @pytest_asyncio.fixture
    async def outbox(self, store: Store) -> Outbox:
        """Return the outbox of the database under test, prepared and empty."""
        make = technology_of(store.database).outbox
        if make is None:
            pytest.skip("the technology has no outbox")
        outbox = make(store.database)
        assert not value_of(await outbox.prepare())
        await _empty(outbox)
        return outbox


async def _empty(outbox: Outbox) -> None:
    far = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=36500)
    while value_of(await outbox.assign_positions(500)):
        pass
    while left := value_of(await outbox.read_expired(far, 500, published=False)):
        _ = value_of(await outbox.remove([each.id for each in left]))


async def keep_events(work: UnitOfWork, store: Store, events: Sequence[DomainEvent]) -> None:
    """Write the messages of *events* in the transaction of *work*."""
    published = {
        name: dataclasses.replace(each, events=Events(before=True)) for name, each in store.resources.items()
    }
    journal = OutboxJournal(published, lambda: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    rows = [row for each in events for row in journal.rows(each)]
    _ = value_of(await work.keep(rows))


def created(key: Key, **details: Any) -> EntityCreated:
    """Return the event that the book *key* was created, a second after the one before."""
    return EntityCreated(resource="books", key=key, occurred_at=_moment(), values={"id": key}, **details)


def updated(key: Key, **details: Any) -> EntityUpdated:
    """Return the event that the title of the book *key* was changed."""
    values = {"id": key, "title": "a"}
    return EntityUpdated(
        resource="books",
        key=key,
        occurred_at=_moment(),
        values=values,
        changed=frozenset({"title"}),
        **details,
    )


async def tell(store: Store, *events: DomainEvent) -> None:
    """Commit the messages of *events*, each in a unit of work of its own."""
    for each in events:
        async with store.unit_of_work() as work:
            await keep_events(work, store, [each])
            _ = value_of(await work.commit())


async def retitle(store: Store, key: Key, title: str) -> None:
    """Change the book *key*, and commit that together with its message; again after a conflict with others."""
    for attempt in range(_ATTEMPTS):
        async with store.unit_of_work() as work:
            row = value_of(await work.repository("books").update(key, Patch({"title": title})))
            await keep_events(work, store, [updated(key, version=str(row["version"]))])
            committed = await work.commit()
        is_in_conflict = isinstance(committed, Failure) and isinstance(committed.failure(), Unavailable)
        if not is_in_conflict or attempt == _ATTEMPTS - 1:
            value_of(committed)
            return


async def claimed(outbox: Outbox, limit: int = 100, lease: float = LEASE) -> list[ClaimedMessage]:
    """Claim what can be claimed."""
    return list(value_of(await outbox.claim(limit, lease)))


async def read_all(outbox: Outbox) -> list[OutboxMessage]:
    """Return every message along the positions, which all of them get."""
    while value_of(await outbox.assign_positions(100)):
        pass
    messages, is_more = value_of(await outbox.read_after(0, 10_000))
    assert not is_more
    return list(messages)


def keys(messages: Sequence[OutboxMessage | ClaimedMessage]) -> list[Any]:
    """Return the keys of *messages*, in their order."""
    return [(each.message if isinstance(each, ClaimedMessage) else each).key for each in messages]


async def eventually(look: Callable[[], Awaitable[Any]]) -> Any:
    """Return what *look* answers once that is true."""
    async with asyncio.timeout(_LIMIT):
        while not (found := await look()):  # noqa: ASYNC110 (the database says so)
            await asyncio.sleep(0.01)
    return found


_ticks = iter(range(10**9))


def _moment() -> datetime.datetime:
    return datetime.datetime(2026, 3, 4, tzinfo=datetime.UTC) + datetime.timedelta(seconds=next(_ticks))
