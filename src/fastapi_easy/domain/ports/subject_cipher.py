"""Encryption with a key of each person, whose end is the end of what was encrypted with it."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


@runtime_checkable
class SubjectCipher(Protocol):
    """Encrypts what the audit trail records of people.

    Each subject has a random key, which is kept wrapped: encrypted with a key of the application's. Must not wait.
    """

    def tokens(self, subject: str, /) -> Sequence[str]:
        """Return what stands for *subject* in the trail, from which nobody without the key can tell who it is.

        Returns:
            64 hexadecimal digits for each key of the application's, that of the current one first.
        """
        ...

    def new_key(self, token: str, /) -> bytes:
        """Return a new wrapped key for the subject with *token*."""
        ...

    def key_id_of(self, wrapped: bytes, /) -> str:
        """Return the id of the key of the application's that *wrapped* is encrypted with."""
        ...

    def encrypt(self, token: str, wrapped: bytes, plaintext: bytes, associated: bytes, /) -> bytes | None:
        """Return *plaintext* encrypted with *wrapped*, and bound to *associated*; `None` if nobody can unwrap it."""
        ...

    def decrypt(self, token: str, wrapped: bytes, data: bytes, associated: bytes, /) -> bytes | None:
        """Return what `encrypt` made *data* from; `None` if the key is another one, or *data* was changed."""
        ...
