"""Schema stores on each server keep the promises of every schema store."""

import pytest
import pytest_asyncio

from fastapi_easy.domain.migrations.step import StepMode
from fastapi_easy.testing.conformance import SchemaStoreConformance
from tests.conformance import mongo_schemas
from tests.conformance.columns import drivers
from tests.conformance.relational_schemas import empty, factory_at, through

POSTGRES = (StepMode.TRANSACTION, StepMode.AUTOCOMMIT)
SQLITE = (StepMode.TRANSACTION, StepMode.REBUILD, StepMode.AUTOCOMMIT)


class TestSQLite(SchemaStoreConformance):
    @pytest.fixture
    def schemas(self, tmp_path):
        return factory_at(f"sqlite+aiosqlite:///{tmp_path / 'shop.db'}", SQLITE, "schemas in SQLite")


class TestPostgres(SchemaStoreConformance):
    @pytest_asyncio.fixture(params=drivers("asyncpg", "psycopg"))
    async def schemas(self, postgres_url, request):
        url = through(postgres_url, request.param)
        await empty(url)
        return factory_at(url, POSTGRES, f"schemas in PostgreSQL, {request.param}")


class TestMariaDB(SchemaStoreConformance):
    @pytest_asyncio.fixture(params=drivers("asyncmy", "aiomysql"))
    async def schemas(self, mariadb_url, request):
        url = through(mariadb_url, request.param)
        await empty(url)
        return factory_at(url, (StepMode.AUTOCOMMIT,), f"schemas in MariaDB, {request.param}")


class TestMongo(SchemaStoreConformance):
    @pytest_asyncio.fixture
    async def schemas(self, mongo_url):
        await mongo_schemas.empty(mongo_url)
        return mongo_schemas.factory_at(mongo_url, "schemas in MongoDB, replica set")


class TestMongoAlone(SchemaStoreConformance):
    @pytest_asyncio.fixture
    async def schemas(self, mongo_alone_url):
        await mongo_schemas.empty(mongo_alone_url)
        return mongo_schemas.factory_at(mongo_alone_url, "schemas in MongoDB, stand-alone")
