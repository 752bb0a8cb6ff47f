"""Cases about concurrent calls and cancelled callers."""

import asyncio
from collections.abc import Awaitable

from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.changes.version import version_of
from fastapi_easy.domain.errors import AlreadyExists, NotFound, Outcome, Stale
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything
from fastapi_easy.testing.conformance.store import (
    Store,
    Suite,
    add_one,
    add_titles,
    run_concurrently,
    value_of,
)

CALLERS = 12


class ConcurrencyCases(Suite):
    """Cases about concurrent and cancelled calls."""

    async def test_of_many_who_add_the_same_value_one_succeeds(self, store: Store) -> None:
        outcomes = await run_concurrently(CALLERS, lambda _: store.notes.add({"title": "a", "code": "same"}))

        assert sum(type(each) is Success for each in outcomes) == 1
        assert outcomes.count(Failure(AlreadyExists("notes", ("code",)))) == CALLERS - 1

    async def test_of_many_who_change_the_same_version_one_succeeds(self, store: Store) -> None:
        added = await add_one(store.notes, title="a", rank=0)
        version = version_of(added, store.resources["notes"].readable)

        outcomes = await run_concurrently(
            CALLERS,
            lambda number: store.notes.update(
                added.id, Patch({"rank": number + 1}), expected_version=version
            ),
        )

        current = version_of(value_of(await store.notes.read(added.id)), store.resources["notes"].readable)
        assert sum(type(each) is Success for each in outcomes) == 1
        assert outcomes.count(Failure(Stale("notes", added.id, current))) == CALLERS - 1

    async def test_of_many_who_remove_the_same_entity_one_succeeds(self, store: Store) -> None:
        added = await add_one(store.notes, title="a")

        outcomes = await run_concurrently(CALLERS, lambda _: store.notes.remove(added.id))

        assert outcomes.count(Success(None)) == 1
        assert outcomes.count(Failure(NotFound("notes", added.id))) == CALLERS - 1

    async def test_many_who_change_different_fields_lose_nothing(self, store: Store) -> None:
        added = await add_one(store.notes, title="a")
        patches = [Patch({"rank": 1}), Patch({"remark": "r"}), Patch({"body": "b"}), Patch({"done": True})]

        outcomes = await run_concurrently(
            CALLERS, lambda number: store.notes.update(added.id, patches[number % len(patches)])
        )

        assert all(type(each) is Success for each in outcomes)
        read = value_of(await store.notes.read(added.id))
        assert (read.rank, read.remark, read.body, read.done) == (1, "r", "b", True)

    async def test_many_who_add_get_keys_of_their_own(self, store: Store) -> None:
        rows = [
            value_of(each)
            for each in await run_concurrently(
                CALLERS, lambda number: store.notes.add({"title": str(number)})
            )
        ]

        assert len({row.id for row in rows}) == CALLERS
        assert [row.title for row in rows] == [str(number) for number in range(CALLERS)]

    async def test_many_reads_at_once_are_answered(self, store: Store) -> None:
        await add_titles(store, "abc")

        outcomes = await run_concurrently(
            CALLERS, lambda _: store.notes.select(Query(page=PageRequest(limit=2)))
        )

        assert [len(value_of(each).items) for each in outcomes] == [2] * CALLERS

    async def test_many_units_of_work_that_read_before_they_write_all_commit(self, store: Store) -> None:
        async def add(number: int) -> Outcome[None]:
            async with store.unit_of_work() as work:
                notes = work.repository("notes")
                _ = value_of(await notes.count(Everything()))
                await asyncio.sleep(0.002)
                _ = await add_one(notes, title=str(number))
                return await work.commit()

        outcomes = await run_concurrently(CALLERS, add)

        assert outcomes == [Success(None)] * CALLERS
        assert await store.notes.count(Everything()) == Success(CALLERS)

    async def test_cancelled_calls_leave_the_store_usable(self, store: Store) -> None:
        many = [{"title": "a", "body": "b" * 100} for _ in range(200)]

        for moment in range(20):
            await _cancel_after(store.notes.add_all(many), after=moment * 0.001)
            await _cancel_after(store.notes.select(Query(page=PageRequest(limit=100))), after=moment * 0.0002)

        assert value_of(await store.notes.count(Everything())) % len(many) == 0
        assert type(await store.notes.add({"title": "b"})) is Success


async def _cancel_after(call: Awaitable[object], *, after: float) -> None:
    async def waited() -> None:
        _ = await call

    task = asyncio.ensure_future(waited())
    _ = await asyncio.wait([task], timeout=after)
    _ = task.cancel()
    _ = await asyncio.wait([task])
    if not task.cancelled():
        task.result()
