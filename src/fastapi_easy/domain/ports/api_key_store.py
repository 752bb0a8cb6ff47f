"""Where API keys are kept."""

import datetime
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from fastapi_easy.domain.authentication.api_key import ApiKey
from fastapi_easy.domain.errors import Outcome


@runtime_checkable
class ApiKeyStore(Protocol):
    """Keeps API keys without their secrets. Each call stands alone.

    Every method fails with `Unavailable` when the store does not answer.
    """

    async def add(self, key: ApiKey, /) -> Outcome[None]:
        """Store *key*.

        Fails with:
            AlreadyExists: There is one with its id.
        """
        ...

    async def find_by_id(self, key_id: str, /) -> Outcome[ApiKey | None]:
        """Return the key with *key_id*, also when it is revoked or expired; `None` when there is none."""
        ...

    async def find_all(self, owner: str | None = None, /) -> Outcome[Sequence[ApiKey]]:
        """Return every key, or those of *owner*, in the order in which they were issued."""
        ...

    async def revoke(self, key_id: str, at: datetime.datetime, /) -> Outcome[bool]:
        """Revoke the key with *key_id* at the moment *at*; return whether it was there and not revoked before."""
        ...

    async def note_use(self, key_id: str, at: datetime.datetime, /) -> Outcome[None]:
        """Remember that the key with *key_id* was used at the moment *at*, unless a later use is known."""
        ...

    async def aclose(self) -> None:
        """Finish what is still being written. The database belongs to somebody else, and stays open."""
        ...
