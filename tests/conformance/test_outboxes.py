"""Every outbox and every inbox keeps the same promises."""

import pytest
import pytest_asyncio

from fastapi_easy.testing.conformance import InboxConformance, OutboxConformance
from tests.conformance import sqlalchemy_entities
from tests.conformance.memory_entities import DATACLASSES, MODELS
from tests.conformance.memory_store import memory_store
from tests.conformance.mongo_store import mongo_store
from tests.conformance.sqlalchemy_store import sqlalchemy_store


@pytest_asyncio.fixture(scope="module")
async def in_memory():
    async with memory_store(DATACLASSES, "memory") as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def on_sqlite(tmp_path_factory):
    path = tmp_path_factory.mktemp("outbox") / "shop.db"
    async with sqlalchemy_store(f"sqlite+aiosqlite:///{path}", sqlalchemy_entities.ENTITIES) as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def on_postgres(postgres_url):
    async with sqlalchemy_store(postgres_url, sqlalchemy_entities.ENTITIES) as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def through_psycopg(postgres_url):
    url = postgres_url.replace("postgresql://", "postgresql+psycopg://")
    async with sqlalchemy_store(url, sqlalchemy_entities.ENTITIES) as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def on_mariadb(mariadb_url):
    async with sqlalchemy_store(mariadb_url, sqlalchemy_entities.ENTITIES) as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def on_mongo(mongo_url):
    async with mongo_store(mongo_url, MODELS, "MongoDB, pymongo, pydantic models") as store:
        yield store


class Memory:
    @pytest.fixture
    def store(self, in_memory):
        return in_memory


class Sqlite:
    @pytest.fixture
    def store(self, on_sqlite):
        return on_sqlite


class Postgres:
    @pytest.fixture
    def store(self, on_postgres):
        return on_postgres


class PostgresThroughPsycopg:
    @pytest.fixture
    def store(self, through_psycopg):
        return through_psycopg


class MariaDB:
    @pytest.fixture
    def store(self, on_mariadb):
        return on_mariadb


class Mongo:
    @pytest.fixture
    def store(self, on_mongo):
        return on_mongo


class TestOutboxInMemory(Memory, OutboxConformance): ...


class TestInboxInMemory(Memory, InboxConformance): ...


class TestOutboxOnSqlite(Sqlite, OutboxConformance): ...


class TestInboxOnSqlite(Sqlite, InboxConformance): ...


class TestOutboxOnPostgres(Postgres, OutboxConformance): ...


class TestInboxOnPostgres(Postgres, InboxConformance): ...


class TestInboxThroughPsycopg(PostgresThroughPsycopg, InboxConformance): ...


class TestOutboxOnMariaDB(MariaDB, OutboxConformance): ...


class TestInboxOnMariaDB(MariaDB, InboxConformance): ...


class TestOutboxOnMongo(Mongo, OutboxConformance): ...


class TestInboxOnMongo(Mongo, InboxConformance): ...
