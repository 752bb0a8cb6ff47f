"""Encrypt the secrets of webhooks with the current key, and count what is encrypted with which."""

from collections import Counter
from collections.abc import Callable
from typing import Final

from returns.result import Failure, Success

from fastapi_easy.application.secrets.rotate_secrets import PLAINTEXT, KeyUse, Rotation
from fastapi_easy.application.webhooks.stored_secrets import StoredSecrets
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.webhook_store import Webhook, WebhookStore
from fastapi_easy.domain.unavailable import SerializationConflict
from fastapi_easy.domain.values.sealed_text import read_sealed
from fastapi_easy.domain.webhooks.table import WEBHOOKS

SECRETS: Final = "secrets"
"""The field of a webhook that is encrypted."""

_ATTEMPTS: Final = 20
"""Attempts to encrypt what others change meanwhile."""


class WebhookSecretRotation:
    """Implements `EncryptedValues` for the webhooks of one database.

    Args:
        database: The name of the database.

        store: Its webhooks.

        secrets: Encrypts and decrypts.
    """

    def __init__(self, database: str, store: WebhookStore, secrets: StoredSecrets) -> None:
        self._database = database
        self._store = store
        self._secrets = secrets

    async def count(self) -> Outcome[tuple[KeyUse, ...]]:
        """Count what is encrypted with which key; nothing is decrypted."""
        found = await self._store.find_all()
        if isinstance(found, Failure):
            return found
        sealed = [read_sealed(each) for webhook in found.unwrap() for each in webhook.secrets]
        keys = Counter(PLAINTEXT if each is None else each.key_id for each in sealed)
        return Success((KeyUse(WEBHOOKS.name, SECRETS, keys),))

    async def rotate(
        self, report: Callable[[Rotation], None], *, is_dry_run: bool = False
    ) -> Outcome[Rotation]:
        """Encrypt with the current key what is not, plaintext included.

        Each webhook is changed at what was read of it, and is durable at once; nothing else about it changes.

        Args:
            report: Is told of the result.

            is_dry_run: Change nothing.

        Fails with:
            Unavailable: The database does not answer.

            SerializationConflict: Others change the same webhook again and again.
        """
        found = await self._store.find_all()
        if isinstance(found, Failure):
            return found
        done = Rotation(resource=WEBHOOKS.name)
        for webhook in found.unwrap():
            renewed = await self._renew(webhook, is_dry_run=is_dry_run)
            if isinstance(renewed, Failure):
                return renewed
            is_changed, is_unreadable = renewed.unwrap()
            done = done.counting(is_changed=is_changed, is_unreadable=is_unreadable)
        report(done)
        return Success(done)

    async def _renew(self, webhook: Webhook, *, is_dry_run: bool) -> Outcome[tuple[bool, bool]]:
        """Return whether the webhook was changed, and whether a secret of it could not be read."""
        seen: Webhook | None = webhook
        for _ in range(_ATTEMPTS):
            if seen is None:
                return Success((False, False))
            plain = self._secrets.read(seen)
            if plain is None:
                return Success((False, True))
            if self._secrets.are_current(seen):
                return Success((False, False))
            if is_dry_run:
                return Success((True, False))
            written = await self._store.replace_secrets(
                seen.id, seen.secrets, self._secrets.write(seen.id, plain)
            )
            if isinstance(written, Failure):
                return written
            if written.unwrap():
                return Success((True, False))
            again = await self._store.find_all()
            if isinstance(again, Failure):
                return again
            seen = next((each for each in again.unwrap() if each.id == webhook.id), None)
        return Failure(SerializationConflict(self._database))
