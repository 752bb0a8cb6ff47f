"""The memory adapter keeps the promises it is the reference for."""

import pytest
import pytest_asyncio

from fastapi_easy.composition.technologies import describe
from fastapi_easy.testing.conformance import RepositoryConformance, UnitOfWorkConformance
from tests.conformance import sqlalchemy_entities, sqlmodel_entities
from tests.conformance.columns import MappingCases, MappingCasesInUnitsOfWork
from tests.conformance.memory_entities import DATACLASSES, MODELS
from tests.conformance.memory_store import memory_store


@pytest_asyncio.fixture(scope="module")
async def of_dataclasses():
    async with memory_store(DATACLASSES, "memory, dataclasses") as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def of_models():
    async with memory_store(MODELS, "memory, pydantic models") as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def of_sqlalchemy():
    async with memory_store(sqlalchemy_entities.WITH_ARRAYS, "memory, SQLAlchemy", describe) as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def of_sqlmodel():
    async with memory_store(sqlmodel_entities.WITH_ARRAYS, "memory, SQLModel", describe) as store:
        yield store


class Dataclasses:
    @pytest.fixture
    def store(self, of_dataclasses):
        return of_dataclasses


class Models:
    @pytest.fixture
    def store(self, of_models):
        return of_models


class TestDataclasses(Dataclasses, RepositoryConformance): ...


class TestDataclassesInUnitsOfWork(Dataclasses, UnitOfWorkConformance): ...


class TestModels(Models, MappingCases): ...


class TestModelsInUnitsOfWork(Models, MappingCasesInUnitsOfWork): ...


class SQLAlchemy:
    @pytest.fixture
    def store(self, of_sqlalchemy):
        return of_sqlalchemy


class TestSQLAlchemy(SQLAlchemy, MappingCases): ...


class TestSQLAlchemyInUnitsOfWork(SQLAlchemy, MappingCasesInUnitsOfWork): ...


class SQLModel:
    @pytest.fixture
    def store(self, of_sqlmodel):
        return of_sqlmodel


class TestSQLModel(SQLModel, MappingCases): ...


class TestSQLModelInUnitsOfWork(SQLModel, MappingCasesInUnitsOfWork): ...
