"""What is asked of a MongoDB database before, and after, its schema is changed."""

import asyncio

import pymongo
import pytest
import pytest_asyncio

from fastapi_easy.domain.errors import Unavailable
from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.risk import UNKNOWN
from fastapi_easy.domain.migrations.step import Effect, Step
from fastapi_easy.infrastructure.migrations.mongo.drafting import steps
from fastapi_easy.infrastructure.migrations.mongo.picture import CollectionPicture, IndexPicture
from fastapi_easy.testing.conformance.migrations.schema_suite import error_of
from fastapi_easy.testing.conformance.store import value_of
from tests.conformance.mongo_schemas import empty, store_at
from tests.services.service import free_port

VALIDATOR = {"$jsonSchema": {"required": ["title"], "properties": {"title": {"bsonType": "string"}}}}
LOOSER = {"$jsonSchema": {"properties": {"title": {"bsonType": "string"}}}}
ISBN = IndexPicture(name="isbn_1", keys=(("isbn", 1),), options={"unique": True})


@pytest_asyncio.fixture
async def raw(mongo_url):
    await empty(mongo_url)
    async with pymongo.AsyncMongoClient(mongo_url) as client:
        yield client.get_default_database()


@pytest_asyncio.fixture
async def store(mongo_url):
    opened = store_at(mongo_url)
    yield opened
    await opened.close()


RENAMED = (
    Change(kind=ChangeKind.RENAME_COLLECTION, table="books", facts={"new_name": "works"}),
    Change(kind=ChangeKind.RENAME_COLUMN, table="works", name="isbn", facts={"new_name": "number"}),
)


def index(table, *columns, where=None):
    return Change(kind=ChangeKind.CREATE_INDEX, table=table, facts={"columns": columns, "where": where})


def validator(text):
    return Change(kind=ChangeKind.CHANGE_VALIDATOR, table="books", facts={"validator": text})


@pytest.mark.parametrize(
    ("question", "changes", "expected"),
    [
        pytest.param("rows:books", (), 3, id="rows"),
        pytest.param("rows:nowhere", (), 0, id="no such collection"),
        pytest.param("rows:works", RENAMED, 3, id="rows under a new name"),
        pytest.param("duplicates:books.(isbn)", (index("books", "isbn"),), 1, id="duplicates"),
        pytest.param("duplicates:books.(isbn,n)", (index("books", "isbn", "n"),), 0, id="of two fields"),
        pytest.param(
            "duplicates:books.(isbn)",
            (index("books", "isbn", where='{"n": {"$gte": 2}}'),),
            0,
            id="duplicates of some documents",
        ),
        pytest.param(
            "duplicates:works.(number)",
            (*RENAMED, index("works", "number", where='{"number": {"$gte": ""}}')),
            1,
            id="duplicates under a new name",
        ),
        pytest.param("violations:books.()", (validator('{"n": {"$gt": 1}}'),), 1, id="violations"),
        pytest.param("violations:books.()", (validator('{"n": {"$gt": 0}}'),), 0, id="no violations"),
        pytest.param("violations:books.()", (validator("{}"),), 0, id="no validator"),
        pytest.param("violations:books.()", (), UNKNOWN, id="of nobody knows what"),
        pytest.param("violations:books.()", (validator('{"$nonsense": 1}'),), UNKNOWN, id="refused"),
        pytest.param("orphans:books.fk", (), UNKNOWN, id="what there is not"),
    ],
)
async def test_questions_are_answered_from_what_is_there_before_the_plan(
    question, changes, expected, store, raw
):
    await raw["books"].insert_many([{"n": n, "isbn": isbn} for n, isbn in ((1, "x"), (2, "x"), (3, "y"))])

    assert value_of(await store.measure(changes, [question])).answers == {question: expected}


async def test_the_size_of_a_collection_is_that_of_its_documents(store, raw):
    await raw["books"].insert_one({"text": "x" * 1000})

    size = value_of(await store.measure((), ["size:books"])).answers["size:books"]

    assert 1000 < size < 1100


async def make_nothing(raw):
    pass


async def make_collection(raw):
    await raw.create_collection("books", validator=VALIDATOR)


async def make_other_collection(raw):
    await raw.create_collection("books")


async def make_both(raw):
    await raw.create_collection("books")
    await raw.create_collection("works")


async def make_works(raw):
    await raw.create_collection("works")


async def make_loose(raw):
    await raw.create_collection("books", validator=LOOSER)


async def make_index(raw):
    await raw["books"].create_index("isbn", unique=True)


async def make_other_index(raw):
    await raw["books"].create_index("isbn")


CREATE = steps.create_collection("books", VALIDATOR)
DROP = steps.drop_collection(CollectionPicture(name="books"), 0)
RENAME = steps.rename_collection("shop", "books", "works", 0)
LOOSEN = steps.change_validator("books", VALIDATOR, LOOSER, 0)
CREATE_INDEX = steps.create_index("books", ISBN, 0)
DROP_INDEX = steps.drop_index("books", ISBN, 0)
RENAME_FIELD = steps.rename_field("books", "title", "name", 1, 0)


@pytest.mark.parametrize(
    ("step", "make", "expected"),
    [
        (CREATE, make_nothing, Effect.NOT_APPLIED),
        (CREATE, make_collection, Effect.APPLIED),
        (CREATE, make_other_collection, Effect.PARTIAL),
        (DROP, make_nothing, Effect.APPLIED),
        (DROP, make_collection, Effect.NOT_APPLIED),
        (RENAME, make_collection, Effect.NOT_APPLIED),
        (RENAME, make_works, Effect.APPLIED),
        (RENAME, make_both, Effect.UNKNOWN),
        (RENAME, make_nothing, Effect.UNKNOWN),
        (LOOSEN, make_collection, Effect.NOT_APPLIED),
        (LOOSEN, make_loose, Effect.APPLIED),
        (LOOSEN, make_other_collection, Effect.UNKNOWN),
        (LOOSEN, make_nothing, Effect.UNKNOWN),
        (CREATE_INDEX, make_nothing, Effect.NOT_APPLIED),
        (CREATE_INDEX, make_index, Effect.APPLIED),
        (CREATE_INDEX, make_other_index, Effect.PARTIAL),
        (DROP_INDEX, make_index, Effect.NOT_APPLIED),
        (DROP_INDEX, make_nothing, Effect.APPLIED),
        (DROP_INDEX, make_other_index, Effect.UNKNOWN),
        (RENAME_FIELD, make_collection, Effect.UNKNOWN),
    ],
)
async def test_the_effect_of_each_kind_of_step_is_seen(step: Step, make, expected, store, raw):
    await make(raw)

    assert value_of(await store.probe(step)) is expected


async def test_a_server_that_does_not_answer_is_unavailable():
    store = store_at(f"mongodb://127.0.0.1:{free_port()}/shop?directConnection=true")

    async def open_session():
        async with store.session("ada", 0) as session:
            return session

    outcomes = await asyncio.gather(
        open_session(), store.is_empty(), store.describe(), store.history(), store.draft(Hints())
    )

    await store.close()
    assert {type(error_of(each)) for each in outcomes} == {Unavailable}


async def test_the_order_and_the_usual_options_of_what_is_there_make_no_difference(store, raw):
    await raw.create_collection("books", validator=VALIDATOR)
    before = value_of(await store.describe())

    await raw.command(
        "collMod", "books", validator={"$jsonSchema": dict(reversed(VALIDATOR["$jsonSchema"].items()))}
    )
    same = value_of(await store.describe())
    await raw.command("collMod", "books", validationAction="warn")
    other = value_of(await store.describe())

    assert same == before
    assert other.fingerprint != before.fingerprint
    assert (before.is_empty, before.version >= (6, 0), before.unfinished) == (False, True, ())
