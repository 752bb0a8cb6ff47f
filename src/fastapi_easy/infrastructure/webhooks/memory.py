"""Webhooks in the process, for tests and for a database in memory."""

import datetime
import time
import uuid
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from returns.result import Failure, Success

from fastapi_easy.domain.errors import AlreadyExists, Outcome
from fastapi_easy.domain.ports.webhook_store import ClaimedWebhook, Webhook
from fastapi_easy.domain.webhooks.table import WEBHOOKS
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase


@dataclass(slots=True)
class _Kept:
    """A webhook, and who delivers to it; times are those of `time.monotonic`."""

    webhook: Webhook
    due_at: float = 0.0
    claim: uuid.UUID | None = None
    claimed_at: float = 0.0
    claimed_until: float = 0.0


_webhooks: Final["weakref.WeakKeyDictionary[MemoryDatabase, dict[str, _Kept]]"] = weakref.WeakKeyDictionary()
"""The webhooks of each database, by id."""


class MemoryWebhookStore:
    """Implements `WebhookStore` in the process; what it holds lives as long as the database.

    Args:
        database: The database.
    """

    def __init__(self, database: MemoryDatabase) -> None:
        self._kept = _webhooks.setdefault(database, {})

    async def prepare(self) -> Outcome[tuple[str, ...]]:
        """Do nothing."""
        return Success(())

    async def add(self, webhook: Webhook, /) -> Outcome[None]:
        """Store *webhook*."""
        if webhook.id in self._kept:
            return Failure(AlreadyExists(WEBHOOKS.name, ("id",)))
        self._kept[webhook.id] = _Kept(webhook)
        return Success(None)

    async def find_all(self) -> Outcome[Sequence[Webhook]]:
        """Return every webhook."""
        found = (each.webhook for each in self._kept.values())
        return Success(sorted(found, key=lambda each: (each.created_at, each.id)))

    async def change(self, webhook: Webhook, /) -> Outcome[bool]:
        """Store what an operator may change of *webhook*."""
        kept = self._kept.get(webhook.id)
        if kept is None:
            return Success(False)
        kept.due_at = 0.0
        kept.webhook = replace(
            webhook,
            position=kept.webhook.position,
            attempts=0,
            retry_at=None,
            error="",
            created_at=kept.webhook.created_at,
        )
        return Success(True)

    async def replace_secrets(
        self, webhook_id: str, before: Sequence[str], after: Sequence[str], /
    ) -> Outcome[bool]:
        """Store the same secrets in another form, unless others are there by now."""
        kept = self._kept.get(webhook_id)
        if kept is None or kept.webhook.secrets != tuple(before):
            return Success(False)
        kept.webhook = replace(kept.webhook, secrets=tuple(after))
        return Success(True)

    async def remove(self, webhook_id: str, /) -> Outcome[bool]:
        """Remove a webhook."""
        return Success(self._kept.pop(webhook_id, None) is not None)

    async def claim(self, last_position: int, lease: float, /) -> Outcome[ClaimedWebhook | None]:
        """Claim one webhook that is behind and due."""
        now = time.monotonic()
        due = (
            each
            for each in self._kept.values()
            if not each.webhook.disabled
            and each.webhook.position < last_position
            and each.due_at <= now
            and (each.claim is None or each.claimed_until <= now)
        )
        kept = min(due, key=lambda each: each.claimed_at, default=None)
        if kept is None:
            return Success(None)
        kept.claim = uuid.uuid4()
        kept.claimed_at, kept.claimed_until = now, now + lease
        return Success(ClaimedWebhook(webhook=kept.webhook, claim=kept.claim))

    async def advance(self, claim: ClaimedWebhook, position: int, /) -> Outcome[bool]:
        """Note how far the claimed webhook has come."""
        kept = self._held(claim)
        if kept is None or kept.webhook.disabled:
            return Success(False)
        kept.webhook = replace(kept.webhook, position=position, attempts=0, retry_at=None, error="")
        return Success(True)

    async def retry_later(
        self, claim: ClaimedWebhook, delay: float, error: str, *, disable: bool
    ) -> Outcome[bool]:
        """Give *claim* back after a failure."""
        kept = self._held(claim)
        if kept is None:
            return Success(False)
        kept.claim = None
        kept.due_at = time.monotonic() + delay
        kept.webhook = replace(
            kept.webhook,
            attempts=kept.webhook.attempts + 1,
            retry_at=datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=delay),
            error=error,
            disabled=kept.webhook.disabled or disable,
        )
        return Success(True)

    async def release(self, claim: ClaimedWebhook, /) -> Outcome[None]:
        """Give *claim* back."""
        kept = self._held(claim)
        if kept is not None:
            kept.claim = None
        return Success(None)

    def _held(self, claim: ClaimedWebhook) -> _Kept | None:
        kept = self._kept.get(claim.webhook.id)
        return kept if kept is not None and kept.claim == claim.claim else None
