"""Issue an API key."""

import datetime
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from returns.result import Failure, Success

from fastapi_easy.application.context import Context
from fastapi_easy.domain.authentication.api_key import MAX_TEXT, ApiKey
from fastapi_easy.domain.authentication.api_key_text import generate_key
from fastapi_easy.domain.authentication.events import ApiKeyCreated
from fastapi_easy.domain.errors import AlreadyExists, Fault, Invalid, Outcome
from fastapi_easy.domain.ports.api_key_store import ApiKeyStore
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.event_bus import EventBus
from fastapi_easy.domain.principal import Tenant

FindScopeMistake: TypeAlias = Callable[[str], str | None]
"""Returns what is wrong with a scope, a sentence that suggests another one; `None` when nothing is."""

_ATTEMPTS: Final = 3
"""To find an id that is free, of more than 10 ** 14."""

_SCOPE: Final = re.compile(r"\*|(\*|[\w.-]+):(\*|[\w.-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateApiKey:
    """Issue a key with which its holder calls as the principal *owner*.

    Attributes:
        owner: The id of the principal.

        label: What it is for, for people.

        roles: Of the principal.

        tenant: The partition that the principal belongs to.

        scopes: The only permissions that it may be used for, like `books:read`; `None` for all that the roles permit.

        lifetime: From now on; `None` for a key that does not expire.
    """

    owner: str
    label: str = ""
    roles: frozenset[str] = frozenset()
    tenant: Tenant | None = None
    scopes: frozenset[str] | None = None
    lifetime: datetime.timedelta | None = None


@dataclass(frozen=True, slots=True)
class IssuedApiKey:
    """A key that was issued.

    Attributes:
        text: The key itself, which nobody can read again.

        key: What is stored of it.
    """

    text: str = field(repr=False)
    key: ApiKey


class CreateApiKeyHandler:
    """Carries out `CreateApiKey`.

    Args:
        store: Where keys are kept.

        clock: Says when they are issued.

        events: Are told of each.

        find_scope_mistake: Returns what is wrong with a scope of the right form; without it none is.
    """

    def __init__(
        self,
        store: ApiKeyStore,
        clock: Clock,
        events: EventBus,
        find_scope_mistake: FindScopeMistake = lambda _: None,
    ) -> None:
        self._find_scope_mistake = find_scope_mistake
        self._store = store
        self._clock = clock
        self._events = events

    async def __call__(self, command: CreateApiKey, context: Context, /) -> Outcome[IssuedApiKey]:
        """Return the key, and publish `ApiKeyCreated`.

        Fails with:
            Invalid: A text is empty or too long, a scope is no pattern of permissions or permits nothing that there
                is, or the lifetime is over.

            Unavailable: The store does not answer.
        """
        if faults := (*_faults_of(command), *self._faults_of_scopes(command.scopes or ())):
            return Failure(Invalid(faults))
        now = self._clock.now()
        stored = await self._store_new(command, now.replace(microsecond=0))
        if isinstance(stored, Failure):
            return stored
        key = stored.unwrap().key
        created = ApiKeyCreated(
            key=key.id,
            owner=key.owner,
            expires_at=key.expires_at,
            tenant=key.tenant,
            actor=context.principal.id,
            correlation_id=context.correlation_id,
            occurred_at=now,
        )
        await self._events.publish([created])
        return stored

    def _faults_of_scopes(self, scopes: Iterable[str]) -> Iterator[Fault]:
        for each in sorted(scopes):
            if not _SCOPE.fullmatch(each):
                yield Fault(
                    "/scopes", "Must be like books:read, books:*, *:read or *", "string_pattern_mismatch"
                )
            elif mistake := self._find_scope_mistake(each):
                yield Fault("/scopes", mistake, "unknown_scope")

    async def _store_new(self, command: CreateApiKey, at: datetime.datetime) -> Outcome[IssuedApiKey]:
        attempt = 1
        while True:
            generated = generate_key()
            key = ApiKey(
                id=generated.id,
                digest=generated.digest,
                owner=command.owner,
                label=command.label,
                roles=command.roles,
                tenant=command.tenant,
                scopes=command.scopes,
                created_at=at,
                expires_at=None if command.lifetime is None else at + command.lifetime,
            )
            added = await self._store.add(key)
            if not isinstance(added, Failure):
                return Success(IssuedApiKey(generated.text, key))
            if attempt == _ATTEMPTS or not isinstance(added.failure(), AlreadyExists):
                return added
            attempt += 1


def _faults_of(command: CreateApiKey) -> Iterator[Fault]:
    if not command.owner:
        yield Fault("/owner", "Must name a principal", "string_too_short")
    texts = {"owner": command.owner, "label": command.label, "tenant": command.tenant or ""}
    for name, text in texts.items():
        if len(text) > MAX_TEXT:
            yield Fault(f"/{name}", f"Must have at most {MAX_TEXT} characters", "string_too_long")
        if not text.isprintable():
            yield Fault(f"/{name}", "Must have printable characters only", "string_not_printable")
    if command.lifetime is not None and command.lifetime <= datetime.timedelta(0):
        yield Fault("/lifetime", "Must not be empty", "greater_than")
