"""Tables that Tortoise itself has made keep the promises too, as far as rules of their own do not stand against it."""

import datetime
import decimal
import sys
from types import ModuleType
from typing import Any

import pytest
import pytest_asyncio
from tortoise.connection import get_connection
from tortoise.context import TortoiseContext
from tortoise.utils import generate_schema_for_client

from fastapi_easy.domain.ports.database import SchemaMode
from fastapi_easy.domain.queries.ordering import Direction, Sort
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import Operator, Where
from fastapi_easy.infrastructure.persistence.tortoise import TortoiseDatabase
from fastapi_easy.infrastructure.persistence.tortoise.clients.connections import activate
from fastapi_easy.testing.conformance.reads.filter_operators import FilterOperatorCases
from fastapi_easy.testing.conformance.reads.pagination import PaginationCases
from fastapi_easy.testing.conformance.reads.reading import ReadCases
from fastapi_easy.testing.conformance.store import add_one, value_of
from fastapi_easy.testing.conformance.writes.round_trips import RoundTripCases
from fastapi_easy.testing.conformance.writes.writing import WriteCases
from tests.conformance.columns import FULL, KindCases
from tests.conformance.tortoise_entities import family, with_arrays
from tests.conformance.tortoise_store import tortoise_store


class AllPromises(ReadCases, FilterOperatorCases, PaginationCases, RoundTripCases, WriteCases):
    """Without what is about deleted books: Tortoise knows no unique rules that leave them out."""


class TypedPromises(KindCases):
    """Without what the column types do not change."""

    test_gives_back_what_was_changed: Any = None
    test_texts_compare_character_by_character: Any = None


Promises = AllPromises if FULL else TypedPromises
"""What is different about these tables is the types of their columns."""


async def make_tables(url, entities):
    database = TortoiseDatabase("default", url, None, entities.values())
    await database.open()
    with database.activate():
        await generate_schema_for_client(get_connection("default"), safe=True)
    await database.close()


@pytest_asyncio.fixture(scope="module")
async def on_sqlite(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('made') / 'made.db'}"
    entities = family("made_on_sqlite")
    await make_tables(url, entities)
    async with tortoise_store(url, entities, mode=SchemaMode.OFF) as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def on_postgres(postgres_url):
    entities = with_arrays("made_on_postgres")
    await make_tables(postgres_url, entities)
    async with tortoise_store(postgres_url, entities, mode=SchemaMode.OFF) as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def on_mariadb(mariadb_url):
    entities = family("made_on_mariadb")
    await make_tables(mariadb_url, entities)
    async with tortoise_store(mariadb_url, entities, mode=SchemaMode.OFF) as store:
        yield store


class TestOnSqlite(Promises):
    @pytest.fixture
    def store(self, on_sqlite):
        return on_sqlite


class TestOnPostgres(Promises):
    @pytest.fixture
    def store(self, on_postgres):
        return on_postgres


class TestOnMariaDB(Promises):
    @pytest.fixture
    def store(self, on_mariadb):
        return on_mariadb

    @pytest.mark.skip(reason="a unique rule in a collation that takes letters for each other stays as it is")
    async def test_unique_values_collide_only_when_they_are_equal(self): ...


NOON = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)
EAST = datetime.timezone(datetime.timedelta(hours=5))


@pytest.fixture
async def written_alone(tmp_path, monkeypatch):
    """What Tortoise wrote into a table of its own on SQLite, without anybody to tell it how."""
    path = tmp_path / "alone.db"
    entities = {"notes": family("written_alone")["notes"]}
    module = ModuleType("written_alone")
    module.__models__ = list(entities.values())
    monkeypatch.setitem(sys.modules, module.__name__, module)
    context = TortoiseContext()
    with activate(context):
        await context.init(db_url=f"sqlite://{path}", modules={module.__name__: [module.__name__]})
        await context.generate_schemas()
        note = entities["notes"]
        await note.create(title="late", seen_at=NOON + datetime.timedelta(microseconds=1), price="10.5")
        await note.create(title="noon", seen_at=NOON, price="9")
        await note.create(title="noon in the east", seen_at=NOON.astimezone(EAST), price="9.0000")
    await context.close_connections()
    async with tortoise_store(f"sqlite:///{path}", entities, mode=SchemaMode.CHECK) as store:
        yield store


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        pytest.param(Where("seen_at", Operator.EQUALS, NOON), {"noon", "noon in the east"}, id="time"),
        pytest.param(Where("seen_at", Operator.GREATER, NOON), {"late"}, id="later"),
        pytest.param(
            Where("price", Operator.EQUALS, decimal.Decimal(9)), {"noon", "noon in the east"}, id="price"
        ),
        pytest.param(Where("price", Operator.GREATER, decimal.Decimal(9)), {"late"}, id="more expensive"),
        pytest.param(
            Where("price", Operator.IN, (decimal.Decimal("10.50"),)), {"late"}, id="one of the prices"
        ),
    ],
)
async def test_what_tortoise_wrote_by_itself_is_compared_by_value(written_alone, where, expected):
    page = value_of(await written_alone.notes.select(Query(specification=where)))

    assert {row.title for row in page.items} == expected


async def test_what_tortoise_wrote_by_itself_is_sorted_by_value(written_alone):
    _ = await add_one(
        written_alone.notes,
        title="early",
        seen_at=NOON - datetime.timedelta(days=1),
        price=decimal.Decimal(2),
    )

    by_time = value_of(await written_alone.notes.select(Query(order=(Sort("seen_at"), Sort("title")))))
    by_price = value_of(
        await written_alone.notes.select(Query(order=(Sort("price", Direction.DESCENDING), Sort("title"))))
    )

    assert [row.title for row in by_time.items] == ["early", "noon", "noon in the east", "late"]
    assert [row.title for row in by_price.items] == ["late", "noon", "noon in the east", "early"]
