"""MongoDB keeps the promises of every store, through both of its clients."""

import pytest
import pytest_asyncio

from fastapi_easy.testing.conformance import RepositoryConformance, UnitOfWorkConformance
from tests.conformance.columns import (
    DriverCases,
    MappingCases,
    MappingCasesInUnitsOfWork,
    drivers,
    only_when_full,
)
from tests.conformance.memory_entities import DATACLASSES, MODELS
from tests.conformance.mongo_store import mongo_store, through


@pytest_asyncio.fixture(scope="module")
async def of_models(mongo_url):
    async with mongo_store(mongo_url, MODELS, "MongoDB, pymongo, pydantic models") as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def through_motor(mongo_url):
    async with mongo_store(through("motor", mongo_url), MODELS, "MongoDB, motor, pydantic models") as store:
        yield store


@pytest_asyncio.fixture(scope="module", params=drivers("pymongo", "motor"))
async def of_dataclasses(mongo_url, request):
    url = through(request.param, mongo_url)
    async with mongo_store(url, DATACLASSES, f"MongoDB, {request.param}, dataclasses") as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def of_models_given_as_dataclasses(mongo_url):
    column = "MongoDB, pymongo, stored as another class"
    async with mongo_store(mongo_url, MODELS, column, given_as=DATACLASSES) as store:
        yield store


class Models:
    @pytest.fixture
    def store(self, of_models):
        return of_models


class ThroughMotor:
    @pytest.fixture
    def store(self, through_motor):
        return through_motor


class Dataclasses:
    @pytest.fixture
    def store(self, of_dataclasses):
        return of_dataclasses


class TestModels(Models, RepositoryConformance): ...


class TestModelsInUnitsOfWork(Models, UnitOfWorkConformance): ...


class TestThroughMotor(ThroughMotor, DriverCases): ...


class TestThroughMotorInUnitsOfWork(ThroughMotor, UnitOfWorkConformance): ...


class TestDataclasses(Dataclasses, MappingCases): ...


class TestDataclassesInUnitsOfWork(Dataclasses, MappingCasesInUnitsOfWork): ...


class TestStoredAs(MappingCases):
    @pytest.fixture
    def store(self, of_models_given_as_dataclasses):
        return of_models_given_as_dataclasses


@pytest_asyncio.fixture(scope="module")
async def standing_alone(mongo_alone_url):
    async with mongo_store(mongo_alone_url, MODELS, "MongoDB, pymongo, a server that stands alone") as store:
        yield store


@pytest_asyncio.fixture(scope="module")
async def standing_alone_through_motor(mongo_alone_url):
    column = "MongoDB, motor, a server that stands alone"
    async with mongo_store(through("motor", mongo_alone_url), MODELS, column) as store:
        yield store


class TestStandingAlone(DriverCases):
    """Without transactions everything but those is kept; see ADR 16 for what bulk writes then promise."""

    @pytest.fixture
    def store(self, standing_alone):
        return standing_alone


@only_when_full
class TestStandingAloneThroughMotor(MappingCases):
    @pytest.fixture
    def store(self, standing_alone_through_motor):
        return standing_alone_through_motor
