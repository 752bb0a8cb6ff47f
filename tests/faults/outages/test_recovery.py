"""A database that is back is used again, however long its circuit breaker would have been open."""

import asyncio

import pytest

from fastapi_easy.bootstrap import create_app
from fastapi_easy.testing.conformance.locks.lease_suite import eventually
from tests.e2e.serving import client_of
from tests.faults.outages.parcels import post_at
from tests.services.wanted import empty_database
from tests.thorough import only_when_thorough
from tests.wire import wired

NEVER = 600
"""Seconds of a pause that nobody waits for in a test."""

LIMIT = 60


@pytest.mark.parametrize("store", ["postgres", pytest.param("mongo", marks=only_when_thorough)])
async def test_a_pause_ends_when_the_database_answers_again(store: str) -> None:
    before = set(asyncio.all_tasks())
    breaker = {"calls": 2, "pause": NEVER, "longest_pause": NEVER}
    with empty_database(store) as address:
        async with wired(address) as (url, wire):
            shop = post_at(url, breaker=breaker, connect_timeout=1.0)
            async with client_of(create_app(shop)) as client:
                made = await client.post("/parcels", json={"name": "a"})
                wire.refuse()

                async def is_open() -> bool:
                    _ = await client.get("/parcels")
                    return bool(shop.breakers.default().circuit.state == "open")

                await eventually(is_open, LIMIT)
                refused = await client.get("/parcels")
                await wire.listen()

                async def is_answered() -> bool:
                    return (await client.get("/parcels")).status_code == 200

                await eventually(is_answered, LIMIT)
                state = shop.breakers.default().circuit.state

    assert (made.status_code, refused.status_code, state) == (201, 503, "closed")
    await asyncio.sleep(0)
    assert [each for each in asyncio.all_tasks() - before if not each.done()] == []
