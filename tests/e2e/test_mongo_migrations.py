"""Migrations of MongoDB databases: what is detected, applied, undone, and left alone."""

import datetime
import enum
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

import pymongo
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model
from pymongo.errors import DuplicateKeyError
from returns.result import Success

from fastapi_easy.application.migrations.assessing.rule_assessor import RuleAssessor
from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.migrations import Migrations
from fastapi_easy.domain.migrations.change import ChangeKind
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.policy import Approvals
from fastapi_easy.domain.migrations.risk import Risk
from fastapi_easy.domain.migrations.rule_set import RuleSet
from fastapi_easy.domain.migrations.run import RunState
from fastapi_easy.domain.migrations.stopped import MigrationStop
from fastapi_easy.domain.ports.database import SchemaMode
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.testing.conformance.store import value_of
from tests.conformance.mongo_schemas import empty, store_at
from tests.conformance.test_mongo_schema import resources_on
from tests.thorough import examples

ANYTHING = Approvals.read(["destructive", "dangerous"])


class Book(BaseModel):
    __unique__: ClassVar = ("isbn",)

    id: int | None = None
    title: str = Field(max_length=20)
    isbn: str | None = None


class Renamed(BaseModel):
    __collection__ = "book"
    __unique__: ClassVar = ("number",)

    id: int | None = None
    name: str = Field(max_length=20)
    number: str | None = None


class Volume(BaseModel):
    __unique__: ClassVar = ("isbn",)

    id: int | None = None
    title: str = Field(max_length=20)
    isbn: str | None = None


class Seat(BaseModel):
    __key__: ClassVar = ("hall", "number")

    hall: str
    number: int


class LongTitle(BaseModel):
    __collection__ = "book"
    __unique__: ClassVar = ("isbn",)

    id: int | None = None
    title: str | int | None = Field(default=None)
    isbn: str | None = None
    pages: int = 0


class NoUnique(BaseModel):
    __collection__ = "book"

    id: int | None = None
    title: str = Field(max_length=20)
    isbn: str | None = None


class Always(BaseModel):
    __collection__ = "book"
    __unique__: ClassVar = ("isbn",)

    id: int | None = None
    title: str = Field(max_length=20)
    isbn: str = ""


class Colour(enum.Enum):
    RED = "red"


KINDS = {
    "decimal": Decimal,
    "day": datetime.date,
    "moment": datetime.datetime,
    "time": datetime.time,
    "lasting": datetime.timedelta,
    "token": uuid.UUID,
    "blob": bytes,
    "colour": Colour,
    "real": float,
    "yes": bool,
}
Kinds: type[Any] = create_model(
    "Kinds", id=(int | None, None), **{name: (kind | None, None) for name, kind in KINDS.items()}
)
Kinds.__unique__ = tuple(KINDS)


@pytest_asyncio.fixture
async def url(request: pytest.FixtureRequest):
    found = request.getfixturevalue(getattr(request, "param", "mongo_url"))
    await empty(found)
    yield found
    await empty(found)


@pytest_asyncio.fixture
async def raw(url):
    async with pymongo.AsyncMongoClient(url) as client:
        yield client.get_default_database()


@pytest_asyncio.fixture
async def program(url):
    """Opens one more program that declares classes."""
    opened = []

    def open_one(*classes: type[Any]) -> Migrations:
        database = MongoDatabase("shop", url)
        resources = resources_on(database, {each.__name__.lower(): each for each in classes})
        store = store_at(url, [database.plan(each) for each in resources])
        opened.extend([store, database])
        today = datetime.date(2026, 1, 1)
        assessor = RuleAssessor(RuleSet(), store.dialect, (), lambda: today)
        return Migrations(MigrationCollaborators(store=store, assessor=assessor, clock=SystemClock()))

    yield open_one
    for each in opened:
        await each.close()


@pytest_asyncio.fixture
async def start(url):
    """Creates what classes declare as the start of a program does, and says what would keep it from running."""

    async def prepare(*classes: type[Any], mode: SchemaMode = SchemaMode.CREATE) -> list[str]:
        database = MongoDatabase("shop", url)
        resources = resources_on(database, {each.__name__.lower(): each for each in classes})
        try:
            return list(value_of(await database.prepare(resources, mode)))
        finally:
            await database.close()

    return prepare


Doing = Callable[[Any, Callable[..., Awaitable[list[str]]]], Awaitable[None]]


async def nothing(raw, start) -> None:
    pass


async def books(raw, start) -> None:
    assert await start(Book) == []
    await raw.book.insert_many(
        [{"_id": n, "title": f"t{n}", "isbn": None if n % 2 else str(n)} for n in range(7)]
    )


async def full_books(raw, start) -> None:
    assert await start(Book) == []
    await raw.book.insert_many([{"_id": n, "title": f"t{n}", "isbn": str(n)} for n in range(3)])


async def bare(raw, start) -> None:
    await raw.book.insert_one({"_id": 1, "title": "of others"})


async def other_index(raw, start) -> None:
    await raw.book.create_index("isbn")
    await raw.book.create_index("title")


async def other_filter(raw, start) -> None:
    await raw.create_collection("book")
    await raw.book.create_index("isbn", unique=True)


async def own_validator(raw, start) -> None:
    await books(raw, start)
    await raw.command(
        "collMod",
        "book",
        validator={
            "$jsonSchema": {
                "required": ["title", "author"],
                "additionalProperties": False,
                "properties": {
                    "_id": {"bsonType": "int"},
                    "title": {"bsonType": "string", "maxLength": 3, "pattern": "^t"},
                    "author": {"bsonType": "string"},
                },
            }
        },
        validationLevel="moderate",
    )


async def empty_books(raw, start) -> None:
    schema = {"required": ["title"], "properties": {"title": {"bsonType": "string"}}}
    await raw.create_collection("book", validator={"$jsonSchema": schema})
    await raw.book.create_index("title", unique=True)
    await raw.book.create_index([("title", 1), ("isbn", -1)], name="usual")
    await raw.book.create_index([("title", "text")])


async def lacking(raw, start) -> None:
    for name, options in {"shelf": {}, "place": {"sparse": True}, "title": {}}.items():
        await raw.book.create_index(name, unique=True, **options)


@dataclass(frozen=True)
class Edit:
    """What is there, what is declared, and the steps between."""

    before: Doing
    classes: tuple[type[Any], ...]
    steps: tuple[str, ...]
    hints: Hints = field(default_factory=Hints)


UNIQUE = "create unique index isbn_1 on (isbn) of book"
EDITS: Mapping[str, Edit] = {
    "everything is new": Edit(
        nothing,
        (Book, Seat),
        (
            "create collection book",
            UNIQUE,
            "create collection seat",
            "create index _id.hall_1__id.number_1 on (_id.hall, _id.number) of seat",
        ),
    ),
    "nothing differs": Edit(books, (Book,), ()),
    "a collection without validator is fine": Edit(bare, (Book,), (UNIQUE,)),
    "an index that is not unique stays beside the unique one": Edit(
        other_index, (Book,), ("create unique index isbn_1_2 on (isbn) of book",)
    ),
    "a unique index that counts nulls is replaced": Edit(
        other_filter,
        (Book,),
        (
            "create unique index isbn_1_2 on (isbn) of book",
            "drop unique index isbn_1 on (isbn) of book",
        ),
    ),
    "a field that may not be null any more": Edit(
        full_books,
        (Always,),
        (
            "create unique index isbn_1_2 on (isbn) of book",
            "drop unique index isbn_1 on (isbn) of book",
        ),
    ),
    "a validator that rejects what the class allows is loosened": Edit(
        own_validator, (Book,), ("loosen the validator of book",)
    ),
    "longer and optional texts": Edit(books, (LongTitle,), ("loosen the validator of book",)),
    "fields are renamed with what is on them": Edit(
        books,
        (Renamed,),
        (
            "loosen the validator of book",
            "drop unique index isbn_1 on (isbn) of book",
            "rename the field title of book to name, in batches",
            "rename the field isbn of book to number, in batches",
            "create unique index number_1 on (number) of book",
        ),
        Hints(renamed_columns={"book.title": "name", "book.isbn": "number"}, batch_size=2),
    ),
    "a collection is renamed": Edit(
        books,
        (Volume,),
        ("rename collection book to volume",),
        Hints(renamed_tables={"book": "volume"}),
    ),
    "fields are renamed in a collection without documents": Edit(
        empty_books,
        (Renamed,),
        (
            "loosen the validator of book",
            "drop unique index title_1 on (title) of book",
            "drop index usual on (title, isbn: -1) of book",
            "rename the field title of book to name, in batches",
            "create unique index name_1 on (name) of book",
            "create index usual on (name, isbn: -1) of book",
            "create unique index number_1 on (number) of book",
        ),
        Hints(renamed_columns={"book.title": "name"}),
    ),
    "a unique index on a field that the class lacks": Edit(
        lacking, (NoUnique,), ("drop unique index shelf_1 on (shelf) of book",)
    ),
    "kinds of values that an index tells from null": Edit(
        nothing,
        (Kinds,),
        (
            "create collection kinds",
            *(f"create unique index {name}_1 on ({name}) of kinds" for name in KINDS),
        ),
    ),
    "collections of others stay": Edit(books, (), ()),
    "collections of others are dropped when told so": Edit(
        books, (), ("drop collection book",), Hints(drop_undeclared=True)
    ),
    "unique indexes of others are dropped when told so": Edit(
        books,
        (NoUnique,),
        ("drop unique index isbn_1 on (isbn) of book",),
        Hints(drop_undeclared=True),
    ),
}


ON_A_REPLICA_SET = [pytest.param(each, "mongo_url", id=name) for name, each in EDITS.items()]
ALONE = [
    pytest.param(EDITS[name], "mongo_alone_url", id=f"{name}, stand-alone")
    for name in ("everything is new", "fields are renamed with what is on them", "a collection is renamed")
]


@pytest.mark.parametrize(("edit", "url"), [*ON_A_REPLICA_SET, *ALONE], indirect=["url"])
async def test_what_is_applied_leaves_no_difference_and_is_undone_again(edit, program, raw, start) -> None:
    await edit.before(raw, start)
    migrations = program(*edit.classes)
    store = store_at_of(migrations)
    before = value_of(await store.describe())

    plan = value_of(await migrations.plan(edit.hints))
    assert tuple(each.summary for each in plan.steps) == edit.steps
    assert value_of(await store.describe()) == before
    assert not value_of(await store.history()).exists
    if not plan:
        return
    run = value_of(await migrations.apply(plan, approvals=ANYTHING))

    assert (run.state, run.notes) == (RunState.APPLIED, ())
    assert value_of(await migrations.plan(edit.hints)).steps == ()
    assert value_of(await migrations.plan()).steps == ()
    assert await start(*edit.classes, mode=SchemaMode.CHECK) == []
    undone = value_of(await migrations.rollback(approvals=ANYTHING))
    assert (undone.state, undone.notes) == (RunState.ROLLED_BACK, ())
    assert value_of(await store.describe()).fingerprint == before.fingerprint


def store_at_of(migrations: Migrations) -> Any:
    return migrations._collaborators.store


async def test_documents_keep_what_they_have_when_fields_are_renamed_and_renamed_back(
    program, raw, start
) -> None:
    await books(raw, start)
    edit = EDITS["fields are renamed with what is on them"]
    migrations = program(Renamed)
    before = await raw.book.find().to_list(None)

    await migrations.apply(hints=edit.hints, approvals=ANYTHING)
    renamed = await raw.book.find().to_list(None)
    with pytest.raises(DuplicateKeyError):
        await raw.book.insert_one({"_id": 99, "name": "x", "number": "2"})
    await migrations.rollback(approvals=ANYTHING)

    assert renamed == [{"_id": each["_id"], "name": each["title"], "number": each["isbn"]} for each in before]
    assert await raw.book.find().to_list(None) == before


async def test_what_a_run_has_made_is_dropped_when_nobody_declares_it_any_more(program, raw) -> None:
    value_of(await program(Book, Seat).apply(approvals=ANYTHING))
    await raw.book.create_index("title", name="of_others")

    plan = value_of(await program(NoUnique).plan())
    value_of(await program(NoUnique).apply(plan, approvals=ANYTHING))

    assert [(each.kind, each.object, each.destructive) for each in plan.steps] == [
        (ChangeKind.DROP_INDEX, "book.isbn_1", False),
        (ChangeKind.DROP_COLLECTION, "seat", True),
    ]
    assert set(await raw.book.index_information()) == {"_id_", "of_others"}
    assert set(await raw.list_collection_names()) & {"book", "seat"} == {"book"}


async def test_equal_values_make_a_unique_index_dangerous_and_applying_it_fails_with_a_record(
    program, raw
) -> None:
    await raw.book.insert_many([{"title": "a", "isbn": "same"}, {"title": "b", "isbn": "same"}])
    migrations = program(Book)

    plan = value_of(await migrations.plan())
    failed = (await migrations.apply(plan, approvals=ANYTHING)).failure()
    await raw.book.delete_one({"title": "b"})
    mended = await migrations.apply(approvals=ANYTHING)

    assert [each.risk for each in plan.steps] == [Risk.DANGEROUS]
    assert failed.stop is MigrationStop.FAILED
    assert "same" not in failed.message
    assert isinstance(mended, Success)
    assert value_of(await migrations.plan()).steps == ()


async def test_a_hint_that_cannot_be_followed_is_refused(program, raw, start) -> None:
    await books(raw, start)
    migrations = program(Book, Seat)
    hints = [
        Hints(renamed_tables={"book": "seat", "nowhere": "seat"}),
        Hints(renamed_tables={"book": "nobody"}),
        Hints(renamed_columns={"book._id": "title"}),
        Hints(renamed_columns={"book.name": "nobody"}),
        Hints(renamed_columns={"book.title": "isbn"}),
    ]
    await raw.create_collection("seat")

    stops = [(await migrations.plan(each)).failure().stop for each in hints]

    assert stops == [MigrationStop.UNSUPPORTED] * len(hints)


TYPES = {"whole": int, "text": str, "perhaps": str | None, "many": list[int], "real": float}


@st.composite
def classes(draw: st.DrawFn) -> type[Any]:
    """A class whose entities are stored in the collection `thing`."""
    fields = draw(st.dictionaries(st.sampled_from("abc"), st.sampled_from(sorted(TYPES)), min_size=1))
    single = [name for name, kind in fields.items() if kind != "many"]
    unique = draw(st.lists(st.sampled_from(single), unique=True)) if single else []
    made: type[Any] = create_model(
        "Thing", id=(int, ...), **{name: (TYPES[kind], ...) for name, kind in fields.items()}
    )
    made.__unique__ = tuple(unique)
    return made


VALUES = {int: 1, str: "x", str | None: None, list[int]: [1], float: 1.5}


@settings(max_examples=examples(2, 8), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=classes(), after=classes(), made_by_us=st.booleans())
async def test_from_any_class_to_any_other_nothing_is_left_to_do_and_all_is_undone(
    program, raw, start, before, after, made_by_us
) -> None:
    for name in await raw.list_collection_names():
        await raw.drop_collection(name)
    if made_by_us:
        value_of(await program(before).apply(approvals=ANYTHING))
    else:
        assert await start(before) == []
    values = {name: VALUES[each.annotation] for name, each in before.model_fields.items() if name != "id"}
    await raw["thing"].insert_one({"_id": 1, **values})
    migrations = program(after)
    store = store_at_of(migrations)
    fingerprint = value_of(await store.describe()).fingerprint

    run = value_of(await migrations.apply(approvals=ANYTHING))

    assert value_of(await migrations.plan()).steps == ()
    assert await start(after, mode=SchemaMode.CHECK) == []
    if run.steps:
        assert value_of(await migrations.rollback(approvals=ANYTHING)).notes == ()
        assert value_of(await store.describe()).fingerprint == fingerprint
    assert await raw["thing"].find().to_list(None) == [{"_id": 1, **values}]
