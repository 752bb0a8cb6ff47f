"""Random rows and random queries: every adapter answers as the memory adapter does."""

import pytest
import pytest_asyncio

from tests.conformance import memory_entities, sqlalchemy_entities, tortoise_entities
from tests.conformance.columns import only_when_full
from tests.conformance.memory_store import memory_store
from tests.conformance.mongo_store import mongo_store, through
from tests.conformance.oracle import Oracle
from tests.conformance.sqlalchemy_store import sqlalchemy_store
from tests.conformance.tortoise_store import tortoise_store


@pytest_asyncio.fixture(scope="module")
async def memory():
    async with memory_store(memory_entities.DATACLASSES, "memory, dataclasses") as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def sqlite(tmp_path_factory):
    path = tmp_path_factory.mktemp("oracle") / "oracle.db"
    async with sqlalchemy_store(f"sqlite+aiosqlite:///{path}", sqlalchemy_entities.ENTITIES) as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def postgres(postgres_url):
    url = postgres_url.replace("postgresql://", "postgresql+asyncpg://")
    async with sqlalchemy_store(url, sqlalchemy_entities.WITH_ARRAYS) as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def mariadb(mariadb_url):
    url = mariadb_url.replace("mysql://", "mysql+aiomysql://")
    async with sqlalchemy_store(url, sqlalchemy_entities.ENTITIES) as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def tortoise_on_sqlite(tmp_path_factory):
    path = tmp_path_factory.mktemp("oracle") / "tortoise.db"
    async with tortoise_store(f"sqlite:///{path}", tortoise_entities.ON_SQLITE) as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def tortoise_on_postgres(postgres_url):
    async with tortoise_store(postgres_url, tortoise_entities.ON_POSTGRES) as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def tortoise_on_mariadb(mariadb_url):
    async with tortoise_store(mariadb_url, tortoise_entities.ON_MARIADB) as store:
        yield store


@pytest_asyncio.fixture(scope="module", params=["pymongo", pytest.param("motor", marks=only_when_full)])
async def mongo(mongo_url, request):
    async with mongo_store(
        through(request.param, mongo_url), memory_entities.MODELS, f"MongoDB, {request.param}, oracle"
    ) as store:
        yield store


@only_when_full
class TestMemory(Oracle):
    """The reference agrees with itself: what is tested here is the oracle."""

    @pytest.fixture
    def store(self, memory):
        return memory


class TestSqlite(Oracle):
    @pytest.fixture
    def store(self, sqlite):
        return sqlite


class TestPostgres(Oracle):
    @pytest.fixture
    def store(self, postgres):
        return postgres


@only_when_full
class TestMariaDB(Oracle):
    @pytest.fixture
    def store(self, mariadb):
        return mariadb


@only_when_full
class TestTortoiseOnSqlite(Oracle):
    @pytest.fixture
    def store(self, tortoise_on_sqlite):
        return tortoise_on_sqlite


@only_when_full
class TestTortoiseOnPostgres(Oracle):
    @pytest.fixture
    def store(self, tortoise_on_postgres):
        return tortoise_on_postgres


@only_when_full
class TestTortoiseOnMariaDB(Oracle):
    @pytest.fixture
    def store(self, tortoise_on_mariadb):
        return tortoise_on_mariadb


class TestMongo(Oracle):
    @pytest.fixture
    def store(self, mongo):
        return mongo
