"""A collection of other programs, with values of every type, and walks through it."""

import datetime
import decimal
import enum
import math
import uuid
from typing import Any

import pytest_asyncio
from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.datetime_ms import DatetimeMS
from pydantic import BaseModel, Field

from fastapi_easy.domain.ports.database import SchemaMode
from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.queries.page import Count, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.testing.conformance.store import value_of
from tests.conformance.mongo_shop import mongo_shop


class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


class Odd(BaseModel):
    """One field of each kind, some of which have a default."""

    id: int | None = None
    name: str = "nameless"
    number: int = 3
    rating: float = 0
    price: decimal.Decimal | None = None
    ok: bool = True
    day: datetime.date | None = None
    at: datetime.datetime | None = None
    hour: datetime.time | None = None
    lasts: datetime.timedelta | None = None
    token: uuid.UUID | None = None
    mood: Mood = Mood.GOOD
    raw: bytes = b""
    tags: list[str] = ["new"]
    more: dict[str, Any] = Field(default_factory=dict)
    made_by: str = Field(default_factory=lambda: uuid.uuid4().hex)


class Named(BaseModel):
    """Its keys are ObjectIds, unless another program wrote them."""

    id: str | None = None
    number: int


NOON = datetime.datetime(2020, 1, 1, 12)  # noqa: DTZ001 - as the driver takes it
SHOWN_BY_DEFAULT = {
    "id": 2,
    "name": "nameless",
    "number": 3,
    "rating": 0.0,
    "price": None,
    "ok": True,
    "day": None,
    "at": None,
    "hour": None,
    "lasts": None,
    "token": None,
    "mood": Mood.GOOD,
    "raw": b"",
    "tags": ["new"],
    "more": {},
    "made_by": None,
}
EVERYTHING = Query(page=PageRequest(limit=1000))
SORTED = ["name", "number", "rating", "price", "day", "at", "hour", "lasts", "token", "id"]


@pytest_asyncio.fixture(scope="module")
async def odd_shop(mongo_url):
    address = mongo_url.replace("/fastapi", "/odd_fastapi")
    async with mongo_shop(address, {"odds": Odd, "names": Named}, mode=SchemaMode.OFF) as made:
        yield made
        await made.database.client.database.client.drop_database(made.database.client.database.name)


@pytest_asyncio.fixture
async def raw_odds(odd_shop):
    for name in ("odd", "named"):
        _ = await odd_shop.database.client.collection(name).delete_many({})
    return odd_shop.database.client.collection("odd")


async def walk(repository, sort, limit=2):
    """Every row of a walk in the order of *sort*, by cursors."""
    rows: list[Any] = []
    page = PageRequest(limit=limit, count=Count.EXACT)
    while True:
        found = value_of(await repository.select(Query(order=(sort,), page=page)))
        rows += found.items
        if found.next is None:
            return rows
        assert len(rows) < 1000, f"the walk by {sort} does not end"
        page = PageRequest(limit=limit, after=found.next)


def both_ways(name):
    return (Sort(name, Direction.ASCENDING), Sort(name, Direction.DESCENDING))


OTHER_TYPES = {
    "a text": "Not yet rated",
    "an empty text": "",
    "a number in a text": "7",
    "an integer": 5,
    "a long": Int64(2**40),
    "a double": 4.1,
    "half": 2.5,
    "a whole double": 2.0,
    "a double beyond every integer": 1e300,
    "NaN": math.nan,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "a decimal": Decimal128("4.10"),
    "a whole decimal": Decimal128("2"),
    "a huge decimal": Decimal128("1E+6000"),
    "NaN as a decimal": Decimal128("NaN"),
    "true": True,
    "null": None,
    "an ObjectId": ObjectId("65a000000000000000000001"),
    "a date": datetime.datetime(2020, 1, 1),  # noqa: DTZ001
    "a moment": datetime.datetime(2020, 1, 1, 12, 30, 0, 5000),  # noqa: DTZ001
    "the year 12000": DatetimeMS(316_516_809_600_000),
    "before the year 1": DatetimeMS(-100_000_000_000_000),
    "bytes": b"x",
    "bytes of another subtype": Binary(b"x", 5),
    "a UUID": uuid.UUID(int=7),
    "an old UUID": Binary(b"0123456789abcdef", 3),
    "an empty array": [],
    "texts": ["x", "y"],
    "an array of all": [1, None, "a", [2.5], {"a": 1}],
    "a document": {"a": {"b": ObjectId("65a000000000000000000002")}, "n": math.nan},
    "a document with reserved names": {"$a": 1, "b.c": 2, "": 3},
    "a regular expression": Regex("^a", "i"),
    "a timestamp": Timestamp(1_600_000_000, 3),
    "code": Code("f()"),
    "a reference": DBRef("others", 5),
    "the least key": MinKey(),
    "the greatest key": MaxKey(),
    "an hour": "12:30",
}
ALIKE: dict[str, dict[str, Any]] = {
    "number": {"a whole double": 2, "a whole decimal": 2, "a long": 2**40, "an integer": 5},
    "rating": {
        "an integer": 5.0,
        "a long": float(2**40),
        "a whole decimal": 2.0,
        "half": 2.5,
        "a double": 4.1,
        "a whole double": 2.0,
        "a double beyond every integer": 1e300,
    },
    "name": {"an ObjectId": "65a000000000000000000001"},
}
"""What is a value of the kind although it is stored as another type."""


KEYS = {
    "a number": 7,
    "a text": "abc",
    "a number in a text": "8",
    "an ObjectId": ObjectId("65a000000000000000000001"),
    "half": 2.5,
    "a decimal": Decimal128("3.1"),
    "a UUID": uuid.UUID(int=9),
    "a moment": datetime.datetime(2020, 1, 1, 12, 30, 0, 5000),  # noqa: DTZ001
    "true": True,
    "a text with a slash": "a/b c",
}
