"""Revoke an API key."""

from dataclasses import dataclass

from returns.result import Failure, Success

from fastapi_easy.application.context import Context
from fastapi_easy.domain.authentication.api_key import API_KEYS, ApiKey
from fastapi_easy.domain.authentication.events import ApiKeyRevoked
from fastapi_easy.domain.errors import NotFound, Outcome
from fastapi_easy.domain.ports.api_key_store import ApiKeyStore
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.event_bus import EventBus


@dataclass(frozen=True, slots=True)
class RevokeApiKey:
    """Let the key with *key_id* be refused from now on.

    Attributes:
        key_id: The public part of the key.
    """

    key_id: str


class RevokeApiKeyHandler:
    """Carries out `RevokeApiKey`."""

    def __init__(self, store: ApiKeyStore, clock: Clock, events: EventBus) -> None:
        self._store = store
        self._clock = clock
        self._events = events

    async def __call__(self, command: RevokeApiKey, context: Context, /) -> Outcome[ApiKey]:
        """Return the key as it is now, and publish `ApiKeyRevoked` unless it was revoked before.

        Fails with:
            NotFound: There is no key with this id.

            Unavailable: The store does not answer.
        """
        now = self._clock.now()
        revoked = await self._store.revoke(command.key_id, now.replace(microsecond=0))
        if isinstance(revoked, Failure):
            return revoked
        found = await self._store.find_by_id(command.key_id)
        if isinstance(found, Failure):
            return found
        key = found.unwrap()
        if key is None:
            return Failure(NotFound(API_KEYS.name, command.key_id))
        if revoked.unwrap():
            event = ApiKeyRevoked(
                key=key.id,
                owner=key.owner,
                tenant=key.tenant,
                actor=context.principal.id,
                correlation_id=context.correlation_id,
                occurred_at=now,
            )
            await self._events.publish([event])
        return Success(key)
