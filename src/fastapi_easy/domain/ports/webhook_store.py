"""Where webhooks are kept, and how far each has come."""

import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from fastapi_easy.domain.errors import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An address that messages are posted to, in the order of their positions in the outbox.

    Attributes:
        id: Public.

        url: Where to.

        events: The names of the messages it is sent, like `books.created` or `books.*`; all where there is none.

        tenant: It is only sent messages of this partition; of all where it is `None`.

        secrets: The keys that sign, encrypted where the application has keys for that; two while one is rotated.

        position: The position in the outbox of the last message that was delivered, dropped or of no interest.

        attempts: How often the next message was tried without success.

        retry_at: When it is tried again; `None` for at once. Aware, UTC.

        error: Why the last attempt failed; empty after a success.

        disabled: Whether nothing is sent until an operator enables it again.

        created_at: Aware, UTC.
    """

    id: str
    url: str
    events: tuple[str, ...] = ()
    tenant: str | None = None
    secrets: tuple[str, ...] = field(repr=False)
    position: int
    attempts: int = 0
    retry_at: datetime.datetime | None = None
    error: str = ""
    disabled: bool = False
    created_at: datetime.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedWebhook:
    """A webhook to which one process delivers at the moment, and no other.

    Attributes:
        webhook: The webhook.

        claim: Identifies this claim.
    """

    webhook: Webhook
    claim: uuid.UUID


@runtime_checkable
class WebhookStore(Protocol):
    """The webhooks of an application. Every method fails with `Unavailable` when the database does not answer."""

    async def prepare(self) -> Outcome[tuple[str, ...]]:
        """Make the database ready; return why it cannot hold webhooks, each a sentence with the way to mend it."""
        ...

    async def add(self, webhook: Webhook, /) -> Outcome[None]:
        """Store *webhook*.

        Fails with:
            AlreadyExists: There is one with its id.
        """
        ...

    async def find_all(self) -> Outcome[Sequence[Webhook]]:
        """Return every webhook, in the order in which they were added."""
        ...

    async def change(self, webhook: Webhook, /) -> Outcome[bool]:
        """Store the URL, events, tenant and secrets of *webhook*, and whether it is disabled; return whether it exists.

        Its attempts are forgotten, so that it is tried at once. Its position stays, which a relay may move meanwhile.
        """
        ...

    async def replace_secrets(
        self, webhook_id: str, before: Sequence[str], after: Sequence[str], /
    ) -> Outcome[bool]:
        """Store the secrets *after* in place of *before*; return whether these were still there.

        Nothing else about the webhook changes: they are the same secrets, encrypted with another key.
        """
        ...

    async def remove(self, webhook_id: str, /) -> Outcome[bool]:
        """Remove a webhook; return whether it was there."""
        ...

    async def claim(self, last_position: int, lease: float, /) -> Outcome[ClaimedWebhook | None]:
        """Claim for *lease* seconds one webhook that is behind *last_position*, enabled, due, and not claimed.

        The one whose last claim is the longest ago. A claim that has expired is as if it had never been. Any number of
        relays may call it at the same time; whether something is due says the clock of the database.
        """
        ...

    async def advance(self, claim: ClaimedWebhook, position: int, /) -> Outcome[bool]:
        """Note that everything up to *position* is done; return whether *claim* still held.

        Keeps the claim, and forgets the attempts of what came before. A webhook that was disabled is not held any more.
        """
        ...

    async def retry_later(
        self, claim: ClaimedWebhook, delay: float, error: str, *, disable: bool
    ) -> Outcome[bool]:
        """Give *claim* back after a failure, for *delay* seconds or for good; return whether it still held."""
        ...

    async def release(self, claim: ClaimedWebhook, /) -> Outcome[None]:
        """Give *claim* back."""
        ...
