"""The port `SubjectCipher`: AES-256-GCM with a key of each subject, wrapped by the application's `Cipher`."""

import secrets
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fastapi_easy.domain.ports.cipher import Cipher

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_TOKEN: Final = b"fastapi_easy audit subject 1"
_WRAPPING: Final = b"fastapi_easy audit subject key 1\0"
_SEPARATOR: Final = b":"


class AesGcmSubjectCipher:
    """Implements `SubjectCipher`.

    Args:
        cipher: Wraps the keys, and makes the tokens.
    """

    def __init__(self, cipher: Cipher) -> None:
        self._cipher = cipher

    def tokens(self, subject: str, /) -> Sequence[str]:
        """Return the keyed hash of *subject* by each key."""
        text = subject.encode()
        return [self._cipher.digest(key_id, text, _TOKEN).hex() for key_id in self._cipher.key_ids]

    def new_key(self, token: str, /) -> bytes:
        """Return 32 random bytes, wrapped, behind the id of the key that wraps them."""
        wrapped = self._cipher.encrypt(secrets.token_bytes(_KEY_BYTES), _WRAPPING + token.encode())
        return self._cipher.key_ids[0].encode() + _SEPARATOR + wrapped

    def key_id_of(self, wrapped: bytes, /) -> str:
        """Return the id in front of *wrapped*."""
        return wrapped.partition(_SEPARATOR)[0].decode("ascii", "replace")

    def encrypt(self, token: str, wrapped: bytes, plaintext: bytes, associated: bytes, /) -> bytes | None:
        """Return nonce, ciphertext and tag."""
        key = self._unwrap(token, wrapped)
        if key is None:
            return None
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(key).encrypt(nonce, plaintext, associated)

    def decrypt(self, token: str, wrapped: bytes, data: bytes, associated: bytes, /) -> bytes | None:
        """Return what `encrypt` made *data* from."""
        key = self._unwrap(token, wrapped)
        if key is None or len(data) < _NONCE_BYTES:
            return None
        try:
            return AESGCM(key).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], associated)
        except InvalidTag:
            return None

    def _unwrap(self, token: str, wrapped: bytes) -> bytes | None:
        data = wrapped.partition(_SEPARATOR)[2]
        return self._cipher.decrypt(self.key_id_of(wrapped), data, _WRAPPING + token.encode())
