"""Every store of webhooks keeps the same promises."""

import pytest

from fastapi_easy.composition.technologies import technology_of
from fastapi_easy.domain.webhooks.table import WEBHOOKS
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.relational.system_tables.journal_tables import table_of
from fastapi_easy.testing.conformance import WebhookStoreConformance


def store_in(database):
    make = technology_of(database).webhooks
    assert make is not None
    return make(database)


class TestMemory(WebhookStoreConformance):
    @pytest.fixture
    def webhooks(self):
        return store_in(MemoryDatabase("default"))


class TestSqlite(WebhookStoreConformance):
    @pytest.fixture
    async def webhooks(self):
        database = SqlAlchemyDatabase("default", "sqlite://")
        yield store_in(database)
        await database.close()


class OnServer(WebhookStoreConformance):
    @pytest.fixture
    async def webhooks(self, database):
        yield store_in(database)
        if isinstance(database, MongoDatabase):
            _ = await database.client.collection(WEBHOOKS.name).drop()
        else:
            await database.executor.run_sync(table_of(WEBHOOKS).drop)
        await database.close()


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
