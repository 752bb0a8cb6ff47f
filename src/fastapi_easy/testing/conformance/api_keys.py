"""What every store of API keys promises."""

import asyncio
import datetime
from dataclasses import replace
from typing import Any, Final

import pytest
from returns.result import Failure

from fastapi_easy.domain.authentication.api_key import ApiKey
from fastapi_easy.domain.authentication.api_key_text import generate_key
from fastapi_easy.domain.errors import AlreadyExists
from fastapi_easy.domain.ports.api_key_store import ApiKeyStore
from fastapi_easy.testing.conformance.store import value_of

_MOMENT: Final = datetime.datetime(2026, 3, 4, 5, 6, 7, tzinfo=datetime.UTC)


def _key(owner: str = "user:42", *, minutes: int = 0, **others: Any) -> ApiKey:
    generated = generate_key()
    created_at = _MOMENT + datetime.timedelta(minutes=minutes)
    return ApiKey(id=generated.id, digest=generated.digest, owner=owner, created_at=created_at, **others)


class ApiKeyStoreConformance:
    """The suite of `ApiKeyStore`: subclass it, and override `api_keys` with a fixture that returns an empty store."""

    @pytest.fixture
    def api_keys(self) -> ApiKeyStore:
        """The store under test."""
        raise NotImplementedError

    async def test_a_key_is_found_as_it_was_stored(self, api_keys: ApiKeyStore) -> None:
        """Also its times, its sets and what is absent."""
        full = _key(
            label="nightly export, Größe ≥ 1",
            roles=frozenset({"editor", "a'b"}),
            tenant="acme",
            scopes=frozenset({"books:read", "orders:*"}),
            expires_at=_MOMENT + datetime.timedelta(days=90),
            last_used_at=_MOMENT + datetime.timedelta(minutes=1),
        )
        bare = _key()
        useless = _key(scopes=frozenset())

        for each in (full, bare, useless):
            value_of(await api_keys.add(each))

        for each in (full, bare, useless):
            assert value_of(await api_keys.find_by_id(each.id)) == each

    async def test_ids_are_compared_byte_by_byte(self, api_keys: ApiKeyStore) -> None:
        """A key with the same letters in the other case is another key."""
        key = replace(_key(), id="abcdEFGH")
        value_of(await api_keys.add(key))

        assert value_of(await api_keys.find_by_id("ABCDefgh")) is None
        value_of(await api_keys.add(replace(_key(), id="ABCDefgh")))

    async def test_an_id_belongs_to_one_key(self, api_keys: ApiKeyStore) -> None:
        """The second one is refused, and changes nothing."""
        first = _key()
        value_of(await api_keys.add(first))

        second = await api_keys.add(replace(_key("user:43"), id=first.id))

        assert isinstance(second, Failure)
        assert isinstance(second.failure(), AlreadyExists)
        assert value_of(await api_keys.find_by_id(first.id)) == first

    async def test_keys_are_listed_in_the_order_in_which_they_were_issued(
        self, api_keys: ApiKeyStore
    ) -> None:
        """All of them, or those of one owner."""
        keys = [_key("b", minutes=3), _key("a", minutes=1), _key("b", minutes=2)]
        for each in keys:
            value_of(await api_keys.add(each))

        assert list(value_of(await api_keys.find_all())) == [keys[1], keys[2], keys[0]]
        assert list(value_of(await api_keys.find_all("b"))) == [keys[2], keys[0]]
        assert list(value_of(await api_keys.find_all("B"))) == []

    async def test_a_key_is_revoked_once(self, api_keys: ApiKeyStore) -> None:
        """The first moment stays, also when several revoke it at once."""
        key, other = _key(), _key()
        value_of(await api_keys.add(key))
        value_of(await api_keys.add(other))

        revoked = await asyncio.gather(*(api_keys.revoke(key.id, _MOMENT) for _ in range(3)))
        later = await api_keys.revoke(key.id, _MOMENT + datetime.timedelta(hours=1))

        assert sorted(value_of(each) for each in revoked) == [False, False, True]
        assert value_of(later) is False
        assert value_of(await api_keys.find_by_id(key.id)) == replace(key, revoked_at=_MOMENT)
        assert value_of(await api_keys.find_by_id(other.id)) == other
        assert value_of(await api_keys.revoke("unknown1", _MOMENT)) is False

    async def test_the_last_use_never_goes_back(self, api_keys: ApiKeyStore) -> None:
        """Whatever the order in which uses are noted."""
        key = _key()
        value_of(await api_keys.add(key))

        for minutes in (5, 9, 7):
            value_of(await api_keys.note_use(key.id, _MOMENT + datetime.timedelta(minutes=minutes)))
        value_of(await api_keys.note_use("unknown1", _MOMENT))

        last = _MOMENT + datetime.timedelta(minutes=9)
        assert value_of(await api_keys.find_by_id(key.id)) == replace(key, last_used_at=last)
