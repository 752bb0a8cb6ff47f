"""Lease stores on real servers keep the promises of every lease store."""

import pytest
from sqlalchemy import make_url

from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.locks.mongo import MongoLeaseStore
from fastapi_easy.infrastructure.locks.redis import RedisLeaseStore
from fastapi_easy.infrastructure.locks.relational.mysql import MySqlLeaseStore
from fastapi_easy.infrastructure.locks.relational.mysql_named import MySqlNamedLockStore
from fastapi_easy.infrastructure.locks.relational.postgres import PostgresLeaseStore
from fastapi_easy.infrastructure.locks.relational.postgres_advisory import PostgresAdvisoryLockStore
from fastapi_easy.testing.conformance import LeaseStoreConformance, LeaseStoreFactory
from tests.conformance.columns import drivers
from tests.conformance.mongo_store import through as through_mongo


def through(url, scheme, driver):
    return make_url(url).set(drivername=f"{scheme}+{driver}")


class TestPostgres(LeaseStoreConformance):
    @pytest.fixture(params=drivers("asyncpg", "psycopg"))
    def leases(self, postgres_url, request):
        url = through(postgres_url, "postgresql", request.param)
        return LeaseStoreFactory(
            open=lambda: PostgresLeaseStore(url), column=f"locks in PostgreSQL, {request.param}"
        )


class TestMariaDB(LeaseStoreConformance):
    @pytest.fixture(params=drivers("asyncmy", "aiomysql"))
    def leases(self, mariadb_url, request):
        url = through(mariadb_url, "mysql", request.param)
        return LeaseStoreFactory(
            open=lambda: MySqlLeaseStore(url), column=f"locks in MariaDB, {request.param}"
        )


class TestRedis(LeaseStoreConformance):
    @pytest.fixture
    def leases(self, redis_url):
        return LeaseStoreFactory(open=lambda: RedisLeaseStore(redis_url), column="locks in Redis")


class TestMongo(LeaseStoreConformance):
    @pytest.fixture(params=drivers("pymongo", "motor"))
    def leases(self, mongo_url, request):
        url = through_mongo(request.param, mongo_url)
        return LeaseStoreFactory(
            open=lambda: MongoLeaseStore(url), column=f"locks in MongoDB, {request.param}"
        )


class TestPostgresSessions(LeaseStoreConformance):
    @pytest.fixture
    def leases(self, postgres_url):
        url = through(postgres_url, "postgresql", "asyncpg")
        return LeaseStoreFactory(
            open=lambda: PostgresAdvisoryLockStore(url, SystemClock()),
            column="session locks in PostgreSQL",
        )


class TestMariaDBSessions(LeaseStoreConformance):
    @pytest.fixture
    def leases(self, mariadb_url):
        url = through(mariadb_url, "mysql", "asyncmy")
        return LeaseStoreFactory(
            open=lambda: MySqlNamedLockStore(url, SystemClock()),
            column="session locks in MariaDB",
        )
