"""Cases about several tasks that use one unit of work."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import pytest
from returns.result import Success

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork, UnitOfWorkMisuse
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything
from fastapi_easy.testing.conformance.store import Store, Suite, add_one, titles, value_of

_CALLS: Final[tuple[Callable[[UnitOfWork, int], Coroutine[Any, Any, Any]], ...]] = (
    lambda work, number: work.repository("notes").add({"title": f"new {number}"}),
    lambda work, number: work.repository("notes").add_all([{"title": f"new {number}"}] * 2),
    lambda work, _: work.repository("notes").count(Everything()),
    lambda work, number: work.entities("notes").find_by_id(number),
    lambda work, _: work.repository("notes").update_where(
        Everything(), Patch({"title": "x"}), max_affected=99
    ),
    lambda work, _: work.commit(),
)
"""Calls of a unit of work, each of which may meet each other one."""


class ExclusiveUseCases(Suite):
    """Cases about overlapping calls, as a part of `UnitOfWorkConformance`."""

    async def test_what_tasks_wrote_at_once_is_committed_or_was_refused(self, store: Store) -> None:
        async with store.unit_of_work() as work:
            notes = work.repository("notes")
            answers = await asyncio.gather(
                *(notes.add({"title": "a"}) for _ in range(10)),
                *(notes.add_all([{"title": "a"}]) for _ in range(10)),
                return_exceptions=True,
            )
            _ = value_of(await work.commit())

        successes = [each for each in answers if isinstance(each, Success)]
        others = [each for each in answers if not isinstance(each, Success)]
        assert len(successes) == await _count(store) > 0
        assert {type(each) for each in others} <= {UnitOfWorkMisuse}

    async def test_any_call_beside_any_other_is_refused_or_takes_its_turn(self, store: Store) -> None:
        for first in _CALLS:
            for second in _CALLS:
                await store.clear()
                async with store.unit_of_work() as work:
                    _ = await add_one(work.repository("notes"), title="before")
                    answers = await asyncio.gather(first(work, 1), second(work, 2), return_exceptions=True)
                    for each in answers:
                        if isinstance(each, BaseException) and not isinstance(each, UnitOfWorkMisuse):
                            raise each
                    written = value_of(await work.repository("notes").count(Everything()))
                    _ = value_of(await work.commit())

                assert await _count(store) == written > 0

        _check_no_connection_is_lost(store)

    async def test_leaving_waits_for_a_call_and_refuses_what_follows(self, store: Store) -> None:
        answers: list[object] = []

        async def go_on(work: UnitOfWork, begun: asyncio.Event) -> None:
            while True:
                begun.set()
                answers.append(await work.repository("notes").add({"title": "a"}))
                await asyncio.sleep(0)

        begun = asyncio.Event()
        async with store.unit_of_work() as work:
            task = asyncio.ensure_future(go_on(work, begun))
            _ = await begun.wait()
        async with asyncio.timeout(30):
            _ = await asyncio.wait([task])

        assert type(task.exception()) is UnitOfWorkMisuse
        assert {type(each) for each in answers} <= {Success}
        assert await _count(store) == 0
        _check_no_connection_is_lost(store)

    async def test_nothing_is_done_after_the_end(self, store: Store) -> None:
        async with store.unit_of_work() as begun:
            notes = begun.repository("notes")
            _ = await add_one(notes, title="a")
        async with store.unit_of_work() as unused:
            pass

        for call in (
            lambda: notes.add({"title": "b"}),
            lambda: notes.count(Everything()),
            lambda: begun.repository("notes").add({"title": "b"}),
            lambda: unused.repository("notes").add({"title": "b"}),
        ):
            with pytest.raises(UnitOfWorkMisuse):
                _ = await call()
        assert await _count(store) == 0
        _check_no_connection_is_lost(store)

    async def test_tasks_may_hand_it_on(self, store: Store) -> None:
        async with store.unit_of_work() as work:
            notes = work.repository("notes")
            for title in "abc":
                _ = await asyncio.create_task(add_one(notes, title=title))
            _ = value_of(await asyncio.wait_for(work.commit(), 30))

        assert await _count(store) == 3

    async def test_writes_go_on_while_a_stream_is_read(self, store: Store) -> None:
        async with store.unit_of_work() as work:
            notes = work.repository("notes")
            _ = value_of(await notes.add_all([{"title": "a"} for _ in range(5)]))
            seen = 0
            async for rows in notes.stream(Query(), chunk=2):
                for row in rows:
                    seen += row["title"] == "a"
                    _ = value_of(await notes.update(row["id"], Patch({"title": "b"})))
            _ = value_of(await work.commit())

        assert seen == 5
        assert titles(value_of(await store.notes.select(Query(page=PageRequest(limit=9)))).items) == ["b"] * 5


async def _count(store: Store) -> int:
    counted: int = value_of(await store.notes.count(Everything()))
    return counted


def _check_no_connection_is_lost(store: Store) -> None:
    pool = store.database.pool
    assert pool is None or pool.in_use == 0
