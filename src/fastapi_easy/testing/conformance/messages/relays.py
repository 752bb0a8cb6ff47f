"""Cases about several relays that publish while others write."""

import asyncio
import os
import random
from collections import defaultdict
from typing import Final

from fastapi_easy.domain.ports.outbox import Outbox
from fastapi_easy.testing.conformance.messages.written import OutboxSuite, claimed, read_all, retitle
from fastapi_easy.testing.conformance.store import Store, add_one, value_of

_ROUNDS: Final = 40 if os.environ.get("THOROUGH") == "1" else 5
_BOOKS: Final = 4
_WRITERS: Final = 6
_RELAYS: Final = 4
_LEASE: Final = 0.3
_CRASHES: Final = 0.15
"""The share of publications after which a relay ends before it has marked them."""


class RelayCases(OutboxSuite):
    """Cases about the order of messages while changes and relays overlap."""

    async def test_first_deliveries_are_complete_and_in_order_whoever_crashes(
        self, store: Store, outbox: Outbox
    ) -> None:
        books = [(await add_one(store.books, title="a")).id for _ in range(_BOOKS)]
        relays = _Relays(outbox, _WRITERS * _ROUNDS)

        async def write(number: int) -> None:
            for turn in range(_ROUNDS):
                await retitle(store, books[(number + turn) % _BOOKS], f"{number} {turn}")

        async with asyncio.timeout(120), asyncio.TaskGroup() as group:
            for number in range(_WRITERS):
                _ = group.create_task(write(number))
            for _ in range(_RELAYS):
                _ = group.create_task(relays.run())

        delivered = relays.delivered
        assert sum(map(len, delivered.values())) == relays.expected
        for versions in delivered.values():
            assert versions == sorted(versions, key=int)
        in_feed: defaultdict[int, list[str]] = defaultdict(list)
        for each in await read_all(outbox):
            in_feed[each.key].append(str(each.version))
        assert in_feed == delivered


class _Relays:
    """Relays that deliver to one place, and crash now and then before they have marked what they delivered."""

    def __init__(self, outbox: Outbox, expected: int) -> None:
        self.expected = expected
        self.delivered: defaultdict[int, list[str]] = defaultdict(list)
        self._outbox = outbox
        self._published = 0
        # The same in every run.
        self._chance = random.Random(7)  # noqa: S311

    async def run(self) -> None:
        while self._published < self.expected:
            batch = await claimed(self._outbox, limit=3, lease=_LEASE)
            for each in batch:
                first = self.delivered[each.message.key]
                if each.message.version not in first:
                    first.append(str(each.message.version))
                await asyncio.sleep(0)
            if not batch:
                await asyncio.sleep(0.005)
            elif self._chance.random() >= _CRASHES:
                marked = value_of(await self._outbox.mark_published(batch))
                self._published += marked
