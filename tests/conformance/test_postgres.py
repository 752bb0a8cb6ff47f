"""PostgreSQL keeps the promises of every store, through both of its drivers."""

import pytest
import pytest_asyncio

from fastapi_easy.infrastructure.persistence.sqlmodel.mapping import describe
from fastapi_easy.testing.conformance import RepositoryConformance, UnitOfWorkConformance
from tests.conformance import sqlalchemy_entities, sqlmodel_entities
from tests.conformance.columns import MappingCases, MappingCasesInUnitsOfWork
from tests.conformance.sqlalchemy_store import sqlalchemy_store


@pytest_asyncio.fixture(scope="module", params=["asyncpg", "psycopg"])
async def of_sqlalchemy(postgres_url, request):
    url = postgres_url.replace("postgresql://", f"postgresql+{request.param}://")
    async with sqlalchemy_store(url, sqlalchemy_entities.WITH_ARRAYS) as store:
        yield store


@pytest_asyncio.fixture(scope="module", params=["asyncpg", "psycopg"])
async def of_sqlmodel(postgres_url, request):
    url = postgres_url.replace("postgresql://", f"postgresql+{request.param}://")
    async with sqlalchemy_store(url, sqlmodel_entities.WITH_ARRAYS, describe) as store:
        yield store


class SQLAlchemy:
    @pytest.fixture
    def store(self, of_sqlalchemy):
        return of_sqlalchemy


class SQLModel:
    @pytest.fixture
    def store(self, of_sqlmodel):
        return of_sqlmodel


class TestSQLAlchemy(SQLAlchemy, RepositoryConformance): ...


class TestSQLAlchemyInUnitsOfWork(SQLAlchemy, UnitOfWorkConformance): ...


class TestSQLModel(SQLModel, MappingCases): ...


class TestSQLModelInUnitsOfWork(SQLModel, MappingCasesInUnitsOfWork): ...
