"""Documents with a field of each kind, for what the suites do not ask of MongoDB."""

import datetime
import decimal
import enum
import uuid
from typing import Annotated, Any

import pytest_asyncio
from bson import ObjectId
from pydantic import BaseModel, Field

from fastapi_easy.domain.queries.specification import (
    Everything,
    Operator,
)
from fastapi_easy.domain.resources.relation import to_many, to_one
from fastapi_easy.testing.conformance.store import value_of
from tests.conformance.mongo_shop import mongo_shop


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Thing(BaseModel):
    id: int | None = None
    name: str | None = None
    count: int | None = None
    price: decimal.Decimal | None = None
    score: float | None = None
    done: bool | None = None
    due: datetime.date | None = None
    alarm: datetime.time | None = None
    at: datetime.datetime | None = None
    lasts: datetime.timedelta | None = None
    token: uuid.UUID | None = None
    raw: bytes | None = None
    size: Size | None = None
    level: Level | None = None
    extra: dict[str, Any] | None = None
    tags: list[str] | None = None


class Customer(BaseModel):
    id: str | None = None
    name: str = Field(max_length=50)


class Order(BaseModel):
    id: uuid.UUID = Field(default_factory=uuid.uuid4)
    customer_id: Annotated[str, ObjectId] | None = None
    referrer_id: str | None = None


class Desk(BaseModel):
    __collection__ = "furniture.desks"

    id: int | None = None


ENTITIES: dict[str, type[Any]] = {"things": Thing, "customers": Customer, "orders": Order, "desks": Desk}
RELATIONS = {
    "orders": {
        "relations": {
            "customer": to_one("customers", by="customer_id"),
            "referrer": to_one("customers", by="referrer_id"),
        }
    },
    "customers": {
        "relations": {
            "orders": to_many("orders", by="customer_id"),
            "referred": to_many("orders", by="referrer_id"),
        }
    },
}


@pytest_asyncio.fixture(scope="module")
async def opened_documents(mongo_url):
    url = mongo_url.replace("/fastapi", "/values_fastapi")
    async with mongo_shop(url, ENTITIES, declared=RELATIONS) as documents:
        yield documents
        await documents.database.client.database.client.drop_database(documents.database.client.database.name)


@pytest_asyncio.fixture
async def documents(opened_documents):
    for name in ENTITIES:
        value_of(await opened_documents[name].remove_where(Everything(), max_affected=10_000))
    return opened_documents


TEXT_ONLY = {Operator.CONTAINS, Operator.STARTS_WITH, Operator.ENDS_WITH}
LISTED = {Operator.IN, Operator.NOT_IN, Operator.BETWEEN, Operator.HAS_ANY, Operator.HAS_ALL}


async def value_of_all(repository, rows):
    return value_of(await repository.add_all(rows))
