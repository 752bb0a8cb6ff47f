"""Random rows and random queries: every adapter answers as the memory adapter does."""

import pytest
import pytest_asyncio

from tests.conformance import memory_entities, sqlalchemy_entities
from tests.conformance.memory_store import memory_store
from tests.conformance.oracle import Oracle
from tests.conformance.sqlalchemy_store import sqlalchemy_store


@pytest_asyncio.fixture(scope="module")
async def memory():
    async with memory_store(memory_entities.DATACLASSES) as store:
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


class TestMariaDB(Oracle):
    @pytest.fixture
    def store(self, mariadb):
        return mariadb
