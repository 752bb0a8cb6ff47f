"""Hashes of passwords."""

from typing import Protocol, runtime_checkable

from fastapi_easy.domain.values.passwords import PasswordHash


@runtime_checkable
class PasswordHasher(Protocol):
    """Makes and verifies hashes of passwords: slowly, on purpose, and without blocking the event loop."""

    async def hash(self, password: str, /) -> PasswordHash:
        """Return a hash of *password*, with a new salt."""
        ...

    async def verify(self, stored: str | None, password: str, /) -> bool:
        """Return whether *stored* is a hash of *password*.

        Takes as long when *stored* is `None`, for an account that does not exist, or is no hash at all; and is then
        false.
        """
        ...

    def needs_rehash(self, stored: str, /) -> bool:
        """Return whether *stored*, a hash, was made with other parameters than new ones are."""
        ...
