"""Every place for an audit trail keeps the same promises."""

import pytest

from fastapi_easy.composition.technologies import technology_of
from fastapi_easy.infrastructure.events.in_process import InProcessEventBus
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.persistence.tortoise.connection import TortoiseDatabase
from fastapi_easy.infrastructure.relational.system_tables.audit_tables import AUDIT_NAMES, AUDIT_TABLES
from fastapi_easy.testing.conformance import AuditSinkConformance


class InDatabase(AuditSinkConformance):
    @pytest.fixture
    async def sink(self, database):
        make = technology_of(database).audit
        assert make is not None
        yield make(database)
        await drop_trail(database)
        await database.close()

    @pytest.fixture
    def begin(self, database):
        make = technology_of(database).unit_of_work
        return lambda: make(database, {}, {}, InProcessEventBus())


async def drop_trail(database):
    if isinstance(database, MongoDatabase):
        for name in AUDIT_NAMES:
            _ = await database.client.collection(name).drop()
    elif isinstance(database, SqlAlchemyDatabase):
        await database.executor.run_sync(AUDIT_TABLES.drop_all)


class TestMemory(InDatabase):
    @pytest.fixture
    def database(self):
        return MemoryDatabase()


class TestSqlite(InDatabase):
    @pytest.fixture
    def database(self):
        return SqlAlchemyDatabase("default", "sqlite://")


class TestTortoise(InDatabase):
    @pytest.fixture
    def database(self, tmp_path):
        return TortoiseDatabase("default", f"sqlite:///{tmp_path / 'trail.sqlite3'}")


class TestPostgres(InDatabase):
    @pytest.fixture
    def database(self, postgres_url):
        return SqlAlchemyDatabase("default", postgres_url)


class TestMariaDB(InDatabase):
    @pytest.fixture
    def database(self, mariadb_url):
        return SqlAlchemyDatabase("default", mariadb_url)


class TestMongo(InDatabase):
    @pytest.fixture
    def database(self, mongo_url):
        return MongoDatabase("default", mongo_url)


del InDatabase
