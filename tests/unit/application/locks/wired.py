"""A store at the end of a wire, and work that is done under a lock."""

import asyncio
from collections import Counter

from returns.result import Failure

from fastapi_easy.domain import Unavailable, UnavailableReason
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.locks.memory import MemoryLeaseStore

TTL = 0.6
WORK = 120.0
"""How long work takes whose lease is not lost."""


class Wired(MemoryLeaseStore):
    """A store at the end of a wire that can be cut, or be slow."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.is_cut = False
        self.reason = UnavailableReason.NO_RESPONSE
        self.delay = 0.0
        self.asked = []
        self.names = set()
        self.renewals = []
        self.renewed_at = []
        self.most_at_once = Counter()
        self._at_once = Counter()

    async def _through(self, what, name, answer):
        self.asked.append(what)
        self.names.add(name)
        if self.is_cut:
            answer.close()
            return Failure(Unavailable(self.name, reason=self.reason))
        self._at_once[what] += 1
        self.most_at_once[what] = max(self.most_at_once[what], self._at_once[what])
        try:
            await asyncio.sleep(self.delay)
        except asyncio.CancelledError:
            answer.close()
            raise
        finally:
            self._at_once[what] -= 1
        return await answer

    async def try_acquire(self, *asked):
        return await self._through("try_acquire", asked[0], super().try_acquire(*asked))

    async def renew(self, leases):
        self.renewals.append(leases)
        self.renewed_at.append(SystemClock().monotonic())
        return await self._through("renew", leases[0].name, super().renew(leases))

    async def release(self, *asked):
        return await self._through("release", asked[0], super().release(*asked))


async def is_free(locks, name):
    return [each.name for each in (await locks.inspect(name)).unwrap()] == []


async def work(locks, *names, seconds=WORK, **terms):
    async with locks.hold(*names, **terms):
        await asyncio.sleep(seconds)
        return "done"
