"""Instances of the user's class above rows. What stores make of it is a case of the conformance suites."""

from dataclasses import dataclass
from typing import Any

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import AlreadyExists, NotFound, Stale, Unavailable
from fastapi_easy.domain.field import STORE_DEFAULT, Field, Kind
from fastapi_easy.domain.ports.entity_repository import EntityRepository
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Operator, Where
from fastapi_easy.domain.resources.resource import Shape
from fastapi_easy.infrastructure.persistence.memory import MemoryDatabase, MemoryRepository
from fastapi_easy.testing import FailingRepository, resource_from

SHAPE = Shape(
    fields=(
        Field(name="id", kind=Kind.INTEGER, generated=True),
        Field(name="name", kind=Kind.TEXT),
        Field(name="made", kind=Kind.TEXT, nullable=True, generated=True),
        Field(name="size", kind=Kind.INTEGER, default=1),
        Field(name="tags", kind=Kind.JSON, default_factory=list),
        Field(name="shelf", kind=Kind.TEXT, nullable=True, store_default=True),
        Field(name="version", kind=Kind.INTEGER),
    ),
    key=("id",),
)


@dataclass
class Jar:
    """An entity that need not hold all its fields."""

    name: str
    id: int | None = None
    version: int | None = None
    made: str | None = None


JARS = resource_from(SHAPE, "jars", Jar, version="version")


class Recorder(MemoryRepository[Jar]):
    """Remembers the calls that `save` makes, and gives entities back as rows."""

    def __init__(self) -> None:
        super().__init__(JARS, MemoryDatabase())
        self.calls: list[tuple[Any, ...]] = []

    async def read(self, key, fields=None, **options):
        self.calls.append(("read", key, fields))
        return await super().read(key, fields, **options)

    async def add(self, values):
        self.calls.append(("add", dict(values)))
        return await super().add(values)

    async def update(self, key, patch, **options):
        self.calls.append(("update", key, dict(patch), options["expected_version"]))
        return await super().update(key, patch, **options)

    def entity_from(self, row):
        return row

    def values_of(self, entity):
        return {name: value for name, value in vars(entity).items() if value is not None}


@pytest.fixture
def jars():
    return Recorder()


async def test_a_new_entity_is_added_without_what_only_the_store_sets(jars):
    saved = (await EntityRepository(JARS, jars).save(Jar("plum", made="by hand"))).unwrap()

    assert (saved.name, saved.made, saved.version) == ("plum", None, 1)
    assert jars.calls == [("add", {"name": "plum"})]


async def test_a_known_entity_gets_defaults_for_what_it_does_not_hold(jars):
    added = (await jars.add({"name": "plum", "size": 7, "tags": ["a"], "shelf": "top"})).unwrap()

    saved = (await EntityRepository(JARS, jars).save(Jar("fig", id=added.id, version=1))).unwrap()

    assert saved == {**added, "name": "fig", "size": 1, "tags": [], "shelf": None, "version": 2}
    given = {"name": "fig", "size": 1, "tags": [], "shelf": STORE_DEFAULT}
    assert jars.calls[1:] == [("update", added.id, given, "1")]


async def test_an_unknown_key_is_inserted_after_one_try_to_replace(jars):
    saved = (await EntityRepository(JARS, jars).save(Jar("fig", id=7))).unwrap()

    assert (saved.id, saved.name) == (7, "fig")
    assert [call[0] for call in jars.calls] == ["update", "add"]


@pytest.mark.parametrize(("known", "calls"), [(True, ["read", "update"]), (False, ["read", "add"])])
async def test_looks_first_where_it_is_told_to(jars, known, calls):
    key = (await jars.add({"name": "plum"})).unwrap().id if known else 7
    jars.calls.clear()

    saved = await EntityRepository(JARS, jars, reads_before_saving=True).save(Jar("fig", id=key, version=1))

    assert saved.unwrap().name == "fig"
    assert [call[0] for call in jars.calls] == calls


@pytest.mark.parametrize("reads_before_saving", [False, True])
async def test_one_outside_of_the_scope_is_not_replaced(jars, reads_before_saving):
    added = (await jars.add({"name": "plum"})).unwrap()
    entities = EntityRepository(JARS, jars, reads_before_saving=reads_before_saving)
    scope = Where("name", Operator.EQUALS, "fig")

    assert await entities.save(Jar("fig", id=added.id, version=1), scope=scope) == Failure(
        AlreadyExists("jars", ("id",))
    )
    assert await entities.find_by_id(added.id, scope=scope) == Failure(NotFound("jars", added.id))
    assert await entities.find_by_id(added.id) == Success(added)


@pytest.mark.parametrize("version", [None, 1, 3])
async def test_another_version_is_stale(jars, version):
    added = (await jars.add({"name": "plum"})).unwrap()
    _ = (await jars.update(added.id, Patch({"size": 2}), expected_version=None)).unwrap()

    saved = await EntityRepository(JARS, jars).save(Jar("fig", id=added.id, version=version))

    assert saved == Failure(Stale("jars", added.id, "2"))


async def test_a_page_holds_whole_entities(jars):
    added = (await jars.add({"name": "plum"})).unwrap()

    page = (await EntityRepository(JARS, jars).find_all(Query(fields=("id",)))).unwrap()

    assert page.items == [added]


@pytest.mark.parametrize("reads_before_saving", [False, True])
async def test_failures_are_passed_on(reads_before_saving):
    failing = Failure(Unavailable("repository"))
    entities = EntityRepository(JARS, FailingRepository(), reads_before_saving=reads_before_saving)

    assert await entities.find_by_id(1) == failing
    assert await entities.find_all(Query()) == failing
    assert await entities.save(Jar("fig")) == failing
