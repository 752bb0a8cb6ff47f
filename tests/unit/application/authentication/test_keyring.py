"""Keys are issued, listed and revoked, and nobody is told their secrets."""

import datetime
from typing import Any

import pytest
from returns.result import Failure, Success

from fastapi_easy.application.authentication.keys.keyring import Keyring
from fastapi_easy.application.context import Context
from fastapi_easy.domain.authentication.api_key_text import parse_key
from fastapi_easy.domain.authentication.events import ApiKeyCreated, ApiKeyRevoked
from fastapi_easy.domain.errors import Invalid, NotFound
from fastapi_easy.domain.principal import Principal
from fastapi_easy.infrastructure.authentication.api_keys.memory import MemoryApiKeyStore
from fastapi_easy.testing import FrozenClock, RecordingEventBus

ADMIN = Context(principal=Principal(id="ada"), correlation_id="c1")


@pytest.fixture
def events() -> RecordingEventBus:
    return RecordingEventBus()


@pytest.fixture
def keyring(events: RecordingEventBus) -> Keyring:
    return Keyring(MemoryApiKeyStore(), FrozenClock(), events)


async def test_only_the_issued_key_holds_the_secret(keyring: Keyring, events: RecordingEventBus) -> None:
    issued = (await keyring.create("user:42", label="export", context=ADMIN)).unwrap()

    key = parse_key(issued.text)
    assert key is not None
    assert key.id == issued.key.id
    secret = issued.text.split("_")[2]
    listed = (await keyring.list()).unwrap()
    assert secret not in repr([issued, listed, events.events])
    assert key.digest not in repr([issued, listed, events.events])


async def test_events_tell_who_issued_and_revoked_a_key(keyring: Keyring, events: RecordingEventBus) -> None:
    issued = (await keyring.create("user:42", tenant="acme", context=ADMIN)).unwrap()
    for _ in range(2):
        _ = await keyring.revoke(issued.key.id, context=ADMIN)

    created, revoked = events.events
    assert isinstance(created, ApiKeyCreated)
    assert isinstance(revoked, ApiKeyRevoked)
    assert [each.name for each in (created, revoked)] == ["api_key.created", "api_key.revoked"]
    assert {
        (each.key, each.owner, each.actor, each.tenant, each.correlation_id) for each in (created, revoked)
    } == {(issued.key.id, "user:42", "ada", "acme", "c1")}


async def test_a_revoked_key_is_still_listed(keyring: Keyring) -> None:
    issued = (await keyring.create("user:42")).unwrap()

    revoked = (await keyring.revoke(issued.key.id)).unwrap()

    assert revoked.revoked_at is not None
    assert (await keyring.list("user:42")).unwrap() == [revoked]
    assert (await keyring.list("user:43")) == Success([])


async def test_a_key_that_does_not_exist_cannot_be_revoked(
    keyring: Keyring, events: RecordingEventBus
) -> None:
    assert await keyring.revoke("unknown1") == Failure(NotFound("fe_api_keys", "unknown1"))
    assert events.events == []


@pytest.mark.parametrize("scope", ["*", "books:read", "books:*", "*:read", "my-books.v2:cancel_order"])
async def test_scopes_are_patterns_of_permissions(keyring: Keyring, scope: str) -> None:
    issued = (await keyring.create("user:42", scopes=[scope])).unwrap()

    assert issued.key.scopes == frozenset({scope})


@pytest.mark.parametrize(
    ("pointer", "options"),
    [
        ("/owner", {"owner": ""}),
        ("/owner", {"owner": "x" * 256}),
        ("/owner", {"owner": "a\nb"}),
        ("/label", {"label": "x" * 256}),
        ("/tenant", {"tenant": "x" * 256}),
        ("/scopes", {"scopes": ["books"]}),
        ("/scopes", {"scopes": ["books:read", "books: read"]}),
        ("/scopes", {"scopes": [""]}),
        ("/lifetime", {"lifetime": datetime.timedelta(0)}),
    ],
)
async def test_a_key_that_makes_no_sense_is_refused(
    keyring: Keyring, pointer: str, options: dict[str, Any]
) -> None:
    refused = await keyring.create(**{"owner": "user:42", **options})

    assert isinstance(refused, Failure)
    error = refused.failure()
    assert isinstance(error, Invalid)
    assert {each.pointer for each in error.faults} == {pointer}
    assert (await keyring.list()) == Success([])
