"""What callers and metrics are told of calls that others were in the way of."""

import pytest

from tests.faults.outages.conflicts import Told, lock_wait_timeout, serialization_conflict


@pytest.mark.parametrize("store", ["postgres", "mariadb"])
async def test_a_row_that_stays_locked_is_a_lock_wait_timeout_that_is_not_retried(store: str) -> None:
    told = await lock_wait_timeout(store)

    assert told == Told(503, "lock_wait_timeout", has_retry_after=True, retried=0, given_up=1)


@pytest.mark.parametrize("store", ["postgres", "mariadb", "mongo"])
async def test_a_change_at_the_same_time_is_a_serialization_conflict_that_is_retried(store: str) -> None:
    told = await serialization_conflict(store)

    assert told == Told(503, "serialization_conflict", has_retry_after=True, retried=2, given_up=1)
