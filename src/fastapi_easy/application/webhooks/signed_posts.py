"""Posting messages that are signed with the secrets of their webhook."""

from typing import Final

from fastapi_easy.application.webhooks.stored_secrets import StoredSecrets
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.webhook_sender import PostResult, WebhookSender
from fastapi_easy.domain.ports.webhook_store import Webhook
from fastapi_easy.domain.webhooks.signing import decode_secret, sign

CONTENT_TYPE: Final = "application/cloudevents+json"
"""The media type of what is posted."""

_UNREADABLE: Final = (
    "the secret cannot be decrypted: the key it is encrypted with is not among encryption.keys"
)


class SignedPosts:
    """Signs and posts.

    Args:
        sender: Posts.

        secrets: Reads the secrets of webhooks.

        clock: Dates each attempt.
    """

    def __init__(self, sender: WebhookSender, secrets: StoredSecrets, clock: Clock) -> None:
        self._sender = sender
        self._secrets = secrets
        self._clock = clock

    async def post(self, webhook: Webhook, message_id: str, body: bytes) -> PostResult:
        """Post *body* to *webhook*, signed with each of its secrets."""
        secrets = self._secrets.read(webhook)
        keys = [] if secrets is None else [decode_secret(each) for each in secrets]
        usable = [each for each in keys if each is not None]
        if not usable or len(usable) < len(keys):
            return PostResult(error=_UNREADABLE)
        headers = {
            "content-type": CONTENT_TYPE,
            "user-agent": "fastapi_easy",
            **sign(usable, message_id, self._clock.now(), body),
        }
        return await self._sender.post(webhook.url, headers, body)

    async def aclose(self) -> None:
        """Close every connection; the next post opens one."""
        await self._sender.aclose()


def describe_failure(result: PostResult) -> str:
    """Return why *result* is a failure, for people."""
    if result.status is None:
        return result.error
    redirects = ": redirects are not followed" if result.status // 100 == 3 else ""  # noqa: PLR2004
    return f"HTTP {result.status}{redirects}"
