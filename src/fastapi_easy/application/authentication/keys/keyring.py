"""The API keys of an application behind one object, for scripts and a program's own routes."""

import datetime
from collections.abc import Iterable, Sequence

from fastapi_easy.application.authentication.keys.create_api_key import (
    CreateApiKey,
    CreateApiKeyHandler,
    FindScopeMistake,
    IssuedApiKey,
)
from fastapi_easy.application.authentication.keys.list_api_keys import ListApiKeys, ListApiKeysHandler
from fastapi_easy.application.authentication.keys.revoke_api_key import RevokeApiKey, RevokeApiKeyHandler
from fastapi_easy.application.context import NOBODY, Context
from fastapi_easy.domain.authentication.api_key import ApiKey
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.api_key_store import ApiKeyStore
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.event_bus import EventBus
from fastapi_easy.domain.principal import Tenant


class Keyring:
    """Issues, lists and revokes API keys. It asks no policy: who calls it decides who may.

    Args:
        store: Where the keys are kept.

        clock: Says when they were issued, and when they expire.

        events: Are told of each key that is issued or revoked.

        find_scope_mistake: Returns what is wrong with a scope; without it every permission may be one.
    """

    def __init__(
        self,
        store: ApiKeyStore,
        clock: Clock,
        events: EventBus,
        find_scope_mistake: FindScopeMistake = lambda _: None,
    ) -> None:
        self._create = CreateApiKeyHandler(store, clock, events, find_scope_mistake)
        self._list = ListApiKeysHandler(store)
        self._revoke = RevokeApiKeyHandler(store, clock, events)

    async def create(
        self,
        owner: str,
        *,
        label: str = "",
        roles: Iterable[str] = (),
        tenant: Tenant | None = None,
        scopes: Iterable[str] | None = None,
        lifetime: datetime.timedelta | None = None,
        context: Context = NOBODY,
    ) -> Outcome[IssuedApiKey]:
        """Issue a key; see `CreateApiKey`.

        Args:
            owner: The id of the principal who calls with it.

            label: What it is for, for people.

            roles: Of the principal.

            tenant: The partition that the principal belongs to.

            scopes: The only permissions that it may be used for; `None` for all that the roles permit.

            lifetime: From now on; `None` for a key that does not expire.

            context: Who asks, for the event.

        Fails with:
            Invalid: A text is empty or too long, a scope is no pattern of permissions or permits nothing that there
                is, or the lifetime is over.

            Unavailable: The store does not answer.
        """
        command = CreateApiKey(
            owner=owner,
            label=label,
            roles=frozenset(roles),
            tenant=tenant,
            scopes=None if scopes is None else frozenset(scopes),
            lifetime=lifetime,
        )
        return await self._create(command, context)

    async def list(self, owner: str | None = None, *, context: Context = NOBODY) -> Outcome[Sequence[ApiKey]]:
        """List every key, or those of *owner*, in the order in which they were issued.

        Fails with:
            Unavailable: The store does not answer.
        """
        return await self._list(ListApiKeys(owner=owner), context)

    async def revoke(self, key_id: str, *, context: Context = NOBODY) -> Outcome[ApiKey]:
        """Let the key with *key_id* be refused from now on; again does nothing.

        Fails with:
            NotFound: There is no key with this id.

            Unavailable: The store does not answer.
        """
        return await self._revoke(RevokeApiKey(key_id), context)
