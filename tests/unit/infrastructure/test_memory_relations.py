"""Relations in memory: what no class of the suites can have."""

from dataclasses import dataclass

import pytest
from returns.result import Success

from fastapi_easy.domain.ports.database import SchemaMode
from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.domain.queries.page import PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.resources.relation import Link, Through
from fastapi_easy.infrastructure.persistence.memory import MemoryDatabase, MemoryRepository, describe
from fastapi_easy.testing.resources import resources_with_relations


@dataclass
class Person:
    id: int | None = None
    name: str = ""
    team: str | None = None


def world(**links):
    """The people of a database, who lead to one another."""
    database = MemoryDatabase()
    people = resources_with_relations(
        {"people": describe(Person)}, {"people": Person}, options={"people": {"relations": links}}
    )
    return database, people["people"], MemoryRepository(people["people"], database)


TEAM = Link(target="people", many=True, local=("team",), remote=("team",))
CAPTAIN = Link(target="people", many=False, local=("team",), remote=("team",))
ROWS = [
    {"name": "d", "team": None},
    {"name": "b", "team": "red"},
    {"name": "a", "team": "red"},
    {"name": "c", "team": None},
]


async def test_a_null_leads_nowhere_not_even_to_a_null():
    _, people, repository = world(mates=TEAM)
    _ = await repository.add_all(ROWS)

    together = (await repository.select(Query(specification=people.relations["mates"].exists()))).unwrap()

    assert [row.name for row in together.items] == ["b", "a"]


async def test_a_relation_to_one_that_leads_to_several_goes_to_the_first_key():
    _, people, repository = world(captain=CAPTAIN)
    captain = people.relations["captain"]
    _ = await repository.add_all([{"id": 9, "name": "z", "team": "red"}, *ROWS])

    sorted_ = await repository.select(Query(order=(Sort("id", path=(captain,)),), page=PageRequest(limit=4)))
    led_to = await repository.select_each(captain, [("red",)], Query())

    assert sorted_.unwrap().next.values == (None, 10)
    assert [[row.id for row in rows] for rows in led_to.unwrap()] == [[9]]


@dataclass
class Guest:
    id: int | None = None
    names: list[str] | None = None


async def test_null_in_a_list_leads_nowhere():
    database = MemoryDatabase()
    resources = resources_with_relations(
        {"people": describe(Person), "guests": describe(Guest)},
        {"people": Person, "guests": Guest},
        options={
            "people": {},
            "guests": {
                "relations": {"met": Link(target="people", many=True, local=("names",), remote=("team",))}
            },
        },
    )
    people, guests = (MemoryRepository(each, database) for each in resources.values())
    _ = await people.add_all(ROWS)
    _ = await guests.add_all([{"names": [None, "red"]}, {"names": [None]}, {"names": []}, {"names": None}])
    met = resources["guests"].relations["met"]

    found = (await guests.select(Query(specification=met.exists()))).unwrap()
    led_to = (await people.select_each(met, [(("red", None),), ((),)], Query())).unwrap()

    assert [row.id for row in found.items] == [1]
    assert [[row.name for row in rows] for rows in led_to] == [["b", "a"], []]


@pytest.mark.parametrize("mode", list(SchemaMode))
async def test_what_leads_through_a_table_in_between_is_refused_at_start(mode):
    between = Through(table="friends", local=("one",), remote=("other",))
    database, people, _ = world(friends=Link(target="people", many=True, through=between))

    [sentence] = (await database.prepare([people], mode)).unwrap()

    assert sentence.startswith("people.friends uses an association table that no class is mapped to")


async def test_without_such_relations_nothing_is_refused():
    database, people, _ = world(mates=TEAM)

    assert await database.prepare([people], SchemaMode.CREATE) == Success([])


def test_needs_no_connections():
    assert MemoryDatabase().pool is None
