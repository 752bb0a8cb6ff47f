"""Tortoise's models keep the promises of every store, on each kind of database and through each driver."""

import pytest
import pytest_asyncio

from fastapi_easy.testing.conformance import RepositoryConformance, UnitOfWorkConformance
from tests.conformance import memory_entities, tortoise_entities
from tests.conformance.columns import DriverCases, MappingCases, MappingCasesInUnitsOfWork, only_when_full
from tests.conformance.tortoise_store import tortoise_store


@pytest_asyncio.fixture(scope="module")
async def on_sqlite(tmp_path_factory):
    path = tmp_path_factory.mktemp("tortoise") / "tortoise.db"
    async with tortoise_store(f"sqlite:///{path}", tortoise_entities.ON_SQLITE) as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def of_dataclasses(tmp_path_factory):
    path = tmp_path_factory.mktemp("tortoise") / "dataclasses.db"
    async with tortoise_store(
        f"sqlite:///{path}", tortoise_entities.ON_SQLITE, given_as=memory_entities.DATACLASSES
    ) as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def on_postgres(postgres_url):
    async with tortoise_store(postgres_url, tortoise_entities.ON_POSTGRES) as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def on_mariadb(mariadb_url):
    url = mariadb_url.replace("mysql://", "mysql+asyncmy://")
    async with tortoise_store(url, tortoise_entities.ON_MARIADB) as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def through_aiomysql(mariadb_url):
    url = mariadb_url.replace("mysql://", "mysql+aiomysql://")
    async with tortoise_store(url, tortoise_entities.ON_MARIADB) as store:
        yield store


class OnSqlite:
    @pytest.fixture
    def store(self, on_sqlite):
        return on_sqlite


class OfDataclasses:
    @pytest.fixture
    def store(self, of_dataclasses):
        return of_dataclasses


class OnPostgres:
    @pytest.fixture
    def store(self, on_postgres):
        return on_postgres


class OnMariaDB:
    @pytest.fixture
    def store(self, on_mariadb):
        return on_mariadb


class ThroughAiomysql:
    @pytest.fixture
    def store(self, through_aiomysql):
        return through_aiomysql


class TestOnSqlite(OnSqlite, DriverCases): ...


class TestOnSqliteInUnitsOfWork(OnSqlite, UnitOfWorkConformance): ...


class TestDataclassesStoredAsModels(OfDataclasses, MappingCases): ...


class TestDataclassesStoredAsModelsInUnitsOfWork(OfDataclasses, MappingCasesInUnitsOfWork): ...


class TestOnPostgres(OnPostgres, RepositoryConformance): ...


class TestOnPostgresInUnitsOfWork(OnPostgres, UnitOfWorkConformance): ...


class TestOnMariaDB(OnMariaDB, DriverCases): ...


class TestOnMariaDBInUnitsOfWork(OnMariaDB, UnitOfWorkConformance): ...


@only_when_full
class TestOnMariaDBThroughAiomysql(ThroughAiomysql, MappingCases): ...


@only_when_full
class TestOnMariaDBThroughAiomysqlInUnitsOfWork(ThroughAiomysql, MappingCasesInUnitsOfWork): ...
