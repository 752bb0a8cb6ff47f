"""Cases about calls that are cancelled at random moments, many times."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import pytest
from returns.result import Failure

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import Outcome, Unavailable
from fastapi_easy.domain.ports.repository import StreamBroken
from fastapi_easy.domain.queries.aggregation import Aggregation, Function, Measure
from fastapi_easy.domain.queries.page import Count, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything, Operator, Where
from fastapi_easy.domain.resources.capability import Capability
from fastapi_easy.testing.conformance.store import Store, Suite, add_one, add_rows, value_of

CONCURRENT_CALLS: Final = 6
"""Concurrent callers; more than one, so that they compete for connections."""

TIMEOUT: Final = 10.0
"""Seconds after which a cancelled call must have ended on the server too."""

_ADJUSTMENT: Final = 1.25
"""Factor by which the longest wait before a cancellation is adjusted after each call."""

BATCH: Final = 5
"""Entities that each unit of work adds to each of two resources, all or none."""


class CancellationCases(Suite):
    """Cases about cancelled calls and units of work, which leave no connection, no lock and no partial write behind.

    The option `--cancellations` sets their number.
    """

    @pytest.fixture
    def cancellations(self, request: pytest.FixtureRequest) -> int:
        """Return how many calls are cancelled in each case."""
        return int(request.config.getoption("--cancellations"))

    async def test_cancelled_calls_leak_no_connection(self, store: Store, cancellations: int) -> None:
        await add_rows(store.notes, ({"title": str(number), "rank": number % 7} for number in range(50)))
        keys = [row.id async for rows in store.notes.stream(Query(fields=("id",))) for row in rows]

        await _cancel_at_random(_calls(store, keys), cancellations)

        await _assert_nothing_left(store)
        whole = value_of(await store.notes.count(Where("title", Operator.EQUALS, "many")))
        assert whole % BATCH == 0, "add_all was committed partially"

    async def test_cancelled_units_of_work_are_atomic(self, store: Store, cancellations: int) -> None:
        store.require(Capability.TRANSACTIONS)
        shared = await add_one(store.notes, title="shared")

        async def work(number: int) -> None:
            async with store.unit_of_work() as work:
                notes = work.repository("notes")
                for rank in range(BATCH):
                    outcome: Outcome[object] = await notes.add({"title": str(number), "rank": rank})
                    if isinstance(outcome, Failure):
                        return
                # A moment to be cancelled between two calls, while the connection is idle.
                await asyncio.sleep(0.002)
                outcome = await work.repository("tokens").add_all([{"label": str(number)}] * BATCH)
                if isinstance(outcome, Failure):
                    return
                outcome = await notes.update(shared.id, Patch({"remark": str(number)}))
                if not isinstance(outcome, Failure):
                    _ = await work.commit()

        await _cancel_at_random([work], cancellations)

        await _assert_nothing_left(store)
        notes = [row.title async for rows in store.notes.stream(Query(fields=("title",))) for row in rows]
        tokens = [row.label async for rows in store.tokens.stream(Query(fields=("label",))) for row in rows]
        notes.remove("shared")
        done = set(notes) | set(tokens)
        assert {each: (notes.count(each), tokens.count(each)) for each in done} == dict.fromkeys(
            done, (BATCH, BATCH)
        )


def _calls(store: Store, keys: Sequence[object]) -> list[Callable[[int], Awaitable[object]]]:
    """Return one call of each kind; *number* makes their values differ."""
    notes, seventh = store.notes, Where("rank", Operator.EQUALS, 3)
    query = Query(specification=seventh, page=PageRequest(limit=5, count=Count.EXACT))

    async def streamed(_: int) -> object:
        try:
            return [row async for rows in notes.stream(Query(), chunk=5) for row in rows]
        except StreamBroken as broken:
            return Failure(Unavailable(broken.dependency))

    return [
        lambda number: notes.read(keys[number % len(keys)]),
        lambda _: notes.select(query),
        lambda _: store.entities("notes").find_all(query),
        lambda _: notes.count(seventh),
        lambda _: notes.aggregate(Aggregation(measures=(Measure(Function.SUM, "rank"),), group_by=("done",))),
        lambda _: store.books.select_each(store.relation("authors.books"), [(1,), (2,)], Query()),
        streamed,
        lambda number: notes.add({"title": f"one {number}"}),
        lambda _: notes.add_all([{"title": "many"}] * BATCH),
        lambda number: notes.update(keys[number % len(keys)], Patch({"rank": number})),
        lambda number: notes.update_where(seventh, Patch({"body": str(number)}), max_affected=1000),
        lambda number: notes.remove(10**9 + number),
    ]


async def _cancel_at_random(calls: Sequence[Callable[[int], Awaitable[object]]], times: int) -> None:
    """Run the calls, several concurrently, and cancel each at a random moment."""
    seed = random.randrange(2**32)  # noqa: S311
    chance = random.Random(seed)  # noqa: S311
    numbers = iter(range(times))
    # The longest wait before each kind of call is cancelled. It converges to a value at which half of the calls
    # end before their cancellation, whatever the speed of the store: so cancellations hit every phase of a call.
    longest = dict.fromkeys(range(len(calls)), 0.005)

    async def give_up() -> None:
        for number in numbers:
            which = number % len(calls)
            task = asyncio.ensure_future(_await_call(calls[which], number))
            await _sleep_randomly(chance, longest[which])
            was_running = task.cancel()
            _ = await asyncio.wait([task], timeout=TIMEOUT)
            assert task.done(), f"a call did not end when it was cancelled; seed {seed}"
            longest[which] *= _ADJUSTMENT if task.cancelled() else 1 / _ADJUSTMENT
            if not task.cancelled():
                answer = task.result()
                # A slow server may fail any call, but a cancellation must not be turned into a failure.
                assert not (was_running and isinstance(answer, Failure)), f"{answer}; seed {seed}"

    async with asyncio.TaskGroup() as group:
        for _ in range(CONCURRENT_CALLS):
            _ = group.create_task(give_up())


async def _await_call(call: Callable[[int], Awaitable[object]], number: int) -> object:
    return await call(number)


async def _sleep_randomly(chance: random.Random, longest: float) -> None:
    """Sleep for a few turns of the event loop, or for a random part of *longest*."""
    if chance.random() < 0.2:
        for _ in range(chance.randrange(12)):
            await asyncio.sleep(0)
        return
    await asyncio.sleep(chance.uniform(0, longest))


async def _assert_nothing_left(store: Store) -> None:
    async with asyncio.timeout(TIMEOUT):
        while (pool := store.database.pool) is not None and pool.in_use > 0:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        # A row lock that a cancelled call left behind would make this wait and fail.
        changed = await store.notes.update_where(Everything(), Patch({"done": True}), max_affected=10**6)
        added = await store.notes.add({"title": "afterwards"})
        _ = value_of(await store.notes.remove(value_of(added).id))
    assert not isinstance(changed, Failure)
