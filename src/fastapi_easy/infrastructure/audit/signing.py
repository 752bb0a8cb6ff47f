"""The ports `NoteSigner` and `NoteVerifier`: Ed25519, by `cryptography`.

Keys are written as C2SP's `signed-note` has them.
"""

import base64
import binascii
import hashlib
import re
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from fastapi_easy.domain.errors import DeclarationError

_ALGORITHM: Final = b"\x01"
_KEY_BYTES: Final = 32
_PRIVATE: Final = "PRIVATE+KEY+"
_NAME: Final = re.compile(r"[^\s+]+")
_WRITTEN: Final = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})")


class Ed25519Verifier:
    """Implements `NoteVerifier`.

    Args:
        name: What the key is called in signatures.

        public_key: 32 bytes.
    """

    def __init__(self, name: str, public_key: bytes) -> None:
        self.name = name
        self.key_id = hashlib.sha256(name.encode() + b"\n" + _ALGORITHM + public_key).digest()[:4]
        self._bytes = public_key
        self._key = Ed25519PublicKey.from_public_bytes(public_key)

    def __str__(self) -> str:
        """Return it as text: `name+id+base64`."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(_ALGORITHM + self._bytes).decode()}"

    def verify(self, message: bytes, signature: bytes, /) -> bool:
        """Return whether *signature* is one of *message*."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class Ed25519Signer:
    """Implements `NoteSigner`.

    Args:
        name: What the key is called in signatures.

        private_key: 32 bytes.
    """

    def __init__(self, name: str, private_key: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(private_key)
        self.verifier = Ed25519Verifier(name, self._key.public_key().public_bytes_raw())

    def sign(self, message: bytes, /) -> bytes:
        """Return the signature of *message*: 64 bytes."""
        return self._key.sign(message)

    def export(self) -> str:
        """Return the private key as text: `PRIVATE+KEY+name+id+base64`."""
        secret = base64.b64encode(_ALGORITHM + self._key.private_bytes_raw()).decode()
        return f"{_PRIVATE}{self.verifier.name}+{self.verifier.key_id.hex()}+{secret}"


def generate_signer(name: str) -> Ed25519Signer:
    """Return a new key called *name*.

    Raises:
        DeclarationError: Signatures cannot have that name.
    """
    if not _NAME.fullmatch(name):
        raise DeclarationError([f"{name!r} cannot be the name of a key: leave out spaces and plus signs"])
    return Ed25519Signer(name, Ed25519PrivateKey.generate().private_bytes_raw())


def read_verifier(text: str) -> Ed25519Verifier:
    """Return the public key that *text* is.

    Raises:
        DeclarationError: It is not one.
    """
    name, key_id, key = _read(text, "a public key looks like name+1a2b3c4d+…")
    verifier = Ed25519Verifier(name, key)
    if verifier.key_id.hex() != key_id:
        raise DeclarationError([f"the public key {name!r} does not belong to its id: copy it once more"])
    return verifier


def read_signer(text: str) -> Ed25519Signer:
    """Return the private key that *text* is.

    Raises:
        DeclarationError: It is not one. Never says what it is.
    """
    expected = f"a private key looks like {_PRIVATE}name+1a2b3c4d+…: make one with fastapi-easy audit keygen"
    if not text.startswith(_PRIVATE):
        raise DeclarationError([expected])
    name, key_id, key = _read(text.removeprefix(_PRIVATE), expected)
    signer = Ed25519Signer(name, key)
    if signer.verifier.key_id.hex() != key_id:
        raise DeclarationError([f"the private key {name!r} does not belong to its id: copy it once more"])
    return signer


def _read(text: str, expected: str) -> tuple[str, str, bytes]:
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        raise DeclarationError([expected])
    try:
        key = base64.b64decode(match[3], validate=True)
    except binascii.Error as error:
        raise DeclarationError([expected]) from error
    if len(key) != 1 + _KEY_BYTES or key[:1] != _ALGORITHM:
        raise DeclarationError([f"{match[1]!r} is not an Ed25519 key, the only kind that is known"])
    return match[1], match[2], key[1:]
