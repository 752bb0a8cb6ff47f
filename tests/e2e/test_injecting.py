"""What users of dependency-injector expect of a container: wiring, and resources of their own."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, Self

import pytest
from dependency_injector import providers
from fastapi import FastAPI

from fastapi_easy.bootstrap import create_app, mount_resources, open_kernel
from fastapi_easy.container import Container
from fastapi_easy.domain import DeclarationError
from fastapi_easy.domain.ports.unit_of_work import innermost
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase
from fastapi_easy.infrastructure.persistence.memory.repository import MemoryRepository
from fastapi_easy.testing import FailingRepository, in_memory
from tests.e2e import wired
from tests.e2e.overriding import MEMORY, Shop
from tests.e2e.serving import client_of
from tests.e2e.wired import Kitchen, WiredKitchen


@pytest.fixture
def kitchen() -> Iterator[Any]:
    made = in_memory(Kitchen, config={"spice": "cumin"})
    made.wire(modules=[wired])
    yield made
    made.unwire()


@pytest.mark.parametrize("asked", [wired.by_name, wired.by_reference], ids=["name", "reference"])
def test_functions_are_given_what_they_name(kitchen: Any, asked: Any) -> None:
    repository, work, database, menu = getattr(wired, asked.__name__)()

    assert isinstance(repository, MemoryRepository)
    assert innermost(work()).database is kitchen.databases.house()
    assert database is kitchen.databases.house()
    assert isinstance(menu["recipes"], MemoryRepository)


def test_they_are_given_options_and_the_container_too(kitchen: Any) -> None:
    assert wired.what_is_within() == (30.0, "cumin", kitchen)
    assert wired.clock is kitchen.clock()


@pytest.mark.parametrize("asked", [wired.by_name, wired.by_reference], ids=["name", "reference"])
def test_they_follow_overrides(kitchen: Any, asked: Any) -> None:
    with kitchen.recipes.repository.override(providers.Factory(FailingRepository)):
        during, *_ = getattr(wired, asked.__name__)()
    after, *_ = getattr(wired, asked.__name__)()

    assert isinstance(during, FailingRepository)
    assert isinstance(after, MemoryRepository)


async def test_routes_are_given_what_they_name(kitchen: Any) -> None:
    app = FastAPI()
    app.include_router(wired.router)
    mount_resources(app, kitchen)

    async with client_of(app) as client:
        await client.post("/recipes", json={"title": "Soup"})
        answer = await client.get("/titles")

    assert answer.json() == ["Soup"]


def test_a_container_wires_the_modules_it_names_by_itself() -> None:
    made = in_memory(WiredKitchen, config={"spice": "sumac"})
    try:
        given = wired.what_is_within()
        repository, *_ = wired.by_reference()
    finally:
        made.unwire()

    assert given[1:] == ("sumac", made)
    assert isinstance(repository, MemoryRepository)


async def test_a_resource_that_is_declared_in_a_file_is_given_too() -> None:
    memos = {"memos": {"entity": f"{wired.__name__}:Recipe", "database": "attic"}}
    made = in_memory(WiredKitchen, config={"resources": memos, "databases": {"attic": {}}})
    try:
        given = await wired.declared_in_a_file()
        repository, *_ = wired.by_reference()
    finally:
        made.unwire()

    assert isinstance(given, MemoryRepository)
    assert isinstance(repository, MemoryRepository)


# Resources of a user's own.


class Journal:
    """What was opened and closed, in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)


class Lamp:
    """A context manager."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal

    def __enter__(self) -> Self:
        self.journal.note("lamp on")
        return self

    def __exit__(self, *_: object) -> None:
        self.journal.note("lamp off")


def a_door(journal: Journal) -> Iterator[str]:
    journal.note("door open")
    yield "door"
    journal.note("door closed")


async def a_well(journal: Journal, door: str) -> AsyncIterator[str]:
    await asyncio.sleep(0)
    journal.note(f"well open behind the {door}")
    yield "well"
    await asyncio.sleep(0)
    journal.note("well closed")


async def a_fire(journal: Journal) -> str:
    journal.note("fire lit")
    return "fire"


def house(journal: Journal) -> Any:
    class House(Shop):
        log = providers.Object(journal)
        fire = providers.Resource(a_fire, log)
        lamp = providers.Resource(Lamp, log)
        # Stands before what it is made from, and not next to it.
        well = providers.Resource(
            a_well, log, providers.Singleton("{}".format, providers.Resource(a_door, log))
        )
        bucket = providers.Factory(dict, lamp=lamp)

    return House


OPENED = ["fire lit", "lamp on", "door open", "well open behind the door"]
CLOSED = ["well closed", "door closed", "lamp off"]


async def test_they_are_opened_at_start_and_closed_in_reverse() -> None:
    journal = Journal()
    made = house(journal)(settings=MEMORY)

    async with open_kernel(made):
        during = list(journal.lines)
        given = (
            made.lamp().journal,
            await made.well(),
            await made.fire(),
            made.bucket()["lamp"] is made.lamp(),
        )

    assert during == OPENED
    assert journal.lines == [*OPENED, *CLOSED]
    assert given == (journal, "well", "fire", True)


async def test_they_are_open_while_an_application_is_served() -> None:
    journal = Journal()
    app = create_app(house(journal)(settings=MEMORY))
    before = list(journal.lines)

    async with client_of(app) as client:
        assert (await client.get("/health/live")).status_code == 200
        during = list(journal.lines)

    assert (before, during, journal.lines) == ([], OPENED, [*OPENED, *CLOSED])


async def test_one_that_is_open_already_is_not_opened_again() -> None:
    journal = Journal()
    made = house(journal)(settings=MEMORY)
    lamp = made.lamp()

    async with open_kernel(made):
        same = made.lamp() is lamp

    assert same
    assert journal.lines.count("lamp on") == 1
    assert journal.lines[-1] == "lamp off"


async def test_an_application_that_is_started_again_opens_them_again() -> None:
    journal = Journal()
    made = house(journal)(settings=MEMORY)

    for _ in range(2):
        async with open_kernel(made):
            pass

    assert journal.lines == [*OPENED, *CLOSED] * 2


async def test_each_is_closed_even_when_another_fails_to() -> None:
    journal = Journal()

    async def stubborn() -> AsyncIterator[str]:
        yield "stuck"
        raise OSError("it does not close")

    class House(house(journal)):  # type: ignore[misc]
        stuck = providers.Resource(stubborn)

    with pytest.raises(OSError, match="it does not close"):
        async with open_kernel(House(settings=MEMORY)):
            pass

    assert journal.lines == [*OPENED, *CLOSED]


async def test_those_that_are_open_are_closed_when_the_next_cannot_be_opened() -> None:
    journal = Journal()

    async def broken() -> str:
        raise OSError("it does not open")

    class House(house(journal)):  # type: ignore[misc]
        missing = providers.Resource(broken)

    with pytest.raises(OSError, match="it does not open"):
        async with open_kernel(House(settings=MEMORY)):
            pass

    assert journal.lines == [*OPENED, *CLOSED]


async def test_one_that_a_port_is_made_from_is_closed_when_the_start_fails() -> None:
    journal = Journal()

    class House(Shop):
        log = providers.Object(journal)
        observer = providers.Singleton(Lamp, providers.Resource(Lamp, log))

    class Unopened(MemoryDatabase):
        async def open(self) -> None:
            raise OSError("no such place")

    made: Any = House(settings=MEMORY)
    made.databases.default.override(Unopened())
    _ = made.observer()

    with pytest.raises(OSError, match="no such place"):
        async with open_kernel(made):
            pass

    assert journal.lines == ["lamp on", "lamp off"]


@pytest.mark.parametrize("name", ["clock", "event_bus", "settings", "steps"])
def test_a_port_that_would_be_awaitable_is_refused(name: str) -> None:
    journal = providers.Object(Journal())
    own = type(
        "Own", (Container,), {name: providers.Singleton(dict, fire=providers.Resource(a_fire, journal))}
    )

    with pytest.raises(DeclarationError, match=f"{name}: depends on an asynchronous Resource"):
        own()
