"""Tasks that wait for what others hold, themselves among them."""

import asyncio
import time

import pytest

from fastapi_easy.domain import (
    LockDeadlock,
)
from tests.unit.application.locks.wired import is_free, work


async def test_asking_for_what_the_task_itself_holds_is_a_deadlock(locks):
    async with locks.hold("x"):
        with pytest.raises(LockDeadlock) as refused:
            await work(locks, "x", "y")

    assert refused.value.cycle == ("x",)


async def test_a_child_task_that_would_wait_for_its_parent_is_a_deadlock(locks):
    async with locks.hold("x"):
        with pytest.raises(LockDeadlock):
            await asyncio.create_task(work(locks, "x"))


async def test_siblings_wait_for_each_other(locks):
    async with locks.hold("parent"):
        answers = await asyncio.gather(*(work(locks, "x", seconds=0.01) for _ in range(3)))

    assert answers == ["done"] * 3


async def test_a_child_task_may_hold_what_its_parent_has_released(locks):
    async with locks.hold("x"):
        gate = asyncio.Event()

        async def later():
            await gate.wait()
            return await work(locks, "x", seconds=0)

        child = asyncio.create_task(later())
    gate.set()

    assert await child == "done"


async def test_a_task_may_be_given_the_same_lease_again(locks, others):
    async with locks.hold("x", "y") as outer:
        async with locks.hold("y", "x", reentrant=True) as inner:
            assert inner is outer
        outer.check()
        assert not await is_free(others, "x")
        with pytest.raises(LockDeadlock):
            await work(locks, "x", reentrant=True)
    assert await is_free(others, "x")


async def test_a_deadlock_of_three_ends_with_the_youngest(locks, others):
    ends = {}

    async def hold_both(number, manager, first, second, delay):
        async with manager.hold(first):
            await asyncio.sleep(0.1 + delay)
            try:
                async with manager.hold(second):
                    ends[number] = "done"
            except LockDeadlock as refused:
                ends[number] = refused.cycle

    begun = time.monotonic()
    _ = await asyncio.gather(
        hold_both(1, locks, "a", "b", 0.00),
        hold_both(2, others, "b", "c", 0.02),
        hold_both(3, locks, "c", "a", 0.04),
    )

    assert ends == {1: "done", 2: "done", 3: ("a", "b", "c")}
    # Without an end to the circle they would wait for ever.
    assert time.monotonic() - begun < 60


async def test_a_name_is_kept_alive_while_the_next_is_waited_for(locks, others):
    async with others.hold("b"):
        task = asyncio.ensure_future(work(locks, "a", "b", ttl=1.2, seconds=0))
        await asyncio.sleep(1.6)
        assert [each.name for each in (await others.inspect("a")).unwrap()] == ["a"]
    assert await task == "done"


async def test_an_unfair_request_may_jump_the_queue(locks, others):
    came = []

    async def wait(name, **terms):
        async with others.hold("x", **terms):
            came.append(name)

    async with locks.hold("x"):
        patient = asyncio.ensure_future(wait("patient"))
        await asyncio.sleep(0.6)
        rude = asyncio.ensure_future(wait("rude", fair=False))
        await asyncio.sleep(0.03)
    _ = await asyncio.gather(patient, rude)

    assert sorted(came) == ["patient", "rude"]
