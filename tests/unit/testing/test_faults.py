"""Repositories that have a bad day."""

import inspect
import time

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain.errors import NotFound, Unavailable
from fastapi_easy.domain.ports.repository import Repository, StreamBroken
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Everything
from fastapi_easy.infrastructure.persistence.memory import MemoryDatabase, MemoryRepository, MemoryUnitOfWork
from fastapi_easy.testing import FailingRepository, RecordingEventBus, SlowRepository, resource_from
from fastapi_easy.testing.conformance import SEATS

SEAT = resource_from(SEATS, "seats", dict)
CONVERSIONS = {"entity_from", "values_of"}
METHODS = [
    name
    for name, member in inspect.getmembers(Repository, inspect.isfunction)
    if not name.startswith("_") and name not in CONVERSIONS
]


@pytest.mark.parametrize("made", [FailingRepository(), SlowRepository(FailingRepository(), 0)])
def test_is_a_repository(made):
    assert isinstance(made, Repository)


@pytest.mark.parametrize("name", [name for name in METHODS if name != "stream"])
async def test_every_method_fails_with_the_same_error(name):
    method = getattr(FailingRepository(error=NotFound("seats", 1)), name)
    parameters = inspect.signature(method).parameters.values()
    arguments = [None for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]
    named = {each.name: 1 for each in parameters if each.kind is each.KEYWORD_ONLY}

    assert await method(*arguments, **named) == Failure(NotFound("seats", 1))


async def test_a_stream_breaks():
    with pytest.raises(StreamBroken):
        _ = [row async for rows in FailingRepository().stream(Query()) for row in rows]


@pytest.mark.parametrize(
    ("made", "error"),
    [
        (FailingRepository(), Unavailable("repository")),
        (FailingRepository(SEAT, MemoryDatabase(), connection=None), Unavailable("repository")),
        (FailingRepository(NotFound("seats", 1)), NotFound("seats", 1)),
        (FailingRepository(SEAT, error=NotFound("seats", 2)), NotFound("seats", 2)),
    ],
)
async def test_takes_whatever_a_repository_is_made_from(made, error):
    assert await made.count(Everything()) == Failure(error)


async def test_a_slow_repository_answers_as_the_inner_one_does():
    slow = SlowRepository(MemoryRepository(SEAT, MemoryDatabase()), 0.01)

    before = time.monotonic()
    added = await slow.add({"hall": "a", "number": 1})

    assert time.monotonic() - before >= 0.01
    assert added == await slow.read(("a", 1))
    assert [row async for rows in slow.stream(Query()) for row in rows] == [added.unwrap()]


async def test_stand_ins_work_inside_a_unit_of_work():
    database = MemoryDatabase("default")
    inner = MemoryRepository(SEAT, database)
    resources = {"seats": SEAT}

    async with MemoryUnitOfWork(
        database, resources, {"seats": lambda: SlowRepository(inner, 0)}, RecordingEventBus()
    ) as work:
        _ = await work.repository("seats").add({"hall": "a", "number": 1})
        inside = await work.repository("seats").count(Everything())
    async with MemoryUnitOfWork(
        database, resources, {"seats": FailingRepository}, RecordingEventBus()
    ) as work:
        failed = await work.repository("seats").count(Everything())

    assert (inside, failed) == (Success(1), Failure(Unavailable("repository")))
    assert await inner.count(Everything()) == Success(0)
