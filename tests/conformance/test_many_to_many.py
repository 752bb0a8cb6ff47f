"""Many-to-many relations are the same on every store: through association tables, and by lists of keys."""

from contextlib import asynccontextmanager
from functools import partial

import pytest
import pytest_asyncio

from fastapi_easy.composition.technologies import describe
from fastapi_easy.infrastructure.persistence.sqlmodel.mapping import describe as sqlmodel_describe
from fastapi_easy.infrastructure.technologies.memory import TECHNOLOGY
from fastapi_easy.testing.conformance import SCHOOL, ManyToManyConformance, store_of
from fastapi_easy.testing.conformance.store import Suite
from tests.conformance.columns import FULL
from tests.conformance.many_to_many_entities import (
    DATACLASSES,
    MODELS,
    SQLALCHEMY,
    SQLMODEL,
    WITH_LISTS,
    tortoise_school,
)
from tests.conformance.memory_store import memory_store
from tests.conformance.mongo_store import mongo_store
from tests.conformance.sqlalchemy_store import sqlalchemy_store
from tests.conformance.tortoise_store import tortoise_store

FULL_COLUMNS = {
    "memory, dataclasses": ("", lambda _: memory_store(DATACLASSES, "memory, dataclasses")),
    "memory, SQLAlchemy": ("", lambda _: memory_store(SQLALCHEMY, "memory, SQLAlchemy", describe)),
    "SQLite, SQLAlchemy": ("sqlite_url", partial(sqlalchemy_store, entities=SQLALCHEMY)),
    "PostgreSQL, SQLAlchemy": ("asyncpg_url", partial(sqlalchemy_store, entities=SQLALCHEMY)),
    "PostgreSQL, lists": ("asyncpg_url", partial(sqlalchemy_store, entities=WITH_LISTS, linked=False)),
    "MariaDB, SQLAlchemy": ("mariadb_url", partial(sqlalchemy_store, entities=SQLALCHEMY)),
    "MongoDB, models": (
        "mongo_url",
        partial(mongo_store, entities=MODELS, column="MongoDB, pymongo, pydantic models"),
    ),
}


MAPPED_COLUMNS = {
    "memory, shapes": ("", lambda _: store_of(TECHNOLOGY, "memory://", shapes=SCHOOL)),
    "SQLite, SQLModel": (
        "sqlite_url",
        partial(sqlalchemy_store, entities=SQLMODEL, describe=sqlmodel_describe),
    ),
    "SQLite, Tortoise": ("sqlite_url", partial(tortoise_store, entities=tortoise_school("school_on_sqlite"))),
    "PostgreSQL, lists, psycopg": (
        "psycopg_url",
        partial(sqlalchemy_store, entities=WITH_LISTS, linked=False),
    ),
    "PostgreSQL, Tortoise": (
        "postgres_url",
        partial(tortoise_store, entities=tortoise_school("school_on_postgres")),
    ),
    "MariaDB, Tortoise": (
        "mariadb_url",
        partial(tortoise_store, entities=tortoise_school("school_on_mariadb")),
    ),
}
"""What differs from another column in its driver, or in how classes are mapped."""


class MappedCases(Suite):
    """The cases that a mapping or a driver can get wrong."""

    test_filters_lead_along_them_from_both_ends = (
        ManyToManyConformance.test_filters_lead_along_them_from_both_ends
    )
    test_selects_the_students_of_each_course_in_the_order_asked_for = (
        ManyToManyConformance.test_selects_the_students_of_each_course_in_the_order_asked_for
    )
    test_deleted_links_lead_nowhere = ManyToManyConformance.test_deleted_links_lead_nowhere
    test_what_is_linked_twice_is_there_once = ManyToManyConformance.test_what_is_linked_twice_is_there_once


@pytest.fixture(scope="module")
def sqlite_url(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('school') / 'school.db'}"


@pytest.fixture(scope="module")
def asyncpg_url(postgres_url):
    return postgres_url.replace("postgresql://", "postgresql+asyncpg://")


@pytest.fixture(scope="module")
def psycopg_url(postgres_url):
    return postgres_url.replace("postgresql://", "postgresql+psycopg://")


@asynccontextmanager
async def _opened(column, request):
    fixture, open_store = column
    async with open_store(request.getfixturevalue(fixture) if fixture else None) as store:
        yield store


@pytest_asyncio.fixture(scope="module", params=FULL_COLUMNS)
async def full_column(request):
    async with _opened(FULL_COLUMNS[request.param], request) as store:
        yield store


@pytest_asyncio.fixture(scope="module", params=MAPPED_COLUMNS)
async def mapped_column(request):
    async with _opened(MAPPED_COLUMNS[request.param], request) as store:
        yield store


class TestSchool(ManyToManyConformance):
    @pytest.fixture
    def store(self, full_column):
        return full_column


class TestMappedSchool(ManyToManyConformance if FULL else MappedCases):
    @pytest.fixture
    def store(self, mapped_column):
        return mapped_column
