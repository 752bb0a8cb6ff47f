"""Probes of a dependency while its circuit breaker is open, so that nobody waits for a pause that has lost its reason.

Calls alone would find out no sooner than the pause ends: after a long outage, seconds after the dependency is back.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final

from fastapi_easy.domain.ports.breaker import CircuitState
from fastapi_easy.infrastructure.resilience.circuit_breaker import CircuitBreaker

_logger: Final = logging.getLogger("fastapi_easy.resilience")

_SHORTEST_PAUSE: Final = 0.4
_LONGEST_PAUSE: Final = 0.8
"""Seconds between two probes, chosen at random so that processes do not ask in step."""

_LIMIT: Final = 3.0
"""Seconds that one probe may take; what it asks has limits of its own, which are shorter."""


def _random_pause() -> float:
    return random.uniform(_SHORTEST_PAUSE, _LONGEST_PAUSE)  # noqa: S311 - no secret


class OutageProbe:
    """Asks one dependency whether it answers, one question at a time, from when its breaker opens until it does.

    Args:
        name: The name of the dependency.

        breaker: Is told when it answers; may be isolated, or closed by somebody else, meanwhile.

        answers: Asks something cheap the way that calls go, past the breaker.

        pause: Returns the seconds until the next probe.

        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        name: str,
        breaker: CircuitBreaker,
        answers: Callable[[], Awaitable[bool]],
        pause: Callable[[], float] = _random_pause,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._name = name
        self._breaker = breaker
        self._answers = answers
        self._pause = pause
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Probe whenever the breaker is open, until `close`."""
        self._breaker.on_open = self._begin
        if self._breaker.circuit.state is CircuitState.OPEN:
            self._begin()

    async def close(self) -> None:
        """Probe no more, and wait until nothing of it is left."""
        self._breaker.on_open = None
        if self._task is not None:
            _ = self._task.cancel()
            _ = await asyncio.wait([self._task])

    def _begin(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._probe())

    async def _probe(self) -> None:
        while self._breaker.circuit.state is CircuitState.OPEN:
            _ = await self._sleep(self._pause())
            if await self._is_answered():
                self._breaker.admit_probe()
                return

    async def _is_answered(self) -> bool:
        try:
            async with asyncio.timeout(_LIMIT):
                return await self._answers()
        except TimeoutError:
            return False
        except Exception:
            # The pauses of the breaker end without it.
            _logger.exception("the probe of %s failed", self._name)
            return False
