"""API keys are verified, and remembered for a few seconds."""

import datetime
from dataclasses import replace
from typing import Any

import pytest
from returns.result import Failure, Success

from fastapi_easy.application.authentication.keys.keyring import Keyring
from fastapi_easy.domain.authentication.api_key import ApiKey
from fastapi_easy.domain.authentication.api_key_text import generate_key
from fastapi_easy.domain.errors import Outcome, Unauthenticated, Unavailable
from fastapi_easy.domain.ports.authenticator import CredentialPlace, Credentials
from fastapi_easy.domain.principal import Principal
from fastapi_easy.infrastructure.authentication.api_keys.authenticator import ApiKeyAuthenticator
from fastapi_easy.infrastructure.authentication.api_keys.cached_store import (
    MAX_KNOWN,
    MAX_UNKNOWN,
    CachedApiKeyStore,
)
from fastapi_easy.infrastructure.authentication.api_keys.memory import MemoryApiKeyStore
from fastapi_easy.infrastructure.events.in_process import InProcessEventBus
from fastapi_easy.testing import FrozenClock

SECONDS = 5.0


class CountingStore(MemoryApiKeyStore):
    """Counts what it is asked, and can be down."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.is_down = False

    async def find_by_id(self, key_id: str, /) -> Outcome[ApiKey | None]:
        self.asked.append(key_id)
        return Failure(Unavailable("default")) if self.is_down else await super().find_by_id(key_id)


class Shop:
    """Two processes above one store: one verifies keys, and another one revokes them."""

    def __init__(self) -> None:
        self.clock = FrozenClock()
        self.store = CountingStore()
        self.cached = CachedApiKeyStore(self.store, self.clock, SECONDS)
        self.authenticator = ApiKeyAuthenticator(self.cached, self.clock)
        self.here = Keyring(self.cached, self.clock, InProcessEventBus())
        self.elsewhere = Keyring(self.store, self.clock, InProcessEventBus())

    async def issue(self, **options: Any) -> tuple[str, ApiKey]:
        issued = (await self.elsewhere.create("user:42", **options)).unwrap()
        return issued.text, issued.key

    async def last_use_of(self, key: ApiKey) -> datetime.datetime | None:
        found = (await self.store.find_by_id(key.id)).unwrap()
        return None if found is None else found.last_used_at

    async def verify(
        self, text: str, place: CredentialPlace = CredentialPlace.BEARER
    ) -> Outcome[Principal | None]:
        return await self.authenticator.authenticate(Credentials(place, "", text))


@pytest.fixture
def shop() -> Shop:
    return Shop()


def is_refused(outcome: Outcome[Principal | None]) -> bool:
    return isinstance(outcome, Failure) and isinstance(outcome.failure(), Unauthenticated)


async def test_a_key_says_who_calls_with_which_roles_tenant_and_scopes(shop: Shop) -> None:
    text, key = await shop.issue(roles={"editor"}, tenant="acme", scopes={"books:read"})

    assert await shop.verify(text) == Success(
        Principal(
            id="user:42",
            roles=frozenset({"editor"}),
            tenant="acme",
            scopes=frozenset({"books:read"}),
            claims={"api_key": key.id},
        )
    )


async def test_another_bearer_is_left_to_others(shop: Shop) -> None:
    text, _ = await shop.issue()

    assert await shop.verify("eyJhbGciOiJIUzI1NiJ9.e30.x") == Success(None)
    assert await shop.verify(text, CredentialPlace.COOKIE) == Success(None)
    assert shop.store.asked == []


async def test_a_misspelled_key_is_refused_without_a_question_to_the_store(shop: Shop) -> None:
    text, _ = await shop.issue()

    assert is_refused(await shop.verify(text[:-1]))
    assert is_refused(await shop.verify("fek_"))
    assert shop.store.asked == []


async def test_a_key_with_the_id_of_another_is_refused(shop: Shop) -> None:
    _, key = await shop.issue()
    forged = generate_key()
    _ = await shop.store.add(replace(key, id=forged.id))

    assert is_refused(await shop.verify(forged.text))


async def test_a_key_is_refused_from_the_moment_at_which_it_expires(shop: Shop) -> None:
    text, _ = await shop.issue(lifetime=datetime.timedelta(seconds=60))

    shop.clock.advance(59)
    assert not is_refused(await shop.verify(text))
    shop.clock.advance(1)
    assert is_refused(await shop.verify(text))


async def test_a_key_that_this_process_revokes_is_refused_at_once(shop: Shop) -> None:
    text, key = await shop.issue()
    _ = await shop.verify(text)

    _ = await shop.here.revoke(key.id)

    assert is_refused(await shop.verify(text))


async def test_a_key_that_another_process_revokes_is_refused_once_it_is_not_remembered(shop: Shop) -> None:
    text, key = await shop.issue()
    _ = await shop.verify(text)
    _ = await shop.elsewhere.revoke(key.id)

    shop.clock.advance(SECONDS - 0.1)
    assert not is_refused(await shop.verify(text))
    shop.clock.advance(0.1)
    assert is_refused(await shop.verify(text))


async def test_the_store_is_asked_once_about_a_busy_key_and_about_an_unknown_one(shop: Shop) -> None:
    text, key = await shop.issue()
    unknown = generate_key()

    for _ in range(3):
        _ = await shop.verify(text)
        assert is_refused(await shop.verify(unknown.text))

    assert shop.store.asked == [key.id, unknown.id]


async def test_what_is_remembered_is_bounded(shop: Shop) -> None:
    for _ in range(MAX_UNKNOWN + 1):
        _ = await shop.cached.find_by_id(generate_key().id)
    first = shop.store.asked[0]
    _ = await shop.cached.find_by_id(shop.store.asked[-1])
    assert len(shop.store.asked) == MAX_UNKNOWN + 1

    _ = await shop.cached.find_by_id(first)

    assert len(shop.store.asked) == MAX_UNKNOWN + 2
    assert MAX_UNKNOWN < MAX_KNOWN


async def test_a_store_that_is_down_is_no_refusal_and_is_not_remembered(shop: Shop) -> None:
    text, _ = await shop.issue()
    shop.store.is_down = True
    assert await shop.verify(text) == Failure(Unavailable("default"))

    shop.store.is_down = False

    assert isinstance(await shop.verify(text), Success)


async def test_the_use_of_a_key_is_written_once_a_minute(shop: Shop) -> None:
    text, key = await shop.issue()
    start = shop.clock.now()

    for _ in range(3):
        _ = await shop.verify(text)
        shop.clock.advance(20)
    await shop.cached.aclose()
    assert await shop.last_use_of(key) == start

    _ = await shop.verify(text)
    await shop.cached.aclose()
    assert await shop.last_use_of(key) == start + datetime.timedelta(seconds=60)
