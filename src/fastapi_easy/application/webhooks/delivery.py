"""One delivery: the messages that one webhook has not had yet, for as long as a claim lasts."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, TypeVar

from returns.result import Failure

from fastapi_easy.application.events.backoff import Backoff
from fastapi_easy.application.webhooks.signed_posts import SignedPosts, describe_failure
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.outbox.message import OutboxMessage
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.event_bus import EventBus
from fastapi_easy.domain.ports.outbox import Outbox
from fastapi_easy.domain.ports.webhook_sender import PostResult
from fastapi_easy.domain.ports.webhook_store import ClaimedWebhook, WebhookStore
from fastapi_easy.domain.webhooks.events import WebhookDisabled
from fastapi_easy.domain.webhooks.patterns import is_wanted

T = TypeVar("T")

_logger: Final = logging.getLogger(__name__)

_PATIENT: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""The answers whose `Retry-After` counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryLimits:
    """How messages are delivered. All times in seconds.

    Attributes:
        batch: Messages that are read at once.

        concurrency: Webhooks that one process delivers to at the same time.

        timeout: How long one request may take.

        lease: How long a claim lasts, after which another relay takes over; at least three times *timeout*.

        max_attempts: After so many failures in a row a webhook is disabled.

        backoff: How long a webhook waits after a failure.

        longest_wait: How long a receiver may ask to be left alone.
    """

    batch: int = 100
    concurrency: int = 20
    timeout: float = 15.0
    lease: float = 60.0
    max_attempts: int = 150
    backoff: Backoff = field(default_factory=lambda: Backoff(first=1.0, longest=3600.0))
    longest_wait: float = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPorts:
    """What every delivery from one outbox uses.

    Attributes:
        store: The webhooks.

        outbox: The messages; somebody else gives them positions.

        posts: Signs and posts.

        encode: Returns what is posted of a message.

        clock: Measures the time of claims.

        events: Are told when a webhook is given up.
    """

    store: WebhookStore
    outbox: Outbox
    posts: SignedPosts
    encode: Callable[[OutboxMessage], bytes]
    clock: Clock
    events: EventBus


class Delivery:
    """Delivers to one claimed webhook.

    Args:
        claim: The webhook.

        ports: What it uses.

        limits: How messages are delivered.

        is_finishing: Whether nothing new is to be posted.
    """

    def __init__(
        self,
        claim: ClaimedWebhook,
        ports: DeliveryPorts,
        limits: DeliveryLimits,
        is_finishing: Callable[[], bool],
    ) -> None:
        self._claim = claim
        self._ports = ports
        self._limits = limits
        self._is_finishing = is_finishing
        self._attempts = claim.webhook.attempts
        # A request that begins before this moment has ended when the claim expires.
        self._last_begin = ports.clock.monotonic() + limits.lease - 2 * limits.timeout

    async def run(self) -> None:
        """Deliver until there is nothing more, a failure, or the end of the claim is near; give the claim back."""
        try:
            is_held = await self._deliver_all()
        except asyncio.CancelledError:
            _ = await self._ports.store.release(self._claim)
            raise
        if is_held:
            _ = self._answer_of(await self._ports.store.release(self._claim))

    async def _deliver_all(self) -> bool:
        """Return whether the claim is still held."""
        position = self._claim.webhook.position
        while self._goes_on():
            read = self._answer_of(await self._ports.outbox.read_after(position, self._limits.batch))
            if read is None or not read[0]:
                return True
            messages, _ = read
            if not await self._deliver_batch(messages):
                return False
            position = _position_of(messages[-1])
        return True

    async def _deliver_batch(self, messages: Sequence[OutboxMessage]) -> bool:
        """Return whether the claim is still held, because nothing failed."""
        skipped: int | None = None
        for message in messages:
            if not self._goes_on():
                break
            position = _position_of(message)
            if not is_wanted(self._claim.webhook, message):
                skipped = position
                continue
            result = await self._ports.posts.post(
                self._claim.webhook, str(message.id), self._ports.encode(message)
            )
            if not result.is_delivered:
                await self._try_later(result)
                return False
            if not await self._advance(position):
                return False
            skipped = None
        # Not before: to advance forgets the attempts of a message that fails again and again.
        return skipped is None or await self._advance(skipped)

    def _goes_on(self) -> bool:
        return not self._is_finishing() and self._ports.clock.monotonic() <= self._last_begin

    async def _advance(self, position: int) -> bool:
        # If the store does not answer, what was delivered is delivered again, and nothing after it before.
        if self._answer_of(await self._ports.store.advance(self._claim, position)):
            self._attempts = 0
            return True
        return False

    async def _try_later(self, result: PostResult) -> None:
        webhook_id, error, attempt = self._claim.webhook.id, describe_failure(result), self._attempts + 1
        disable = result.status == HTTPStatus.GONE or attempt >= self._limits.max_attempts
        delay = self._limits.backoff.delay(attempt)
        if result.retry_after is not None and result.status in _PATIENT:
            delay = max(delay, min(result.retry_after, self._limits.longest_wait))
        noted = await self._ports.store.retry_later(self._claim, delay, error, disable=disable)
        if not self._answer_of(noted):
            return
        if not disable:
            _logger.warning(
                "webhook %s: %s, attempt %d, the next one in %.0f s", webhook_id, error, attempt, delay
            )
            return
        _logger.error("webhook %s is disabled: %s, attempt %d", webhook_id, error, attempt)
        happened = WebhookDisabled(key=webhook_id, error=error, occurred_at=self._ports.clock.now())
        await self._ports.events.publish([happened])

    def _answer_of(self, outcome: Outcome[T]) -> T | None:
        """Return the answer; `None`, and a line in the log, when there is none."""
        if isinstance(outcome, Failure):
            _logger.warning(
                "webhook %s: the database does not answer: %s", self._claim.webhook.id, outcome.failure().code
            )
            return None
        return outcome.unwrap()


def _position_of(message: OutboxMessage) -> int:
    if message.position is None:
        raise ValueError("the outbox has read a message without a position")
    return message.position
