"""Sliding windows in the memory of this process, and what they have in common with those elsewhere."""

import hashlib
import time
from typing import Any

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from fastapi_easy.domain.ports.rate_limiter import Allowance
from fastapi_easy.domain.rates.rate import Rate


class SlidingWindows:
    """The sliding-window counters of the library `limits`.

    What is permitted at any time is the rate, less what was used in this window, and less the share of the window
    before that is still looked back upon.

    Args:
        storage: An asynchronous storage of the library.
    """

    def __init__(self, storage: Any) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(storage)

    async def take(self, rate: Rate, counter: str, cost: int, /) -> Allowance:
        """Count *cost* calls of *counter*, and return what *rate* leaves."""
        item = RateLimitItemPerSecond(rate.calls, rate.seconds)
        # What callers are called may be long, and is nobody's business where counters are kept.
        name = hashlib.sha256(counter.encode()).hexdigest()
        is_permitted = await self._limiter.hit(item, name, cost=cost)
        window = await self._limiter.get_window_stats(item, name)
        reset = min(max(0.0, window.reset_time - time.time()), float(rate.seconds))
        return Allowance(not is_permitted, window.remaining, reset)


class MemoryRateLimiter(SlidingWindows):
    """Implements `RateLimiter` in the memory of this process; counters that nobody uses expire."""

    def __init__(self) -> None:
        super().__init__(MemoryStorage())

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""
