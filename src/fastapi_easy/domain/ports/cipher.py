"""Encryption of stored values."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class Cipher(Protocol):
    """Encrypts values with one key, and decrypts those that were encrypted with this and older keys.

    Called for every value: must not wait. An adapter of a key service fetches its data keys when it is made.
    Neither keys nor values may stand in what it logs or raises.
    """

    @property
    def key_ids(self) -> Sequence[str]:
        """The ids of its keys, the one it encrypts with first; 1 to 32 of the characters `A-Z a-z 0-9 _ . -` each."""
        ...

    def encrypt(self, plaintext: bytes, associated: bytes, /) -> bytes:
        """Return *plaintext* encrypted with the first key, differently each time, and bound to *associated*."""
        ...

    def decrypt(self, key_id: str, data: bytes, associated: bytes, /) -> bytes | None:
        """Return what `encrypt` made *data* from.

        Returns:
            `None` when there is no such key, or *data* was changed, or is bound to something else.
        """
        ...

    def digest(self, key_id: str, plaintext: bytes, associated: bytes, /) -> bytes:
        """Return the keyed hash, 32 bytes, of *plaintext* for *associated*; the same each time.

        Args:
            key_id: One of `key_ids`.

            plaintext: What is hashed.

            associated: Hashes for something else are unrelated to these.
        """
        ...
