"""Stored answers, encrypted where the application encrypts fields: an answer may hold their values."""

from fastapi_easy.domain.ports.cipher import Cipher
from fastapi_easy.domain.values.sealed_text import SealedText, read_sealed


class AnswerSeal:
    """Encrypts answers before they are stored.

    Args:
        cipher: What encrypts; without one answers are stored as they are.
    """

    __slots__ = ("_cipher",)

    def __init__(self, cipher: Cipher | None) -> None:
        self._cipher = cipher

    def seal(self, call_id: str, answer: str) -> str:
        """Return what is stored of *answer*, bound to the call with *call_id*."""
        cipher = self._cipher
        if cipher is None:
            return answer
        return str(SealedText(cipher.key_ids[0], cipher.encrypt(answer.encode("ascii"), _bound_to(call_id))))

    def open(self, call_id: str, stored: str) -> str | None:
        """Return the answer that *stored* holds; `None` when its key is gone, or somebody has changed it."""
        sealed = read_sealed(stored)
        if sealed is None:
            return stored
        plain = None
        if self._cipher is not None:
            plain = self._cipher.decrypt(sealed.key_id, sealed.data, _bound_to(call_id))
        return None if plain is None else plain.decode("ascii")


def _bound_to(call_id: str) -> bytes:
    return f"fe_idempotency\0{call_id}".encode()
