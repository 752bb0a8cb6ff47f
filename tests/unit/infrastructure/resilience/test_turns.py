"""Turns: in order, one at a time, and none is lost."""

import asyncio

import pytest

from fastapi_easy.domain.ports.breaker import CallNotPermitted
from fastapi_easy.infrastructure.resilience.turns import Turns

LONG = 3600.0


async def queued(turns: Turns, count: int) -> list[asyncio.Task[None]]:
    """So many callers who wait, in their order."""
    waiting = []
    for _ in range(count):
        waiting.append(asyncio.create_task(turns.take()))
        await asyncio.sleep(0)
    return waiting


async def test_callers_take_turns_in_the_order_in_which_they_came() -> None:
    turns = Turns(LONG)
    await turns.take()
    waiting = await queued(turns, 5)

    served = []
    for _ in range(5):
        turns.give_back()
        await asyncio.sleep(0)
        served.append([each.done() for each in waiting].count(True))

    assert served == [1, 2, 3, 4, 5]
    assert [each.done() for each in waiting] == [True] * 5


async def test_nobody_overtakes_those_who_wait() -> None:
    turns = Turns(LONG)
    await turns.take()
    (first,) = await queued(turns, 1)

    turns.give_back()
    (late,) = await queued(turns, 1)

    assert (first.done(), late.done()) == (True, False)
    turns.give_back()
    await late


async def test_a_turn_is_free_again_after_the_last_caller() -> None:
    turns = Turns(LONG)

    for _ in range(3):
        await turns.take()
        turns.give_back()

    assert len(turns.waiters) == 0


@pytest.mark.parametrize("is_served", [False, True])
async def test_a_cancelled_caller_leaves_its_turn_to_the_next(is_served: bool) -> None:
    turns = Turns(LONG)
    await turns.take()
    first, second = await queued(turns, 2)

    if is_served:
        turns.give_back()
    _ = first.cancel()
    _ = await asyncio.gather(first, return_exceptions=True)
    if not is_served:
        turns.give_back()

    async with asyncio.timeout(5):
        await second
    assert first.cancelled()


async def test_a_caller_who_waits_for_too_long_takes_no_turn() -> None:
    turns = Turns(0.01)
    await turns.take()

    with pytest.raises(TimeoutError):
        await turns.take()

    turns.give_back()
    await turns.take()


async def test_a_caller_who_would_wait_for_too_long_is_rejected_at_once() -> None:
    turns = Turns(0.0)
    await turns.take()
    (first,) = await queued(turns, 1)

    with pytest.raises(CallNotPermitted):
        await turns.take()

    assert turns.waiters.shed == 1
    _ = await asyncio.gather(first, return_exceptions=True)
