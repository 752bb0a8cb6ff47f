"""Deliver the messages of an outbox to webhooks."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from returns.result import Failure

from fastapi_easy.application.webhooks.delivery import Delivery, DeliveryLimits, DeliveryPorts

_logger: Final = logging.getLogger(__name__)

_LOOK_AGAIN: Final = 1.0
"""Seconds after which other webhooks are looked for while some are being delivered to."""


class DeliverWebhooks:
    """A `RelayTask`: posts the messages of one outbox to webhooks, to each in the order of their positions.

    Each webhook has a position of its own, so that one that is down stops only itself. A message is delivered at least
    once: after a crash between the receiver's answer and the note of it, it is posted again, with the same id.

    Args:
        database: The name of the database whose outbox it is, for logs.

        ports: What it uses.

        limits: How messages are delivered.
    """

    def __init__(self, database: str, ports: DeliveryPorts, limits: DeliveryLimits) -> None:
        self.name = f"webhooks {database}"
        self._ports = ports
        self._limits = limits
        self._running: set[asyncio.Task[None]] = set()
        self._is_finishing = False

    def finish(self) -> None:
        """Post nothing new: each delivery ends with the request that is under way."""
        self._is_finishing = True

    async def run_once(self) -> bool:
        """Deliver to every webhook that is due, until none is any more; return whether there was one."""
        has_begun = False
        try:
            while await self._begin_deliveries():
                has_begun = True
                done, self._running = await asyncio.wait(
                    self._running, timeout=_LOOK_AGAIN, return_when=asyncio.FIRST_COMPLETED
                )
                self._report_defects(done)
        finally:
            await self._end_deliveries()
            if has_begun:
                await self._ports.posts.aclose()
        return has_begun

    async def _begin_deliveries(self) -> bool:
        """Return whether some delivery is under way."""
        if not self._is_finishing and len(self._running) < self._limits.concurrency:
            await self._claim_webhooks()
        return bool(self._running)

    async def _claim_webhooks(self) -> None:
        asked = await self._ports.outbox.last_position()
        if isinstance(asked, Failure):
            _logger.warning("%s: the outbox does not answer: %s", self.name, asked.failure().code)
            return
        for _ in range(self._limits.concurrency - len(self._running)):
            claimed = await self._ports.store.claim(asked.unwrap(), self._limits.lease)
            if isinstance(claimed, Failure):
                _logger.warning("%s: the database does not answer: %s", self.name, claimed.failure().code)
                return
            claim = claimed.unwrap()
            if claim is None:
                return
            delivery = Delivery(claim, self._ports, self._limits, lambda: self._is_finishing)
            self._running.add(asyncio.create_task(delivery.run()))

    async def _end_deliveries(self) -> None:
        """Cancel what is still under way, which gives its claims back."""
        for each in self._running:
            _ = each.cancel()
        _ = await asyncio.gather(*self._running, return_exceptions=True)
        self._running = set()

    def _report_defects(self, done: Iterable[asyncio.Task[None]]) -> None:
        for each in done:
            if (defect := each.exception()) is not None:
                _logger.error("%s: a delivery has failed", self.name, exc_info=defect)
