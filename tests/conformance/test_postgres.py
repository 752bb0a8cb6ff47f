"""PostgreSQL keeps the promises of every store, through both of its drivers."""

import pytest
import pytest_asyncio

from fastapi_easy.infrastructure.persistence.sqlmodel.mapping import describe
from fastapi_easy.testing.conformance import RepositoryConformance, UnitOfWorkConformance
from tests.conformance import joined_entities, sqlalchemy_entities, sqlmodel_entities
from tests.conformance.columns import DriverCases, MappingCases, MappingCasesInUnitsOfWork, drivers
from tests.conformance.sqlalchemy_store import sqlalchemy_store

FIRST, SECOND = "asyncpg", "psycopg"


def url_through(driver, url):
    return url.replace("postgresql://", f"postgresql+{driver}://")


@pytest_asyncio.fixture(scope="module")
async def of_sqlalchemy(postgres_url):
    async with sqlalchemy_store(url_through(FIRST, postgres_url), sqlalchemy_entities.WITH_ARRAYS) as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def through_the_second_driver(postgres_url):
    async with sqlalchemy_store(url_through(SECOND, postgres_url), sqlalchemy_entities.WITH_ARRAYS) as store:
        yield store


@pytest_asyncio.fixture(scope="module", params=drivers(FIRST, SECOND))
async def of_sqlmodel(postgres_url, request):
    url = url_through(request.param, postgres_url)
    async with sqlalchemy_store(url, sqlmodel_entities.WITH_ARRAYS, describe) as store:
        yield store


class SQLAlchemy:
    @pytest.fixture
    def store(self, of_sqlalchemy):
        return of_sqlalchemy


class ThroughTheSecondDriver:
    @pytest.fixture
    def store(self, through_the_second_driver):
        return through_the_second_driver


class SQLModel:
    @pytest.fixture
    def store(self, of_sqlmodel):
        return of_sqlmodel


class TestSQLAlchemy(SQLAlchemy, RepositoryConformance): ...


class TestSQLAlchemyInUnitsOfWork(SQLAlchemy, UnitOfWorkConformance): ...


class TestThroughTheSecondDriver(ThroughTheSecondDriver, DriverCases): ...


class TestThroughTheSecondDriverInUnitsOfWork(ThroughTheSecondDriver, UnitOfWorkConformance): ...


class TestSQLModel(SQLModel, MappingCases): ...


class TestSQLModelInUnitsOfWork(SQLModel, MappingCasesInUnitsOfWork): ...


@pytest_asyncio.fixture(scope="module")
async def of_joined_classes(postgres_url):
    entities, mapped = joined_entities.WITH_ARRAYS, "in two tables"
    async with sqlalchemy_store(url_through(FIRST, postgres_url), entities, mapped=mapped) as store:
        yield store


class InTwoTables:
    @pytest.fixture
    def store(self, of_joined_classes):
        return of_joined_classes


class TestInTwoTables(InTwoTables, MappingCases): ...


class TestInTwoTablesInUnitsOfWork(InTwoTables, MappingCasesInUnitsOfWork): ...
