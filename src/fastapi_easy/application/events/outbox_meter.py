"""The outboxes of an application in numbers."""

import asyncio
from collections.abc import Mapping
from typing import Final

from returns.result import Failure

from fastapi_easy.application.events.relay_figures import RelayFigures
from fastapi_easy.domain.outbox.figures import OutboxFigures
from fastapi_easy.domain.outbox.message import OutboxLag
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.outbox import Outbox

_KEPT_FOR: Final = 2.0
"""Seconds for which an answer is used again: several may collect, and to count what waits may take a while."""


class OutboxMeter:
    """Measures *outboxes*.

    Args:
        outboxes: By the name of the database.

        figures: What the relay of this process has done, by the name of the database.

        clock: Says how old an answer is.

        timeout: Seconds to wait for a database.
    """

    def __init__(
        self,
        outboxes: Mapping[str, Outbox],
        figures: Mapping[str, RelayFigures],
        clock: Clock,
        timeout: float = 1.0,
    ) -> None:
        self._outboxes = outboxes
        self._figures = figures
        self._clock = clock
        self._timeout = timeout
        self._lags: tuple[float, Mapping[str, OutboxLag | None]] | None = None

    async def measure(self) -> Mapping[str, OutboxFigures]:
        """Return the figures of every outbox, by the name of the database."""
        now = self._clock.monotonic()
        if self._lags is None or now - self._lags[0] >= _KEPT_FOR:
            names = list(self._outboxes)
            found = await asyncio.gather(*(self._ask(self._outboxes[name]) for name in names))
            self._lags = now, dict(zip(names, found, strict=True))
        return {name: self._with_lag(name, lag) for name, lag in self._lags[1].items()}

    def _with_lag(self, name: str, lag: OutboxLag | None) -> OutboxFigures:
        done = self._figures.get(name) or RelayFigures()
        return OutboxFigures(lag=lag, published=done.published, failed=done.failed, removed=done.removed)

    async def _ask(self, outbox: Outbox) -> OutboxLag | None:
        try:
            async with asyncio.timeout(self._timeout):
                asked = await outbox.lag()
        except TimeoutError:
            return None
        return None if isinstance(asked, Failure) else asked.unwrap()
