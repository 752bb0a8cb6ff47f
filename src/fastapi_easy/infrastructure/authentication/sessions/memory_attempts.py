"""Counts attempts to log in within the process."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from returns.result import Success

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.attempt_counter import AttemptLimit
from fastapi_easy.domain.ports.clock import Clock

_MAX_NAMES: Final = 100_000


@dataclass(slots=True)
class _Attempts:
    count: int
    blocked_until: float
    forgotten_at: float


class MemoryAttemptCounter:
    """Implements `AttemptCounter` for one process: with several, each counts for itself.

    Args:
        clock: Measures the delays.

        max_names: Names that are counted at most; beyond, those without an attempt for the longest time are forgotten.
    """

    def __init__(self, clock: Clock, max_names: int = _MAX_NAMES) -> None:
        self._clock = clock
        self._max_names = max_names
        self._attempts: OrderedDict[str, _Attempts] = OrderedDict()

    async def begin(self, name: str, limit: AttemptLimit, /) -> Outcome[float]:
        """Count one attempt of *name*; return 0.0, or the seconds to wait."""
        now = self._clock.monotonic()
        known = self._attempts.get(name)
        if known is None or now >= known.forgotten_at:
            known = self._attempts[name] = _Attempts(0, now, now)
        if now < known.blocked_until:
            return Success(known.blocked_until - now)
        known.count += 1
        known.blocked_until = now + limit.delay_after(known.count)
        known.forgotten_at = now + limit.memory
        self._attempts.move_to_end(name)
        if len(self._attempts) > self._max_names:
            _ = self._attempts.popitem(last=False)
        return Success(0.0)

    async def take_back(self, name: str, /) -> Outcome[None]:
        """Uncount one attempt of *name*."""
        known = self._attempts.get(name)
        if known is not None:
            known.count -= 1
            known.blocked_until = self._clock.monotonic()
            if known.count <= 0:
                del self._attempts[name]
        return Success(None)

    async def forget(self, name: str, /) -> Outcome[None]:
        """Forget every attempt of *name*."""
        _ = self._attempts.pop(name, None)
        return Success(None)

    async def aclose(self) -> None:
        """Forget everything."""
        self._attempts.clear()
