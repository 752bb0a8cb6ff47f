"""Publish what an outbox holds to the broker."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from returns.result import Failure

from fastapi_easy.application.events.backoff import Backoff
from fastapi_easy.application.events.outbox_outage import OutboxOutage
from fastapi_easy.application.events.publishing_batch import (
    Done,
    Failed,
    PublishingBatch,
    PublishingResult,
    Refused,
    result_of,
)
from fastapi_easy.application.events.relay_figures import RelayFigures
from fastapi_easy.domain.errors import Outcome, Unavailable, UnavailableReason
from fastapi_easy.domain.outbox.message import ClaimedMessage, OutboxMessage
from fastapi_easy.domain.ports.broker import Broker, BrokerMessage
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.outbox import Outbox

_logger = logging.getLogger(__name__)

_SETTLING: Final = 5.0
"""Seconds that a cancelled run may take to mark what was published, and to give back the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishLimits:
    """How messages are published. All times in seconds.

    Attributes:
        batch: Messages that are claimed at once; each is of another entity.

        concurrency: Messages that are published at the same time.

        timeout: How long the broker may take to confirm a message.

        lease: How long a claim lasts, after which another relay takes over; at least three times *timeout*.

        max_attempts: After so many failures of its own a message is parked.

        backoff: How long a message waits after a failure of its own.

        outage_backoff: How long the relay waits while the broker confirms nothing.
    """

    batch: int = 100
    concurrency: int = 16
    timeout: float = 10.0
    lease: float = 60.0
    max_attempts: int = 8
    backoff: Backoff = field(default_factory=lambda: Backoff(first=1.0, longest=300.0))
    outage_backoff: Backoff = field(default_factory=lambda: Backoff(first=1.0, longest=30.0))


class PublishMessages:
    """A `RelayTask`: publishes the messages of one outbox, those of one entity one after the other.

    Publishing happens outside any transaction, and each message at least once: after a crash between the broker's
    confirmation and its mark in the outbox it is published again, by whoever claims it next.

    Messages that fail on their own, because the broker refuses them or cannot be given them, are tried again later and
    parked in the end. While the broker confirms nothing at all, none is parked and no attempt is counted.

    Args:
        database: The name of the database whose outbox it is, for logs.

        outbox: Holds the messages.

        broker: Where they are published.

        encode: Returns a message as the broker carries it. What it raises parks the message.

        clock: Measures pauses.

        limits: How they are published.

        figures: What was done is counted there.
    """

    def __init__(
        self,
        database: str,
        outbox: Outbox,
        broker: Broker,
        encode: Callable[[OutboxMessage], BrokerMessage],
        clock: Clock,
        *,
        limits: PublishLimits,
        figures: RelayFigures,
    ) -> None:
        self.name = f"publishing {database}"
        self._outbox = outbox
        self._broker = broker
        self._encode = encode
        self._clock = clock
        self._limits = limits
        self._figures = figures
        self._batch: PublishingBatch | None = None
        self._is_finishing = False
        self._outage = OutboxOutage(self.name)
        self._outages = 0
        self._resumes_at: float | None = None

    def finish(self) -> None:
        """Begin to publish nothing more; what is being published is finished."""
        self._is_finishing = True
        if self._batch is not None:
            self._batch.stop()

    async def run_once(self) -> bool:
        """Publish one batch; return whether there may be more."""
        if self._is_finishing or (
            self._resumes_at is not None and self._clock.monotonic() < self._resumes_at
        ):
            return False
        opened = await self._open()
        if isinstance(opened, Failure):
            self._pause(opened.failure().code)
            return False
        claimed = await self._outbox.claim(self._limits.batch, self._limits.lease)
        if isinstance(claimed, Failure):
            self._outage.goes_on(claimed.failure().code)
            return False
        self._outage.is_over()
        claims = claimed.unwrap()
        if not claims:
            return False
        batch = PublishingBatch(
            claims, self._publish_one, concurrency=self._limits.concurrency, lease=self._limits.lease
        )
        return await self._publish(batch)

    async def _open(self) -> Outcome[None]:
        try:
            async with asyncio.timeout(self._limits.timeout):
                return await self._broker.open()
        except TimeoutError:
            return Failure(Unavailable(self._broker.name, reason=UnavailableReason.TIMEOUT))

    async def _publish(self, batch: PublishingBatch) -> bool:
        self._batch = batch
        if self._is_finishing:
            batch.stop()
        try:
            await batch.run()
        except asyncio.CancelledError:
            await self._settle_in_time(batch)
            raise
        finally:
            self._batch = None
        return await self._settle(batch)

    async def _settle_in_time(self, batch: PublishingBatch) -> None:
        try:
            async with asyncio.timeout(_SETTLING):
                _ = await self._settle(batch)
        except TimeoutError:
            _logger.warning("%s: the outbox does not answer: the claims expire by themselves", self.name)

    async def _publish_one(self, claim: ClaimedMessage) -> PublishingResult:
        try:
            message = self._encode(claim.message)
        except Exception as error:
            _logger.exception("message %s of %s cannot be encoded", claim.message.id, claim.message.name)
            return Refused(f"cannot be encoded: {type(error).__name__}")
        try:
            async with asyncio.timeout(self._limits.timeout):
                published = await self._broker.publish(message)
        except TimeoutError:
            return Failed(
                f"{self._broker.name} has not confirmed it within {self._limits.timeout:g} s", is_silence=True
            )
        except Exception as error:
            _logger.exception("message %s of %s was not published", claim.message.id, claim.message.name)
            return Failed(f"{type(error).__name__} while it was published", is_silence=False)
        return result_of(published, self._broker.name)

    async def _settle(self, batch: PublishingBatch) -> bool:
        """Tell the outbox what became of *batch*; return whether there may be more to do at once."""
        results = batch.results
        published = [claim for claim, result in results if isinstance(result, Done)]
        self._figures.published += len(published)
        self._figures.failed += sum(not isinstance(result, Done) for _, result in results)
        if published:
            await self._mark(published)
        for claim, result in results:
            if isinstance(result, Refused):
                await self._park(claim, result.reason)
            elif isinstance(result, Failed) and not batch.is_given_back(result):
                await self._postpone(claim, result.reason)
        if batch.untried:
            _ = await self._outbox.release(batch.untried)
        if batch.is_broker_away:
            self._pause("unavailable")
            return False
        if self._outages:
            _logger.warning("%s: %s answers again", self.name, self._broker.name)
        self._outages, self._resumes_at = 0, None
        return True

    async def _mark(self, published: list[ClaimedMessage]) -> None:
        marked = await self._outbox.mark_published(published)
        if isinstance(marked, Failure):
            _logger.warning(
                "%s: %d messages are published again, as the outbox could not note them: %s",
                self.name,
                len(published),
                marked.failure().code,
            )
        elif marked.unwrap() < len(published):
            _logger.warning(
                "%s: %d messages may be published again, as their claims had expired",
                self.name,
                len(published) - marked.unwrap(),
            )

    async def _postpone(self, claim: ClaimedMessage, reason: str) -> None:
        if claim.attempts >= self._limits.max_attempts:
            await self._park(claim, reason)
            return
        delay = self._limits.backoff.delay(claim.attempts)
        _logger.info(
            "message %s of %s is tried again in %.1f s: %s",
            claim.message.id,
            claim.message.name,
            delay,
            reason,
        )
        _ = await self._outbox.retry_later(claim, delay, reason)

    async def _park(self, claim: ClaimedMessage, reason: str) -> None:
        parked = await self._outbox.park(claim, reason)
        if not isinstance(parked, Failure) and parked.unwrap():
            self._figures.parked += 1
            _logger.error(
                "message %s of %s is parked after %d attempts, and what follows it of the same entity waits: %s",
                claim.message.id,
                claim.message.name,
                claim.attempts,
                reason,
            )

    def _pause(self, code: str) -> None:
        self._outages += 1
        delay = self._limits.outage_backoff.delay(self._outages)
        self._resumes_at = self._clock.monotonic() + delay
        if self._outages == 1:
            _logger.warning("%s: %s does not answer: %s", self.name, self._broker.name, code)
