"""SQLite, PostgreSQL, MySQL and MariaDB, and SQLAlchemy's declarative classes."""

from sqlalchemy import URL

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.ports import Clock, Database, LeaseStore
from fastapi_easy.domain.ports.technology import DatabaseRequest, Technology
from fastapi_easy.infrastructure.locks.relational import fence as relational_fence
from fastapi_easy.infrastructure.persistence.sqlalchemy import journal
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy.repository import SqlAlchemyRepository
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables import mapping
from fastapi_easy.infrastructure.persistence.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork
from fastapi_easy.infrastructure.relational.options import ConnectionOptions
from fastapi_easy.infrastructure.relational.url import resolve

__all__ = ["TECHNOLOGY"]


def _is_embedded(url: str) -> bool:
    return url.startswith("sqlite")


def _open(request: DatabaseRequest) -> Database:
    limits = ConnectionOptions(**request.limits)
    return SqlAlchemyDatabase(request.name, request.url, limits, request.breaker, request.tracer)


def _leases(database: SqlAlchemyDatabase, _clock: Clock) -> LeaseStore:
    # Creates the folder of a temporary SQLite file, in which the leases are kept too.
    _ = database.begin()
    return _leases_in(database.executor.engine.url)


def _leases_at(url: str, _clock: Clock) -> LeaseStore:
    return _leases_in(resolve(url))


def _leases_in(url: URL) -> LeaseStore:
    # Imported when they are chosen, so that an application without locks does not pay for them.
    match url.get_backend_name():
        case "sqlite":
            from fastapi_easy.infrastructure.locks.relational.sqlite import SqliteLeaseStore

            return SqliteLeaseStore(url)
        case "postgresql":
            from fastapi_easy.infrastructure.locks.relational.postgres import PostgresLeaseStore

            return PostgresLeaseStore(url)
        case _:  # `resolve` lets nothing pass but these and MySQL, MariaDB
            from fastapi_easy.infrastructure.locks.relational.mysql import MySqlLeaseStore

            return MySqlLeaseStore(url)


def _session_locks(url: str, clock: Clock) -> LeaseStore:
    resolved = resolve(url)
    match resolved.get_backend_name():
        case "postgresql":
            from fastapi_easy.infrastructure.locks.relational.postgres_advisory import (
                PostgresAdvisoryLockStore,
            )

            return PostgresAdvisoryLockStore(resolved, clock)
        case "mysql" | "mariadb":
            from fastapi_easy.infrastructure.locks.relational.mysql_named import MySqlNamedLockStore

            return MySqlNamedLockStore(resolved, clock)
        case other:
            raise DeclarationError([f"{other} has no session locks: use open_leases"])


TECHNOLOGY = Technology(
    name="SQLAlchemy",
    recognises=mapping.recognises,
    describe=mapping.describe,
    schemes=("sqlite", "postgresql", "postgres", "mysql", "mariadb"),
    is_embedded=_is_embedded,
    open=_open,
    database=SqlAlchemyDatabase,
    repository=SqlAlchemyRepository,
    unit_of_work=SqlAlchemyUnitOfWork,
    fence=relational_fence.stamp,
    journal=journal.prepare,
    leases=_leases,
    leases_at_url=_leases_at,
    session_locks=_session_locks,
)
