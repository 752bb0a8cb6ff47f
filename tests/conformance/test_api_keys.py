"""Every store of API keys keeps the same promises."""

import pytest

from fastapi_easy.composition.technologies import technology_of
from fastapi_easy.domain.authentication.api_key import API_KEYS
from fastapi_easy.infrastructure.authentication.api_keys.cached_store import CachedApiKeyStore
from fastapi_easy.infrastructure.authentication.api_keys.memory import MemoryApiKeyStore
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.persistence.tortoise.connection import TortoiseDatabase
from fastapi_easy.infrastructure.relational.system_tables.journal_tables import table_of
from fastapi_easy.testing import FrozenClock
from fastapi_easy.testing.conformance import ApiKeyStoreConformance


def store_in(database):
    make = technology_of(database).api_keys
    assert make is not None
    return make(database)


class TestMemory(ApiKeyStoreConformance):
    @pytest.fixture
    def api_keys(self):
        return MemoryApiKeyStore()


class TestSqlite(ApiKeyStoreConformance):
    @pytest.fixture
    async def api_keys(self):
        database = SqlAlchemyDatabase("default", "sqlite://")
        yield store_in(database)
        await database.close()


class TestTortoise(ApiKeyStoreConformance):
    @pytest.fixture
    async def api_keys(self, tmp_path):
        database = TortoiseDatabase("default", f"sqlite:///{tmp_path / 'keys.sqlite3'}")
        yield store_in(database)
        await database.close()


class TestCached(ApiKeyStoreConformance):
    """A store that is remembered for no time is the store; what it writes beside calls is awaited elsewhere."""

    test_the_last_use_never_goes_back = None  # type: ignore[assignment]

    @pytest.fixture
    def api_keys(self):
        return CachedApiKeyStore(MemoryApiKeyStore(), FrozenClock(), seconds=5.0)


class OnServer(ApiKeyStoreConformance):
    @pytest.fixture
    async def api_keys(self, database):
        yield store_in(database)
        await drop_keys(database)
        await database.close()


async def drop_keys(database):
    if isinstance(database, MongoDatabase):
        _ = await database.client.collection(API_KEYS.name).drop()
    else:
        await database.executor.run_sync(table_of(API_KEYS).drop)


class TestPostgres(OnServer):
    @pytest.fixture
    def database(self, postgres_url):
        return SqlAlchemyDatabase("default", postgres_url)


class TestMariaDB(OnServer):
    @pytest.fixture
    def database(self, mariadb_url):
        return SqlAlchemyDatabase("default", mariadb_url)


class TestMongo(OnServer):
    @pytest.fixture
    def database(self, mongo_url):
        return MongoDatabase("default", mongo_url)


del OnServer
