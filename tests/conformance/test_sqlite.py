"""SQLite, as a file, keeps the promises of every store."""

import pytest
import pytest_asyncio

from fastapi_easy.infrastructure.persistence.sqlmodel.mapping import describe
from fastapi_easy.testing.conformance import RepositoryConformance, UnitOfWorkConformance
from tests.conformance import joined_entities, memory_entities, sqlalchemy_entities, sqlmodel_entities
from tests.conformance.columns import MappingCases, MappingCasesInUnitsOfWork, only_when_full
from tests.conformance.sqlalchemy_store import sqlalchemy_store


@pytest_asyncio.fixture(scope="module")
async def of_sqlalchemy(tmp_path_factory):
    path = tmp_path_factory.mktemp("sqlite") / "sqlalchemy.db"
    async with sqlalchemy_store(f"sqlite+aiosqlite:///{path}", sqlalchemy_entities.ENTITIES) as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def of_sqlmodel(tmp_path_factory):
    path = tmp_path_factory.mktemp("sqlite") / "sqlmodel.db"
    async with sqlalchemy_store(f"sqlite+aiosqlite:///{path}", sqlmodel_entities.ENTITIES, describe) as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def of_dataclasses(tmp_path_factory):
    path = tmp_path_factory.mktemp("sqlite") / "dataclasses.db"
    async with sqlalchemy_store(
        f"sqlite+aiosqlite:///{path}",
        sqlalchemy_entities.ENTITIES,
        given_as=memory_entities.DATACLASSES,
    ) as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def of_joined_classes(tmp_path_factory):
    path = tmp_path_factory.mktemp("sqlite") / "joined.db"
    entities, mapped = joined_entities.ENTITIES, "in two tables"
    async with sqlalchemy_store(f"sqlite+aiosqlite:///{path}", entities, mapped=mapped) as store:
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


class Dataclasses:
    @pytest.fixture
    def store(self, of_dataclasses):
        return of_dataclasses


class TestDataclassesStoredAsSQLAlchemy(Dataclasses, MappingCases): ...


class TestDataclassesStoredAsSQLAlchemyInUnitsOfWork(Dataclasses, MappingCasesInUnitsOfWork): ...


class InTwoTables:
    @pytest.fixture
    def store(self, of_joined_classes):
        return of_joined_classes


@only_when_full
class TestInTwoTables(InTwoTables, MappingCases): ...


@only_when_full
class TestInTwoTablesInUnitsOfWork(InTwoTables, MappingCasesInUnitsOfWork): ...
