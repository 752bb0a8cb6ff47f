"""The secrets of webhooks as they are stored: encrypted where the application has keys for that."""

from collections.abc import Sequence

from fastapi_easy.domain.ports.cipher import Cipher
from fastapi_easy.domain.ports.webhook_store import Webhook
from fastapi_easy.domain.values.sealed_text import SealedText, read_sealed


class StoredSecrets:
    """Writes and reads the secrets of webhooks.

    Args:
        cipher: Encrypts them; without one they are stored as they are.
    """

    def __init__(self, cipher: Cipher | None) -> None:
        self._cipher = cipher

    def write(self, webhook_id: str, secrets: Sequence[str]) -> tuple[str, ...]:
        """Return what is stored in place of *secrets*, bound to the webhook."""
        return tuple(self._seal(webhook_id, each) for each in secrets)

    def read(self, webhook: Webhook) -> tuple[str, ...] | None:
        """Return the secrets of *webhook*; `None` when one of them cannot be decrypted."""
        found = [self._unseal(webhook.id, each) for each in webhook.secrets]
        readable = tuple(each for each in found if each is not None)
        return readable if len(readable) == len(found) else None

    def are_current(self, webhook: Webhook) -> bool:
        """Return whether every secret of *webhook* is encrypted with the key that `write` takes."""
        key = None if self._cipher is None else self._cipher.key_ids[0]
        sealed = [read_sealed(each) for each in webhook.secrets]
        return all((None if each is None else each.key_id) == key for each in sealed)

    def _seal(self, webhook_id: str, secret: str) -> str:
        if self._cipher is None:
            return secret
        data = self._cipher.encrypt(secret.encode(), _associated(webhook_id))
        return str(SealedText(self._cipher.key_ids[0], data))

    def _unseal(self, webhook_id: str, stored: str) -> str | None:
        sealed = read_sealed(stored)
        if sealed is None:
            # From a time without keys. Nothing an attacker could gain: whoever can write here can write a URL too.
            return stored
        if self._cipher is None:
            return None
        plain = self._cipher.decrypt(sealed.key_id, sealed.data, _associated(webhook_id))
        return None if plain is None else plain.decode()


def _associated(webhook_id: str) -> bytes:
    return f"fe_webhooks.secrets:{webhook_id}".encode()
