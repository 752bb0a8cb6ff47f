"""Collections, their indexes and their validators: made, compared, and kept apart."""

import asyncio
import datetime
from dataclasses import make_dataclass
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

import pymongo
import pytest
import pytest_asyncio
from pydantic import BaseModel, Field, create_model
from pymongo.errors import WriteError
from returns.result import Failure, Success
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from fastapi_easy.domain.changes.patch import Patch
from fastapi_easy.domain.errors import AlreadyExists, CheckFailed, DeclarationError
from fastapi_easy.domain.ports.database import SchemaMode
from fastapi_easy.domain.queries.specification import Everything
from fastapi_easy.domain.resources.capability import Capability
from fastapi_easy.domain.resources.relation import Link, Through
from fastapi_easy.infrastructure.entities.plain import describe
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.testing import resource_from
from fastapi_easy.testing.conformance.store import value_of
from fastapi_easy.testing.resources import resources_with_relations
from tests.conformance.mongo_shop import mongo_shop


class Book(BaseModel):
    __unique__: ClassVar = ("isbn", ("shelf", "place"))

    id: int | None = None
    title: str = Field(max_length=20)
    isbn: str | None = None
    shelf: str | None = None
    place: int | None = None


class Seat(BaseModel):
    __key__: ClassVar = ("hall", "number")

    hall: str
    number: int


ENTITIES = {"books": Book, "seats": Seat}


@pytest_asyncio.fixture
async def url(mongo_url):
    """The URL of a database with nothing in it."""
    address = mongo_url.replace("/fastapi", "/schema_fastapi")
    yield address
    async with pymongo.AsyncMongoClient(address) as client:
        await client.drop_database(client.get_default_database().name)


@pytest_asyncio.fixture
async def raw(url):
    """The driver's own view of it."""
    async with pymongo.AsyncMongoClient(url) as client:
        yield client.get_default_database()


def resources_on(database, entities=ENTITIES):
    return [
        resource_from(database.narrow_shape(name, describe(entity))[0], name, entity)
        for name, entity in entities.items()
    ]


async def differences(url, mode, entities=ENTITIES):
    database = MongoDatabase("default", url)
    try:
        return list(value_of(await database.prepare(resources_on(database, entities), mode)))
    finally:
        await database.close()


MISSING = [
    "books: the collection book does not exist",
    "seats: the collection seat does not exist",
]


async def test_check_reports_what_is_missing_and_creates_nothing(url, raw):
    assert await differences(url, SchemaMode.CHECK) == MISSING
    assert await raw.list_collection_names() == []


async def test_off_compares_nothing(url, raw):
    assert await differences(url, SchemaMode.OFF) == []
    assert await raw.list_collection_names() == []


@pytest.mark.parametrize("mode", [SchemaMode.CREATE, SchemaMode.FRESH])
async def test_both_modes_create_everything_in_an_empty_database(url, raw, mode):
    assert await differences(url, mode) == []
    assert await differences(url, SchemaMode.CHECK) == []

    indexes = await raw.book.index_information()
    assert indexes["isbn_1"]["unique"] is True
    assert indexes["shelf_1_place_1"]["unique"] is True
    assert "_id.hall_1__id.number_1" in await raw.seat.index_information()


async def test_optional_unique_fields_of_every_kind_differ_from_what_was_created_for_them_in_nothing(url):
    kinds = (int, str, float, bool, bytes, UUID, Decimal, datetime.date, datetime.datetime, datetime.time)
    fields = {f"a{number}": (kind | None, None) for number, kind in enumerate(kinds)}
    thing = create_model("Thing", id=(int | None, None), **fields)
    thing.__unique__ = tuple(fields)

    assert await differences(url, SchemaMode.CREATE, {"things": thing}) == []


async def test_fresh_creates_nothing_beside_existing_collections(url, raw):
    await raw.create_collection("book")

    found = await differences(url, SchemaMode.FRESH)

    assert found == [
        "books: book has no unique index on isbn; create it",
        "books: book has no unique index on shelf, place; create it",
        MISSING[1],
    ]


async def test_create_adds_the_indexes_that_are_missing(url, raw):
    await raw.book.insert_one({"title": "there before"})

    assert await differences(url, SchemaMode.CREATE) == []
    assert await raw.book.count_documents({}) == 1


async def test_an_index_that_cannot_be_made_is_a_difference(url, raw):
    await raw.book.insert_many([{"title": "a", "isbn": "same"}, {"title": "b", "isbn": "same"}])
    await raw.seat.create_index([("_id.hall", 1), ("_id.number", 1)], name="another name")

    assert await differences(url, SchemaMode.CREATE) == ["books: book has no unique index on isbn; create it"]


async def test_an_index_that_is_not_as_wanted_is_a_difference(url, raw):
    await raw.book.create_index("isbn")
    await raw.book.create_index([("shelf", 1), ("place", 1)], unique=True)

    found = await differences(url, SchemaMode.CREATE)

    assert found[0] == "books: the index of book on isbn is not unique; make it so"
    assert found[1].startswith("books: the index of book on shelf, place covers other documents: set its")
    assert len(found) == 2


async def test_a_validator_that_would_refuse_what_the_class_allows_is_a_difference(url, raw):
    schema = {
        "required": ["title", "isbn", "author"],
        "properties": {"title": {"bsonType": "int"}, "isbn": {"bsonType": "string"}},
        "additionalProperties": False,
    }
    await raw.create_collection("book", validator={"$jsonSchema": schema})

    found = await differences(url, SchemaMode.CREATE, {"books": Book})

    assert found == [
        "books: the validator of book requires title to be int, while Book may give string; change one of them",
        "books: the validator of book requires isbn to be string, while Book may give null; change one of them",
        "books: the validator of book requires the field 'author', which Book does not have; change one of them",
        *(
            f"books: the validator of book allows no field {name!r}; change it"
            for name in ("shelf", "place", "_id")
        ),
    ]


async def test_many_processes_may_start_at_once(url):
    found = await asyncio.gather(*(differences(url, SchemaMode.FRESH) for _ in range(8)))

    assert found == [[]] * 8


async def test_the_schema_lock_of_a_dead_process_expires(url, raw):
    await raw.fastapi_easy.insert_one({"_id": "schema", "owner": "dead", "until": None})
    past = {"$set": {"until": {"$subtract": ["$$NOW", 1]}}}
    await raw.fastapi_easy.update_one({"_id": "schema"}, [past])

    assert await differences(url, SchemaMode.CREATE) == []


async def test_other_tools_cannot_write_what_the_class_does_not_allow(url, raw):
    assert await differences(url, SchemaMode.CREATE) == []

    for document in ({}, {"title": 5}, {"title": None}, {"title": "x" * 21}, {"title": "a", "place": "b"}):
        with pytest.raises(WriteError):
            await raw.book.insert_one({"_id": 1, **document})
    await raw.book.insert_one({"_id": 1, "title": "é" * 20, "unknown": True})


async def test_what_a_validator_of_the_users_own_refuses_names_its_fields(url, raw):
    rules = {"$jsonSchema": {"properties": {"title": {"pattern": "^[A-Z]"}, "place": {"minimum": 1}}}}
    await raw.create_collection("book", validator=rules)
    async with mongo_shop(url, {"books": Book}) as shop:
        refused = await shop["books"].add({"title": "small"})
        good = value_of(await shop["books"].add({"title": "Good"}))
        many = await shop["books"].add_all([{"title": "A"}, {"title": "B", "place": 0}])
        changed = await shop["books"].update(good.id, Patch({"place": 0}))

        assert refused == Failure(CheckFailed("books", ("title",), "$jsonSchema"))
        assert many == changed == Failure(CheckFailed("books", ("place",), "$jsonSchema"))
        assert await shop["books"].count(Everything()) == Success(1)


async def test_nulls_that_other_tools_wrote_are_not_compared(url, raw):
    async with mongo_shop(url, {"books": Book}) as shop:
        await raw.book.insert_many([{"_id": n, "title": "a", "isbn": None} for n in range(3)])
        await raw.book.insert_many([{"_id": n, "title": "a"} for n in range(3, 6)])
        _ = value_of(await shop["books"].add({"title": "a", "isbn": "x"}))

        assert await shop["books"].add({"title": "a", "isbn": "x"}) == Failure(
            AlreadyExists("books", ("isbn",))
        )


async def test_an_index_serves_the_queries_that_need_it(url, raw):
    assert await differences(url, SchemaMode.CREATE) == []

    plans = [
        await raw.book.find(match).explain()
        for match in ({"isbn": {"$eq": "x"}}, {"isbn": {"$in": ["x", "y"]}}, {"_id": {"$eq": 5}})
    ]

    assert all("COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"]) for plan in plans)


async def test_field_names_that_the_server_reserves_are_rejected(mongo_url):
    database = MongoDatabase("default", mongo_url)
    model = create_model(
        "Odd", id=(int | None, None), **{"a.b": (str, ""), "$set": (str, ""), "ok": (str, "")}
    )

    _, mistakes = database.narrow_shape("odds", describe(model))

    assert mistakes == [
        f"odds.{name} cannot be the name of a field in MongoDB: use one without '.', and without '$' in front"
        for name in ("a.b", "$set")
    ]


@pytest.mark.parametrize("name", ["$cmd", "system.users", "a\x00b", "", "fastapi_easy", ".a"])
async def test_an_impossible_collection_name_is_rejected(mongo_url, name):
    odd = make_dataclass("Odd", [("id", int | None, None)], namespace={"__collection__": name})
    database = MongoDatabase("default", mongo_url)

    with pytest.raises(DeclarationError, match="cannot be the name of a collection: change __collection__"):
        await database.prepare(resources_on(database, {"odds": odd}), SchemaMode.OFF)


async def test_two_classes_in_one_collection_are_refused(mongo_url):
    class Other(BaseModel):
        __collection__ = "book"

        id: int | None = None

    database = MongoDatabase("default", mongo_url)

    with pytest.raises(DeclarationError, match="is stored in the collection 'book' too"):
        await database.prepare(resources_on(database, {"books": Book, "others": Other}), SchemaMode.OFF)


async def test_a_class_of_an_orm_is_refused(mongo_url):
    class MongoNovel(SQLModel, table=True):
        id: int | None = Column(default=None, primary_key=True)

    database = MongoDatabase("default", mongo_url)
    resource = resource_from(describe(Book), "novels", MongoNovel)

    with pytest.raises(DeclarationError, match="novels: MongoNovel is an ORM class"):
        await database.prepare([resource], SchemaMode.OFF)


async def test_a_relation_through_a_table_is_a_difference(mongo_url):
    database = MongoDatabase("default", mongo_url)
    shapes = {name: describe(entity) for name, entity in ENTITIES.items()}
    between = Through(table="marks", local=("book",), remote=("hall", "number"))
    link = Link(target="seats", many=True, through=between)
    resources = resources_with_relations(shapes, ENTITIES, options={"books": {"relations": {"marked": link}}})

    [sentence] = value_of(await database.prepare(list(resources.values()), SchemaMode.OFF))

    assert sentence.startswith("books.marked uses an association table")


async def test_a_server_that_stands_alone_says_so(mongo_alone_url, mongo_url):
    alone, member = MongoDatabase("alone", mongo_alone_url), MongoDatabase("member", mongo_url)
    try:
        for database in (alone, member):
            assert await database.prepare([], SchemaMode.CHECK) == Success(())

        assert Capability.TRANSACTIONS not in alone.capabilities
        assert Capability.TRANSACTIONS in member.capabilities
        assert Capability.MICROSECONDS not in member.capabilities
    finally:
        await alone.close()
        await member.close()
