"""The port `Cipher`: AES-256-GCM, by `cryptography`."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.values.sealed_text import KEY_ID, MAX_KEY_ID

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_ENCRYPTION: Final = b"fastapi_easy field encryption 1"
_LOOKUP: Final = b"fastapi_easy field lookup 1\0"


class AesGcmCipher:
    """Implements `Cipher`: AES-256-GCM with a random nonce for each value, and HMAC-SHA256 for keyed hashes.

    The key that encrypts, and one for the hashes of each field, are derived from the key given (HKDF-SHA256), so that
    no key serves two purposes.

    Args:
        keys: 32 bytes each, by id.

        current: The id of the one that encrypts.

    Raises:
        DeclarationError: A key has another length, or there is no key of that id. Never says the key itself.
    """

    def __init__(self, keys: Mapping[str, bytes], current: str) -> None:
        mistakes = [
            f"the key {name!r} has {len(key)} bytes: give it {_KEY_BYTES}"
            for name, key in keys.items()
            if len(key) != _KEY_BYTES
        ]
        mistakes += [
            f"{name!r} cannot be the id of a key: use 1 to {MAX_KEY_ID} of the characters A-Z a-z 0-9 _ . -"
            for name in keys
            if KEY_ID.fullmatch(name) is None
        ]
        if current not in keys:
            mistakes.append(f"there is no key {current!r}, which is to encrypt")
        if mistakes:
            raise DeclarationError(mistakes)
        self._ids = (current, *(name for name in keys if name != current))
        self._keys = dict(keys)
        self._ciphers = {name: AESGCM(_derive(key, _ENCRYPTION)) for name, key in keys.items()}
        self._hashes: dict[tuple[str, bytes], hmac.HMAC] = {}

    def __repr__(self) -> str:
        """Return the ids of its keys, and no key."""
        return f"AesGcmCipher({', '.join(self._ids)})"

    @property
    def key_ids(self) -> Sequence[str]:
        """The ids of its keys, the one it encrypts with first."""
        return self._ids

    def encrypt(self, plaintext: bytes, associated: bytes, /) -> bytes:
        """Return nonce, ciphertext and tag."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._ciphers[self._ids[0]].encrypt(nonce, plaintext, associated)

    def decrypt(self, key_id: str, data: bytes, associated: bytes, /) -> bytes | None:
        """Return what `encrypt` made *data* from; `None` when nothing says that it did."""
        cipher = self._ciphers.get(key_id)
        if cipher is None or len(data) < _NONCE_BYTES + _TAG_BYTES:
            return None
        try:
            return cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], associated)
        except InvalidTag:
            return None

    def digest(self, key_id: str, plaintext: bytes, associated: bytes, /) -> bytes:
        """Return the keyed hash of *plaintext* for *associated*."""
        keyed = self._hashes.get((key_id, associated))
        if keyed is None:
            key = _derive(self._keys[key_id], _LOOKUP + associated)
            keyed = self._hashes[key_id, associated] = hmac.HMAC(key, hashes.SHA256())
        one = keyed.copy()
        one.update(plaintext)
        return one.finalize()


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=_KEY_BYTES, salt=None, info=purpose).derive(key)
