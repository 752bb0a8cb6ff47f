"""A store that another package brings: its classes, its URL and its units of work, as if it were one of ours."""

import importlib
import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dependency_injector import providers

from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.composition.leases import open_session_locks
from fastapi_easy.composition.technologies import technology_of
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import DeclarationError, Failure, Unsupported
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase
from fastapi_easy.infrastructure.technologies.registry import _BUILT_IN, _load
from fastapi_easy.settings import Settings
from tests.e2e.serving import client_of

SHELF = '''
"""A shelf: a store of its own, built on the one in memory."""

import dataclasses

from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.ports import Technology
from fastapi_easy.domain.resources.resource import Shape
from fastapi_easy.infrastructure.locks.memory import MemoryLeaseStore
from fastapi_easy.infrastructure.persistence.memory import MemoryDatabase, MemoryRepository, MemoryUnitOfWork


def shelved(entity):
    """Mark a class: its members are texts, and the store counts its entities."""
    entity.__shelf__ = tuple(entity.__annotations__)
    return entity


class ShelfDatabase(MemoryDatabase):
    technology = "shelf"

    def __init__(self, request):
        super().__init__(request.name)
        self.request = request


def recognises(entity):
    return hasattr(entity, "__shelf__")


def describe(entity):
    texts = [Field(name=name, kind=Kind.TEXT, max_length=30) for name in entity.__shelf__ if name != "number"]
    number = Field(name="number", kind=Kind.INTEGER, generated=True)
    return Shape(fields=(number, *texts), key=("number",))


TECHNOLOGY = Technology(
    name="shelf",
    recognises=recognises,
    describe=describe,
    schemes=("shelf",),
    is_embedded=lambda url: url == "shelf:here",
    open=ShelfDatabase,
    database=ShelfDatabase,
    repository=MemoryRepository,
    unit_of_work=MemoryUnitOfWork,
    leases=lambda database, clock: MemoryLeaseStore(clock, database=database.name),
)


def racked(entity):
    """Mark a class that is kept in a database others know as well."""
    entity.__rack__ = True
    entity.__shelf__ = tuple(entity.__annotations__)
    return entity


class RackDatabase(ShelfDatabase):
    technology = "rack"


RACK = dataclasses.replace(
    TECHNOLOGY,
    name="rack",
    recognises=lambda entity: hasattr(entity, "__rack__"),
    schemes=("sqlite", "rack"),
    is_exclusive=True,
    open=RackDatabase,
    database=RackDatabase,
)
NOTHING = "not a technology"
'''


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The package, as if it were installed."""
    install(tmp_path, rack="shelf_store:RACK", shelf="shelf_store:TECHNOLOGY")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("shelf_store")
    del sys.modules["shelf_store"]


def install(folder: Path, **entries: str) -> None:
    (folder / "shelf_store.py").write_text(SHELF)
    about = folder / "shelf_store-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: shelf-store\nVersion: 1.0\n")
    lines = [f"{name} = {value}" for name, value in entries.items()]
    (about / "entry_points.txt").write_text("\n".join(["[fastapi_easy.technologies]", *lines, ""]))


def at(url: str, **others: str) -> Settings:
    databases = {name: {"url": each} for name, each in {"default": url, **others}.items()}
    return Settings.model_validate({"databases": databases})


def jars(shelf: Any) -> type[Any]:
    class Jar:
        number: int | None
        label: str

    made: type[Any] = shelf.shelved(Jar)
    return made


@pytest.fixture
def larder(shelf: Any) -> Any:
    class Larder(Container):
        jars = resource(jars(shelf))

    return Larder


async def test_what_another_package_keeps_is_served(larder: Any) -> None:
    pantry = larder(settings=at("shelf:here"))

    async with client_of(create_app(pantry)) as client:
        created = await client.post("/jars", json={"label": "plum"})
        refused = await client.post("/jars", json={"label": "p" * 31})
        changed = await client.patch(created.headers["location"], json={"label": "quince"})
        listed = (await client.get("/jars", params={"label__contains": "qui"})).json()
        ready = (await client.get("/health/ready")).json()

    assert (created.status_code, refused.status_code, changed.status_code) == (201, 422, 200)
    assert listed["items"] == [{"number": 1, "label": "quince"}]
    assert ready["dependencies"]["default"]["technology"] == "shelf"


async def test_its_locks_are_where_it_keeps_them_and_its_units_of_work_have_no_fence(larder: Any) -> None:
    pantry = larder(settings=at("shelf:here"))

    async with open_kernel(pantry):
        async with pantry.locks().hold("jar:1") as lease, pantry.jars.unit_of_work() as work:
            _ = await work.repository("jars").add({"label": "plum"})
            guarded = await lease.guard(work)
        outcome = await pantry.locks().fence(work, "jar:1", 1)

    assert not isinstance(guarded, Failure)
    assert outcome == Failure(Unsupported("jar:1", "fencing"))


def test_it_gets_the_settings_of_its_database(larder: Any) -> None:
    settings = Settings.model_validate({"databases": {"default": {"url": "shelf:there", "pool_size": 4}}})
    pantry = larder(settings=settings)

    request = pantry.databases.default().request

    assert (request.name, request.url, request.limits["pool_size"]) == ("default", "shelf:there", 4)
    assert [each.__name__ for each in request.entities] == ["Jar"]
    assert request.breaker() is pantry.breakers.default()


def test_only_what_is_at_a_distance_has_a_breaker(larder: Any) -> None:
    near, far = larder(settings=at("shelf:here")), larder(settings=at("shelf:there"))

    assert near.breakers.default() is None
    assert far.breakers.default() is not None


async def test_in_a_database_of_its_own_it_is_asked_first_about_classes_that_others_know(shelf: Any) -> None:
    @shelf.shelved
    @dataclass
    class Tin:
        number: int | None
        label: str

    class Larder(Container):
        tins = resource(Tin)
        spare = resource(Tin, database="spare", version="label", operations=["list"])

    pantry = Larder(settings=at("shelf:here", spare="memory://"))
    with pytest.raises(DeclarationError, match=r"spare: Tin"):
        create_app(pantry)

    class Alone(Container):
        tins = resource(Tin)

    async with client_of(create_app(Alone(settings=at("shelf:here")))) as client:
        created = await client.post("/tins", json={"label": "beans"})

    assert created.json() == {"number": 1, "label": "beans"}


def test_its_classes_choose_it_where_others_open_the_same_url(shelf: Any, tmp_path: Path) -> None:
    @shelf.racked
    class Bottle:
        number: int | None
        label: str

    class Cellar(Container):
        bottles = resource(Bottle)

    class Mixed(Cellar):
        jars = resource(jars(shelf))

    url = f"sqlite:///{tmp_path / 'cellar.sqlite3'}"
    cellar = Cellar(settings=at(url))
    create_app(cellar)

    assert cellar.databases.default().technology == "rack"
    with pytest.raises(
        DeclarationError, match=r"cannot hold rack models \(Bottle\) and other classes \(Jar\)"
    ):
        create_app(Mixed(settings=at(url)))


def test_a_database_of_it_may_take_the_place_of_another(shelf: Any, larder: Any) -> None:
    pantry = larder(settings=at("memory://"))
    own = shelf.ShelfDatabase(pantry.databases.default())

    with pantry.databases.default.override(providers.Object(own)):
        create_app(pantry)

    assert technology_of(own) is shelf.TECHNOLOGY


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("shelf_store:MISSING", "the technology 'shelf', shelf_store:MISSING, cannot be loaded"),
        ("shelf_shop:TECHNOLOGY", "cannot be loaded: No module named 'shelf_shop'"),
        ("shelf_store:NOTHING", "is a str: name a Technology"),
    ],
    ids=["name", "module", "type"],
)
def test_what_cannot_be_loaded_is_named(
    entry: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, shelf=entry)
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(DeclarationError) as refused:
        Container(settings=at("shelf:here")).databases.default()

    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("shelv://here", "no technology supports the URL scheme 'shelv': use one of file, mariadb"),
        ("//shop:secret@db.internal", "cannot be read"),
        ("redis://db.internal", "Redis stores no entities, only leases"),
    ],
)
def test_a_url_that_nothing_opens_is_refused_without_its_password(url: str, said: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        Container(settings=at(url)).databases.default()

    assert said in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_technology_without_leases_or_session_locks_reports_it(shelf: Any, larder: Any) -> None:
    elsewhere = Settings.model_validate(
        {"databases": {"default": {"url": "memory://"}}, "locks": {"url": "shelf:here"}}
    )

    with pytest.raises(DeclarationError, match="shelf keeps no leases"):
        Container(settings=elsewhere).locks()
    with pytest.raises(DeclarationError, match="shelf has no session locks"):
        open_session_locks("shelf:here", SystemClock())


def test_a_database_of_ones_own_may_say_itself_how_to_work_with_it() -> None:
    class Own:
        name, technology = "default", "own"
        repository = unit_of_work = staticmethod(lambda *_: "made")

    found = technology_of(Own())

    assert found.unit_of_work(1, {}, {}, None) == "made"
    with pytest.raises(DeclarationError, match="has no known repository and unit of work"):
        technology_of(object())  # type: ignore[arg-type]


@pytest.mark.parametrize("built_in", _BUILT_IN, ids=lambda each: each.module)
def test_the_table_knows_what_each_technology_opens(built_in: Any) -> None:
    assert _load(built_in).schemes == built_in.schemes


STARTING = """
import asyncio, importlib.metadata, json, sys
from dataclasses import dataclass

from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.testing import in_memory

def looked_up(**_):
    raise AssertionError("nobody has to look at what is installed")

importlib.metadata.entry_points = looked_up

@dataclass
class Book:
    title: str
    id: int | None = None

class Shop(Container):
    books = resource(Book)

async def main():
    async with open_kernel(in_memory(Shop)):
        room = "fastapi_easy.infrastructure.technologies."
        imported = {name.removeprefix(room) for name in sys.modules if name.startswith(room)}
        return sorted(imported - {"registry"})

print(json.dumps(asyncio.run(main())))
"""


def test_a_technology_is_imported_when_it_is_chosen_and_not_before() -> None:
    finished = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(STARTING)], capture_output=True, text=True, check=False
    )

    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout) == ["memory"]


def test_memory_is_memory_whoever_has_derived_from_it() -> None:
    class Mine(MemoryDatabase):
        pass

    assert technology_of(Mine()).name == "memory"
