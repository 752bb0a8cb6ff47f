"""Keys that sign the checkpoints of the audit trail, and keys that verify them."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class NoteVerifier(Protocol):
    """A public key.

    Attributes:
        name: What it is called in signatures; without spaces and plus signs.

        key_id: The first four bytes of a hash of *name* and the key, by which its signatures are found.
    """

    name: str
    key_id: bytes

    def verify(self, message: bytes, signature: bytes, /) -> bool:
        """Return whether *signature* is one of *message*."""
        ...


@runtime_checkable
class NoteSigner(Protocol):
    """A private key."""

    @property
    def verifier(self) -> NoteVerifier:
        """Its public key."""
        ...

    def sign(self, message: bytes, /) -> bytes:
        """Return the signature of *message*."""
        ...
