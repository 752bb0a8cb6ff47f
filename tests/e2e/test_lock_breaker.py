"""The breaker and the connections of the locks of an application: reported, isolated, replaced."""

import asyncio
import contextlib
import time
from typing import Any

import httpx2
import pytest
from dependency_injector import providers
from returns.result import Success

from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.domain import DeclarationError, LockUnavailable, UnavailableReason
from fastapi_easy.domain.ports import CircuitState
from fastapi_easy.infrastructure.persistence.memory import MemoryDatabase
from fastapi_easy.settings import Settings
from tests.e2e import lock_shop
from tests.e2e.lock_shop import Post
from tests.e2e.serving import client_of
from tests.services.wanted import empty_database
from tests.wire import wired


def settings_on(folder: Any, url: str | None = None, **others: Any) -> Settings:
    kept = others if url is None else {"locks": {"url": url}, **others}
    return Settings(databases={"default": {"url": f"sqlite:///{folder / 'shop.sqlite3'}"}}, **kept)


@contextlib.contextmanager
def the_shop(post: Any) -> Any:
    lock_shop.of_the_moment = post
    yield post
    lock_shop.of_the_moment = None


async def ready(client: httpx2.AsyncClient) -> Any:
    return (await client.get("/health/ready")).json()["dependencies"]


async def test_locks_are_reported_from_when_they_are_used(tmp_path):
    with (
        empty_database("postgres") as url,
        the_shop(Post(settings=settings_on(tmp_path, url, http={"metrics": True}))) as post,
    ):
        async with client_of(create_app(post)) as client:
            before = await ready(client)
            async with post.locks().hold("invoice:42"):
                reported = (await ready(client))["locks"]
                metrics = (await client.get("/metrics")).text.splitlines()

    assert "locks" not in before
    assert (reported["status"], reported["technology"]) == ("up", "locks in postgresql")
    assert (reported["pool"]["limit"], reported["pool"]["waiting"]) == (2, 0)
    assert reported["breaker"]["state"] == "closed"
    assert 'fastapi_easy_pool_limit{database="locks"} 2.0' in metrics
    assert 'fastapi_easy_breaker_state{database="locks",state="closed"} 1.0' in metrics
    assert 'fastapi_easy_locks_held{database="locks"} 1.0' in metrics
    assert 'fastapi_easy_locks_lost_total{database="locks"} 0.0' in metrics


async def test_locks_that_are_isolated_are_refused_and_those_that_are_held_are_kept(tmp_path):
    with empty_database("redis") as url, the_shop(Post(settings=settings_on(tmp_path, url))) as post:
        async with client_of(create_app(post)) as client:
            _ = await client.post("/parcels", json={})
            async with post.locks().hold("invoice:42", ttl=0.6) as lease:
                post.breakers.locks().isolate()
                refused = await client.post("/parcels/1/send", json={})
                await asyncio.sleep(1.0)
                lease.check()
                reported = (await ready(client))["locks"]
            post.breakers.locks().reset()
            sent = await client.post("/parcels/1/send", json={})

    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert int(refused.headers["retry-after"]) >= 1
    assert (reported["status"], reported["breaker"]["state"]) == ("up", "isolated")
    assert sent.is_success


@pytest.mark.parametrize("server", ["postgres", "mariadb", "redis", "mongo"])
async def test_an_outage_is_asked_about_rarely_and_costs_no_lease_that_outlives_it(server, tmp_path):
    with empty_database(server) as url:
        async with wired(url) as (address, wire):
            locks = {"url": address, "breaker": {"calls": 5, "pause": 1, "longest_pause": 1}}
            post: Any = Post(settings=settings_on(tmp_path, locks=locks))
            async with open_kernel(post), post.locks().hold("kept", ttl=60) as lease:
                token = lease.token
                wire.refuse()
                refused, causes = await asks_until(post, CircuitState.OPEN)
                late, reason = await asks_once(post)
                await asyncio.sleep(1.5)
                await wire.listen()
                back = time.monotonic()
                await asks_until(post, CircuitState.CLOSED)
                recovered = time.monotonic() - back
                # The watchdog has asked too, or does so now.
                assert (await lease.renew(), lease.token) == (Success(None), token)
                lease.check()

    print(f"\n{server}: open after {refused} refused, closed {recovered:.2f} s after it was back")
    assert causes[0] is UnavailableReason.NO_RESPONSE
    assert (late, reason) == (True, UnavailableReason.CIRCUIT_OPEN)


async def asks_once(post: Any) -> tuple[bool, UnavailableReason | None]:
    try:
        async with post.locks().hold("new", wait=0):
            return False, None
    except LockUnavailable as refused:
        return True, refused.error.reason


async def asks_until(post: Any, state: CircuitState) -> tuple[int, list[UnavailableReason | None]]:
    refused: list[UnavailableReason | None] = []
    async with asyncio.timeout(40):
        while post.breakers.locks().circuit.state is not state:
            is_refused, reason = await asks_once(post)
            refused += [reason] if is_refused else []
            await asyncio.sleep(0.05)
    return len(refused), refused


async def test_there_is_none_where_silence_cannot_come_from_a_distance(tmp_path):
    for url in (None, "memory://", f"file://{tmp_path / 'locks'}"):
        post: Any = Post(settings=settings_on(tmp_path, url))
        assert post.breakers.locks() is None
        assert "locks" not in post.every_breaker()


async def test_another_breaker_takes_its_place_from_the_next_call_on(tmp_path):
    with empty_database("redis") as url:
        post: Any = Post(settings=settings_on(tmp_path, url))
        async with open_kernel(post):
            post.breakers.locks().isolate()
            with post.breakers.locks.override(providers.Object(None)):
                assert await asks_once(post) == (False, None)
            assert await asks_once(post) == (True, UnavailableReason.CIRCUIT_OPEN)


def test_a_database_cannot_be_called_as_the_breaker_of_the_locks_is(tmp_path):
    with pytest.raises(DeclarationError, match="rename the database"):
        lock_shop.Confused(settings=settings_on(tmp_path))


def test_an_unknown_database_does_not_silently_keep_locks_in_memory(tmp_path):
    post: Any = Post(settings=settings_on(tmp_path))
    post.databases.default.override(providers.Object(OwnDatabase()))
    with pytest.raises(DeclarationError, match=r"OwnDatabase.*locks\.url"):
        create_app(post)

    said: Any = Post(settings=settings_on(tmp_path, "memory://"))
    said.databases.default.override(providers.Object(OwnDatabase()))
    create_app(said)


async def test_what_a_program_holds_is_free_when_it_has_ended(tmp_path):
    ending: Any = Post(settings=settings_on(tmp_path))
    other: Any = Post(settings=settings_on(tmp_path))
    async with open_kernel(other):
        async with open_kernel(ending):
            scope = ending.locks().hold("job", on_lost="event")
            lease = await scope.__aenter__()
        assert lease.lost.is_set()
        async with other.locks().hold("job", wait=0):
            pass
        await scope.__aexit__(None, None, None)


class OwnDatabase:
    """A database of a user's own, in memory."""

    def __init__(self) -> None:
        self._kept = MemoryDatabase()
        self.repository, self.unit_of_work = None, None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kept, name)
