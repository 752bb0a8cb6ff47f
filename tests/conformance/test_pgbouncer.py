"""PostgreSQL behind PgBouncer in transaction mode keeps the promises of every store, through both of its drivers.

The defaults of the database are others than the ones wanted, so that what a session is not told is seen.
"""

import psycopg
import pytest
import pytest_asyncio
from psycopg import sql

from fastapi_easy.infrastructure.audit.relational.sink import RelationalAuditSink
from fastapi_easy.infrastructure.events.in_process import InProcessEventBus
from fastapi_easy.infrastructure.locks.relational.postgres import PostgresLeaseStore
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork
from fastapi_easy.infrastructure.relational.url import resolve
from fastapi_easy.testing.conformance import (
    AuditSinkConformance,
    InboxConformance,
    LeaseStoreConformance,
    LeaseStoreFactory,
    OutboxConformance,
)
from tests.conformance import sqlalchemy_entities
from tests.conformance.columns import MappingCases, MappingCasesInUnitsOfWork, drivers, only_when_full
from tests.conformance.sqlalchemy_store import sqlalchemy_store
from tests.conformance.test_audit_sinks import drop_trail
from tests.services.service import with_database

DRIVERS = drivers("asyncpg", "psycopg")

ODD_DEFAULTS = {"TimeZone": "Asia/Tokyo", "default_transaction_isolation": "serializable"}


def through(driver, url):
    return url.replace("postgresql://", f"postgresql+{driver}://")


@pytest.fixture(scope="module")
def odd_url(pgbouncer_url):
    name = pgbouncer_url.rpartition("/")[2]
    with psycopg.connect(with_database(pgbouncer_url, "postgres"), autocommit=True) as connection:
        for setting, value in ODD_DEFAULTS.items():
            words = "ALTER DATABASE {} SET {} = {}"
            connection.execute(
                sql.SQL(words).format(sql.Identifier(name), sql.Identifier(setting), sql.Literal(value))
            )
    return pgbouncer_url


@pytest_asyncio.fixture(scope="module", params=DRIVERS)
async def behind_pgbouncer(odd_url, request):
    url = through(request.param, odd_url)
    async with sqlalchemy_store(url, sqlalchemy_entities.WITH_ARRAYS, mapped="behind PgBouncer") as store:
        assert store.database.executor.sessions.are_shared
        yield store


class BehindPgBouncer:
    @pytest.fixture
    def store(self, behind_pgbouncer):
        return behind_pgbouncer


class TestBehindPgBouncer(BehindPgBouncer, MappingCases): ...


class TestBehindPgBouncerInUnitsOfWork(BehindPgBouncer, MappingCasesInUnitsOfWork): ...


@only_when_full
class TestOutboxBehindPgBouncer(BehindPgBouncer, OutboxConformance): ...


@only_when_full
class TestInboxBehindPgBouncer(BehindPgBouncer, InboxConformance): ...


@only_when_full
class TestAuditSinkBehindPgBouncer(AuditSinkConformance):
    @pytest.fixture(params=DRIVERS)
    def database(self, odd_url, request):
        return SqlAlchemyDatabase("default", through(request.param, odd_url))

    @pytest.fixture
    async def sink(self, database):
        yield RelationalAuditSink(database)
        await drop_trail(database)
        await database.close()

    @pytest.fixture
    def begin(self, database):
        return lambda: SqlAlchemyUnitOfWork(database, {}, {}, InProcessEventBus())


@only_when_full
class TestLeasesBehindPgBouncer(LeaseStoreConformance):
    @pytest.fixture(params=DRIVERS)
    def leases(self, odd_url, request):
        url = resolve(through(request.param, odd_url))
        return LeaseStoreFactory(
            open=lambda: PostgresLeaseStore(url), column=f"locks behind PgBouncer, {request.param}"
        )
