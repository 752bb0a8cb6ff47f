"""Several tasks that use one unit of work of a caller: what answers success is committed, recorded and published."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from fastapi_easy.domain import DomainEvent, Everything, Success
from fastapi_easy.domain.changes.change import BeforeCreate
from fastapi_easy.domain.ports import UnitOfWork, UnitOfWorkMisuse
from tests.e2e.recorded_shop import ADA, OUTBOX, TRAIL, Shop, TwoRows, book, recorded


@pytest_asyncio.fixture(params=["memory", "sqlite"])
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    async with recorded(request.param, tmp_path, journal=TwoRows()) as opened:
        yield opened


async def count(shop: Shop) -> int:
    counted: int = (await shop.container.books.repository().count(Everything())).unwrap()
    return counted


async def add(work: UnitOfWork) -> Any:
    return await work.repository("books").add(book())


async def save(work: UnitOfWork) -> Any:
    books = work.entities("books")
    return await books.save(books._resource.entity(**book()))


async def add_many(work: UnitOfWork) -> Any:
    return await work.repository("books").add_all([book()])


async def add_as_system(work: UnitOfWork) -> Any:
    return await work.as_system().repository("books").add(book())


WRITES = (add, save, add_many, add_as_system)


async def test_what_tasks_wrote_at_once_is_committed_recorded_and_published(shop: Shop) -> None:
    published: list[DomainEvent] = []

    async def keep(event: DomainEvent) -> None:
        published.append(event)

    shop.container.event_bus().subscribe(DomainEvent, keep)
    async with shop.container.unit_of_work(ADA) as work:
        answers = await asyncio.gather(*(write(work) for write in WRITES * 3), return_exceptions=True)
        _ = (await work.commit()).unwrap()

    successes = sum(isinstance(each, Success) for each in answers)
    kept = [len(await shop.kept(table)) for table in (OUTBOX, TRAIL)]
    assert [await count(shop), len(published), *kept] == [successes] * 4
    assert {type(each) for each in answers if not isinstance(each, Success)} <= {UnitOfWorkMisuse}


async def test_a_commit_in_the_middle_of_a_change_is_refused_and_may_be_made_afterwards(shop: Shop) -> None:
    is_waiting, may_go_on = asyncio.Event(), asyncio.Event()

    async def wait(_: BeforeCreate) -> None:
        is_waiting.set()
        _ = await may_go_on.wait()

    shop.container.event_bus().subscribe(BeforeCreate, wait)
    async with shop.container.unit_of_work(ADA) as work:
        adding = asyncio.create_task(add(work))
        _ = await is_waiting.wait()
        with pytest.raises(UnitOfWorkMisuse, match="open a unit of work for each task"):
            _ = await work.commit()
        may_go_on.set()
        _ = (await adding).unwrap()
        _ = (await work.commit()).unwrap()

    assert (await count(shop), len(await shop.kept(OUTBOX))) == (1, 1)


async def test_a_handler_before_a_change_may_use_the_unit_of_work_in_a_task_of_its_own(shop: Shop) -> None:
    async def complete(change: BeforeCreate) -> None:
        if change.values["title"] == "Emma":
            beside = change.work.repository("books").add(book(title="Beside"))
            _ = (await asyncio.wait_for(beside, 30)).unwrap()

    shop.container.event_bus().subscribe(BeforeCreate, complete)
    async with shop.container.unit_of_work(ADA) as work:
        _ = (await add(work)).unwrap()
        _ = (await work.commit()).unwrap()

    assert await count(shop) == 2


async def add_in_task_group(shop: Shop) -> None:
    async with shop.container.unit_of_work(ADA) as work, asyncio.TaskGroup() as group:
        for _ in range(5):
            _ = group.create_task(add(work))


async def test_the_first_refusal_of_a_task_group_leaves_nothing_behind(tmp_path: Path) -> None:
    async with recorded("sqlite", tmp_path, journal=TwoRows()) as shop:
        with pytest.raises(BaseExceptionGroup) as raised:
            await add_in_task_group(shop)

        assert {type(each) for each in raised.value.exceptions} == {UnitOfWorkMisuse}
        assert await count(shop) == 0
        assert shop.database.pool.in_use == 0


async def test_a_refused_commit_publishes_later_what_was_recorded(tmp_path: Path) -> None:
    published: list[DomainEvent] = []

    async def keep(event: DomainEvent) -> None:
        published.append(event)

    async with recorded("sqlite", tmp_path) as shop:
        shop.container.event_bus().subscribe(DomainEvent, keep)
        async with shop.container.unit_of_work(ADA) as work:
            _ = (await add(work)).unwrap()
            reading = asyncio.ensure_future(work.repository("books").count(Everything()))
            await asyncio.sleep(0)
            with pytest.raises(UnitOfWorkMisuse):
                _ = await work.commit()
            _ = (await reading).unwrap()
            _ = (await work.commit()).unwrap()

        assert len(published) == 1
