"""The keys of one issuer, by the id that tokens name."""

from collections.abc import Iterable
from typing import Protocol, TypeAlias

from returns.result import Success

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.infrastructure.authentication.jwt.verification_keys import VerificationKey

Candidates: TypeAlias = tuple[VerificationKey, ...]
"""The keys with which one token may be signed."""


class KeySet(Protocol):
    """Finds the key that verifies a token."""

    @property
    def generation(self) -> int:
        """How often the keys have changed: what was verified before may not be valid any more."""
        ...

    async def find(self, key_id: str | None, algorithm: str, /) -> Outcome[Candidates]:
        """Return the keys that may have signed a token, usually one; none where the issuer has no such key.

        Args:
            key_id: As the token names it; `None` where it names none, which is enough if there is one key only.

            algorithm: As the token names it.

        Fails with:
            Unavailable: The keys of the issuer are not known.
        """
        ...

    async def aclose(self) -> None:
        """End what is under way."""
        ...


class FixedKeySet:
    """Implements `KeySet` with keys that never change, and have no id: any of them may have signed a token.

    Args:
        keys: The keys.
    """

    generation = 0

    def __init__(self, keys: Iterable[VerificationKey]) -> None:
        self._keys = tuple(keys)

    async def find(self, key_id: str | None, algorithm: str, /) -> Outcome[Candidates]:
        """Return the keys that may have signed a token."""
        return Success(tuple(each for each in self._keys if algorithm in each.algorithms))

    async def aclose(self) -> None:
        """There is nothing to end."""
