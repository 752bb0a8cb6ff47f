"""A primary goes and its standby takes over: no write is lost or doubled, and writes find the new one by themselves."""

import asyncio

import pytest

from tests.faults.failover import AFTERWARDS, Change, change_under_load, paired
from tests.services.service import Unavailable
from tests.services.wanted import required
from tests.thorough import only_when_thorough


@pytest.mark.parametrize(
    ("driver", "how"),
    [
        ("asyncpg", "killed"),
        *(
            pytest.param(*case, marks=only_when_thorough)
            for case in (("psycopg", "killed"), ("asyncpg", "read-only"), ("psycopg", "read-only"))
        ),
    ],
)
async def test_writes_reach_the_new_primary_and_none_is_lost_or_doubled(driver: str, how: Change) -> None:
    try:
        servers = paired()
        with servers as pair:
            async with asyncio.timeout(120):
                load = await change_under_load(pair, driver, how, breaker={"pause": 0.2, "longest_pause": 1})
            lost, doubled = load.oracle(pair.standby.url)
    except Unavailable as reason:
        if required():
            raise
        pytest.skip(str(reason))

    assert (lost, doubled) == (set(), set())
    assert load.afterwards >= AFTERWARDS
    assert {status for status, _ in load.answers} <= {201, 503}
