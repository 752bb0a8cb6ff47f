"""A probe that gives up on how a stored schema stands leaves no client behind."""

import asyncio

from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.composition.schemas.standings import read_standings
from fastapi_easy.testing.conformance.locks.lease_suite import eventually
from tests.faults.outages.parcels import post_at
from tests.services.wanted import empty_database
from tests.wire import wired

LIMITS = [0.05 * number for number in range(1, 6)]
"""Seconds after which it is given up: while it connects, asks, and closes again."""


async def test_the_client_of_a_probe_that_has_given_up_is_closed() -> None:
    with empty_database("mongo") as address:
        async with wired(address) as (url, wire):
            shop = post_at(url)
            async with open_kernel(shop) as kernel:
                _ = (await kernel.parcels.create(name="a")).unwrap()
                _ = await read_standings(shop)
                before = clients()

                wire.latency = 0.02
                given_up = 0
                for limit in LIMITS:
                    try:
                        async with asyncio.timeout(limit):
                            _ = await read_standings(shop)
                    except TimeoutError:
                        given_up += 1
                wire.latency = 0.0

                async def is_closed() -> bool:
                    return clients() <= before

                await eventually(is_closed, 30)
                assert given_up > 0
                assert before > 0


def clients() -> int:
    """How many tasks of the driver there are: each open client has some that watch over its server."""
    return sum("PeriodicExecutor" in repr(each.get_coro()) for each in asyncio.all_tasks())
