"""What a unit of work says about resources it cannot change."""

import datetime

import pytest

from fastapi_easy.domain.changes.events import EntityDeleted
from fastapi_easy.domain.changes.lazy_sequence import Deferred
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.infrastructure.events.in_process import InProcessEventBus
from fastapi_easy.infrastructure.persistence.memory import MemoryDatabase, MemoryRepository, MemoryUnitOfWork
from fastapi_easy.testing import RecordingEventBus, resource_from
from fastapi_easy.testing.conformance import NOTES

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def work_on_default(*resources, bus=None):
    database = MemoryDatabase()
    return MemoryUnitOfWork(
        database,
        {each.name: each for each in resources},
        {each.name: lambda each=each: MemoryRepository(each, database) for each in resources},
        RecordingEventBus() if bus is None else bus,
    )


def events(*keys):
    return [EntityDeleted(resource="notes", key=key, occurred_at=NOW) for key in keys]


def test_a_resource_of_another_database_is_refused_with_where_it_lives():
    visits = resource_from(NOTES, "visits", dict, database="traffic")

    with pytest.raises(DeclarationError) as refused:
        work_on_default(visits).repository("visits")

    assert refused.value.mistakes == (
        "'visits' lives in database 'traffic', this unit of work in 'default'; use one for each",
    )


def test_a_resource_that_nobody_declared_is_refused_with_what_to_do():
    with pytest.raises(DeclarationError) as refused:
        work_on_default(resource_from(NOTES, "notes", dict)).repository("visits")

    assert refused.value.mistakes == (
        "'visits' is no resource of this application; declare it in the container",
    )


async def test_many_events_are_published_in_the_order_in_which_all_were_recorded():
    bus = RecordingEventBus()
    first, second, third, fourth = events(1, 2, 3, 4)

    async with work_on_default(bus=bus) as work:
        work.record_all([first])
        work.record(second)
        work.record_all((third,))
        work.record(fourth)
        assert work.events == (first, second, third, fourth)
        _ = await work.commit()
        assert work.events == ()

    assert bus.events == [first, second, third, fourth]


async def test_what_a_caller_recorded_stays_the_callers():
    mine = events(1)
    async with work_on_default() as work:
        work.record_all(mine)
        work.record(events(2)[0])

    assert len(mine) == 1


async def test_events_that_nobody_wants_are_not_made():
    made = []

    def make():
        made.extend(events(1, 2))
        return made

    unheard, heard = InProcessEventBus(), RecordingEventBus()
    async with work_on_default(bus=unheard) as work:
        work.record_all(Deferred(2, make))
        _ = await work.commit()
    assert made == []

    async with work_on_default(bus=heard) as work:
        work.record_all(Deferred(2, make))
        _ = await work.commit()
    assert heard.events == made
    assert len(made) == 2


async def test_events_of_work_that_is_left_are_forgotten():
    bus = RecordingEventBus()
    work = work_on_default(bus=bus)
    async with work:
        work.record_all(events(1))
    _ = await work.commit()

    assert bus.events == []
