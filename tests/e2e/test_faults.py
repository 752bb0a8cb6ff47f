"""What callers are told when the wire to a database fails at a chosen moment, and that nothing is left behind."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from returns.result import Failure, Success

from fastapi_easy.application import Context, CreateEntity, ListEntities
from fastapi_easy.bootstrap import create_app
from fastapi_easy.domain import DeadlineExceeded, Query, Unavailable, UnavailableReason
from fastapi_easy.domain.locks.lease import Acquired, Busy
from fastapi_easy.domain.ports import CircuitState
from fastapi_easy.infrastructure.locks.redis import RedisLeaseStore
from fastapi_easy.settings import DatabaseSettings, Settings
from tests.e2e.outage import DocumentPost, Post
from tests.e2e.serving import client_of
from tests.services.wanted import empty_database
from tests.wire import Wire, wired

COMMITS = {"postgres": b"COMMIT", "mariadb": b"COMMIT", "mongo": b"commitTransaction"}


@pytest.fixture(scope="module", params=["postgres", "mariadb", "mongo"])
def store(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def far(store: str) -> AsyncIterator[tuple[Any, httpx2.AsyncClient, Wire]]:
    """An application at the end of a wire, a client of it, and the wire."""
    post: Any = DocumentPost if store == "mongo" else Post
    with empty_database(store) as url:
        async with wired(url) as (address, wire):
            settings = Settings(databases={"default": DatabaseSettings.model_validate({"url": address})})
            shop = post(settings=settings)
            async with client_of(create_app(shop)) as client:
                assert (await client.post("/parcels", json={"name": "first"})).status_code == 201
                yield shop, client, wire
                # What was given up while its connection was being made ends by itself.
                for _ in range(3000):
                    if not shop.databases.default().pool.in_use:
                        break
                    await asyncio.sleep(0.01)
                pool = shop.databases.default().pool
                assert (pool.in_use, pool.waiting) == (0, 0)


async def names(client: httpx2.AsyncClient) -> list[str]:
    answer = await client.get("/parcels")
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in answer.json()["items"]]


async def create(client: httpx2.AsyncClient, name: str) -> tuple[int, str, str | None]:
    answer = await client.post("/parcels", json={"name": name})
    return answer.status_code, answer.json().get("code", ""), answer.headers.get("retry-after")


async def test_a_reset_is_not_noticed_by_anybody(far):
    _, client, wire = far
    for number in range(3):
        wire.reset()
        assert await names(client) == ["first"] + ["more"] * number
        wire.reset()
        # The news has to travel: a write that is sent before it is there may have been carried out.
        await asyncio.sleep(0.05)
        assert await create(client, "more") == (201, "", None)


async def test_a_slow_wire_is_slow_and_nothing_else(far):
    _, client, wire = far
    wire.latency = 0.05
    begun = time.monotonic()

    assert await create(client, "late") == (201, "", None)
    assert await names(client) == ["first", "late"]
    assert time.monotonic() - begun > 0.2


async def test_a_lost_answer_to_a_write_is_an_unknown_outcome_with_the_row_stored(far):
    _, client, wire = far
    wire.cut_at = b"perhaps"

    assert await create(client, "perhaps") == (503, "outcome_unknown", None)

    wire.cut_at, wire.is_cut = None, False
    assert await names(client) == ["first", "perhaps"]


async def test_a_lost_answer_to_a_commit_is_an_unknown_outcome_although_committed(far, store):
    _, client, wire = far
    wire.cut_at = COMMITS[store]
    first = (await client.get("/parcels")).json()["items"][0]["id"]
    both = [{"create": {"name": "second"}}, {"delete": {"key": first}}]

    answer = await client.post("/parcels/bulk", json={"items": both, "atomic": True})

    assert answer.json()["code"] == "outcome_unknown", answer.text
    wire.cut_at, wire.is_cut = None, False
    assert await names(client) == ["second"]


async def test_what_breaks_off_in_the_middle_of_an_answer_is_made_again(far):
    _, client, wire = far
    for number in range(5):
        assert await create(client, f"{number}" * 40) == (201, "", None)
    wire.reset()
    # Enough to be greeted, not enough for the page; the second attempt finds the wire mended.
    wire.cut_after = 700
    asking = asyncio.ensure_future(client.get("/parcels"))
    for _ in range(1000):
        await asyncio.sleep(0.001)
        if wire.is_cut or asking.done():
            break
    wire.cut_after, wire.is_cut = None, False

    assert (await asking).status_code == 200


async def test_a_deadline_bounds_every_wait(far):
    shop, _, wire = far
    parcels = shop.kernel().use_cases("parcels")
    wire.is_black = True
    begun = time.monotonic()

    outcomes = await asyncio.gather(
        *(
            parcels.list(ListEntities(Query()), Context(deadline=shop.clock().monotonic() + 0.3))
            for _ in range(20)
        )
    )

    assert outcomes == [Failure(DeadlineExceeded("default"))] * 20
    assert time.monotonic() - begun < 60
    wire.is_black = False


async def test_an_isolated_database_is_not_asked_until_it_is_reset(far):
    shop, client, wire = far
    breaker = shop.breakers.default()
    taken = wire.taken
    breaker.isolate()
    wire.reset()
    await asyncio.sleep(0.05)

    assert (await create(client, "no"))[:2] == (503, "unavailable")
    outcome = await shop.kernel().use_cases("parcels").create(CreateEntity({"name": "no"}), Context())
    assert outcome.failure().reason is UnavailableReason.CIRCUIT_OPEN
    assert wire.taken - taken <= 2  # MongoDB's driver looks after itself
    health = (await client.get("/health/ready")).json()
    assert health["dependencies"]["default"]["breaker"]["state"] == "isolated"

    breaker.reset()
    assert await create(client, "yes") == (201, "", None)
    assert breaker.circuit.state is CircuitState.CLOSED
    assert await shop.databases.default().check() == Success(None)


async def test_locks_in_redis_fail_in_time_and_work_again():
    with empty_database("redis") as url:
        async with wired(url) as (address, wire):
            store = RedisLeaseStore(address)
            try:
                assert isinstance((await store.try_acquire("invoice", "me", 30)).unwrap(), Acquired)
                begun = time.monotonic()
                wire.is_black = True
                assert await store.try_acquire("invoice", "other", 30) == Failure(Unavailable(store.name))
                wire.refuse()
                assert await store.try_acquire("invoice", "other", 30) == Failure(Unavailable(store.name))
                assert time.monotonic() - begun < 60

                wire.is_black = False
                await wire.listen()
                assert isinstance((await store.try_acquire("invoice", "other", 30)).unwrap(), Busy)
            finally:
                await store.close()
