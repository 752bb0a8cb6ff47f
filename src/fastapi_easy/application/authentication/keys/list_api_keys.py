"""List API keys."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi_easy.application.context import Context
from fastapi_easy.domain.authentication.api_key import ApiKey
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.api_key_store import ApiKeyStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ListApiKeys:
    """List every key, also those that are not accepted any more.

    Attributes:
        owner: Only those of this principal; `None` for all.
    """

    owner: str | None = None


class ListApiKeysHandler:
    """Carries out `ListApiKeys`."""

    def __init__(self, store: ApiKeyStore) -> None:
        self._store = store

    async def __call__(self, command: ListApiKeys, context: Context, /) -> Outcome[Sequence[ApiKey]]:
        """Return them in the order in which they were issued.

        Fails with:
            Unavailable: The store does not answer.
        """
        return await self._store.find_all(command.owner)
