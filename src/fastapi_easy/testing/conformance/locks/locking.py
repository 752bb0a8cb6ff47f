"""Cases about locks on top of a lease store, as programs use them."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from returns.result import Success

from fastapi_easy.application.locks.lock_manager import LockManager
from fastapi_easy.domain.locks.lease import LockCapability
from fastapi_easy.domain.locks.lock_errors import LeaseLost, LockDeadlock, LockTimeout
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.testing.conformance.locks.lease_suite import LeaseStores, LeaseSuite, eventually, is_free

TTL = 0.75
"""Seconds of a lease that is to be renewed or lost within the test."""


MANY = 20
"""Leases of one process that are renewed together."""


class LockManagerCases(LeaseSuite):
    """Cases about a `LockManager` on top of the store."""

    @pytest_asyncio.fixture
    async def process(self, stores: LeaseStores) -> AsyncIterator[Callable[[int], LockManager]]:
        """Return a function from the number of a process to its locks."""
        managers: dict[int, LockManager] = {}

        def number(index: int) -> LockManager:
            if index not in managers:
                managers[index] = LockManager(stores.store_at(index), SystemClock())
            return managers[index]

        yield number
        for each in managers.values():
            await each.aclose()

    async def test_only_one_is_inside_and_nobody_is_forgotten(
        self, process: Callable[[int], LockManager], lock: str
    ) -> None:
        inside, most, done = 0, 0, 0

        async def work(number: int) -> None:
            nonlocal inside, most, done
            for _ in range(5):
                async with process(number % 3).hold(lock, wait=30):
                    inside += 1
                    most = max(most, inside)
                    await asyncio.sleep(0.001)
                    inside -= 1
                    done += 1

        _ = await asyncio.gather(*(work(number) for number in range(8)))

        assert (most, done) == (1, 40)

    async def test_who_asks_once_is_told_who_has_it(
        self, process: Callable[[int], LockManager], lock: str
    ) -> None:
        async with process(0).hold(lock) as lease:
            with pytest.raises(LockTimeout) as refused:
                async with process(1).hold(lock, wait=0):
                    pass

        assert refused.value.name == lock
        assert refused.value.holder is None or refused.value.holder.startswith(lease.owner)

    async def test_who_waits_long_enough_gets_it(
        self, process: Callable[[int], LockManager], lock: str
    ) -> None:
        order: list[str] = []

        async def wait() -> None:
            async with process(1).hold(lock, wait=10):
                order.append("second")

        async with process(0).hold(lock):
            task = asyncio.ensure_future(wait())
            await asyncio.sleep(0.2)
            order.append("first")
        await task

        assert order == ["first", "second"]

    async def test_it_is_renewed_while_its_block_runs_and_so_are_many_others(
        self, process: Callable[[int], LockManager], stores: LeaseStores, lock: str
    ) -> None:
        names = [lock, *(f"{lock}:{each}" for each in range(MANY - 1))]
        async with contextlib.AsyncExitStack() as stack:
            leases = [await stack.enter_async_context(process(0).hold(each, ttl=TTL)) for each in names]
            await asyncio.sleep(TTL * 1.5)
            for each in leases:
                each.check()
                assert each.remaining > 0
            listed = (await stores.overview.inspect(lock)).unwrap()
            assert {each.name: each.token for each in listed} == {each.name: each.token for each in leases}
            assert not await is_free(stores.remote, lock)
        assert [each.remaining for each in leases] == [0] * MANY

    async def test_it_ends_at_its_limit_though_its_block_goes_on(
        self, process: Callable[[int], LockManager], lock: str
    ) -> None:
        async with (
            process(0).hold(lock, ttl=60, max_hold=0.2, on_lost="event") as lease,
            process(1).hold(lock, wait=30),
        ):
            assert lease.lost.is_set()
            with pytest.raises(LeaseLost, match="max_hold"):
                lease.check()

    async def test_what_a_block_raises_comes_out_and_the_lock_is_free(
        self, process: Callable[[int], LockManager], stores: LeaseStores, lock: str
    ) -> None:
        with pytest.raises(ZeroDivisionError):
            async with process(0).hold(lock):
                _ = 1 / 0

        assert await is_free(stores.remote, lock)

    async def test_a_block_whose_lease_was_taken_is_cancelled(
        self, process: Callable[[int], LockManager], stores: LeaseStores, lock: str
    ) -> None:
        stores.require(LockCapability.EVICTABLE)
        ended: list[str] = []

        async def work() -> None:
            async with process(0).hold(lock, ttl=TTL) as lease:
                assert await process(1).evict(lock, token=lease.token, reason="test") == Success(True)
                try:
                    await asyncio.sleep(10)
                except asyncio.CancelledError:
                    ended.append("cancelled")
                    raise

        with pytest.raises(LeaseLost) as lost:
            await work()

        task = asyncio.current_task()
        assert (ended, lost.value.name) == (["cancelled"], lock)
        assert task is not None
        assert task.cancelling() == 0

    async def test_callers_who_give_up_leave_nothing_behind(
        self, process: Callable[[int], LockManager], stores: LeaseStores, lock: str
    ) -> None:
        async def use(number: int) -> None:
            async with process(number % 2).hold(lock, wait=5):
                await asyncio.sleep(0.002)

        for number in range(40):
            task = asyncio.ensure_future(use(number))
            other = asyncio.ensure_future(use(number + 1))
            await asyncio.sleep(random.uniform(0, 0.008))  # noqa: S311 (chance is the point)
            _ = task.cancel()
            _ = await asyncio.gather(task, other, return_exceptions=True)

        async def is_left_alone() -> bool:
            return await is_free(stores.remote, lock)

        await eventually(is_left_alone, 2.0)
        async with process(2).hold(lock, wait=1):
            pass

    async def test_they_get_it_in_the_order_in_which_they_came(
        self, process: Callable[[int], LockManager], stores: LeaseStores, lock: str
    ) -> None:
        stores.require(LockCapability.FIFO)
        came: list[int] = []

        async def wait(number: int) -> None:
            async with process(1 + number % 3).hold(lock, wait=20):
                came.append(number)

        async with process(0).hold(lock):
            tasks = []
            for number in range(6):
                tasks.append(asyncio.ensure_future(wait(number)))
                await eventually(lambda number=number: _are_waiting(stores, lock, number + 1))  # type: ignore[misc]
        _ = await asyncio.gather(*tasks)

        assert came == list(range(6))

    async def test_a_deadlock_is_detected_and_one_waiter_continues(
        self, process: Callable[[int], LockManager], stores: LeaseStores, lock: str
    ) -> None:
        stores.require(LockCapability.DEADLOCK)

        async def work(number: int, first: str, second: str) -> str:
            async with process(number).hold(first):
                await asyncio.sleep(0.2)
                async with process(number).hold(second):
                    return "done"

        begun = asyncio.get_running_loop().time()
        answers = await asyncio.gather(
            work(0, f"{lock}:a", f"{lock}:b"), work(1, f"{lock}:b", f"{lock}:a"), return_exceptions=True
        )

        assert sorted(type(each).__name__ for each in answers) == [LockDeadlock.__name__, "str"]
        assert asyncio.get_running_loop().time() - begun < 4

    async def test_several_names_are_held_together_whatever_their_order(
        self, process: Callable[[int], LockManager], lock: str
    ) -> None:
        first, second = f"{lock}:a", f"{lock}:b"

        async def use(number: int, *names: str) -> None:
            for _ in range(5):
                async with process(number).hold(*names, wait=20) as lease:
                    assert lease.names == (first, second)
                    assert set(lease.tokens) == {first, second}

        _ = await asyncio.gather(use(0, first, second), use(1, second, first), use(2, second, first))

    async def test_all_that_is_held_is_given_back_when_the_program_ends(
        self, process: Callable[[int], LockManager], stores: LeaseStores, lock: str
    ) -> None:
        manager = LockManager(stores.store_at(3), SystemClock())
        scope = manager.hold(lock, on_lost="event")
        lease = await scope.__aenter__()

        await manager.aclose()

        assert lease.lost.is_set()
        assert await is_free(stores.remote, lock)
        await scope.__aexit__(None, None, None)
        await manager.aclose()


async def _are_waiting(stores: LeaseStores, lock: str, count: int) -> bool:
    listed = (await stores.remote.inspect(lock)).unwrap()
    return any(len(each.waiters) == count for each in listed)
