"""MongoDB, for plain classes."""

from fastapi_easy.domain.ports import Clock, Database, LeaseStore
from fastapi_easy.domain.ports.technology import DatabaseRequest, Technology
from fastapi_easy.infrastructure.locks import mongo_fence
from fastapi_easy.infrastructure.persistence.mongo import journal
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.mongo.driver.options import ConnectionOptions
from fastapi_easy.infrastructure.persistence.mongo.repository import MongoRepository
from fastapi_easy.infrastructure.persistence.mongo.unit_of_work import MongoUnitOfWork

__all__ = ["TECHNOLOGY"]


def _open(request: DatabaseRequest) -> Database:
    limits = dict(request.limits)
    # Not a limit of a client: the server ends every transaction after a minute.
    del limits["transaction_timeout"]
    return MongoDatabase(
        request.name, request.url, ConnectionOptions(**limits), request.breaker, request.tracer
    )


def _leases(database: MongoDatabase, _clock: Clock) -> LeaseStore:
    from fastapi_easy.infrastructure.locks.mongo import MongoLeaseStore

    return MongoLeaseStore(database.url, database)


def _leases_at(url: str, _clock: Clock) -> LeaseStore:
    from fastapi_easy.infrastructure.locks.mongo import MongoLeaseStore

    return MongoLeaseStore(url)


TECHNOLOGY = Technology(
    name="MongoDB",
    schemes=("mongodb",),
    open=_open,
    database=MongoDatabase,
    repository=MongoRepository,
    unit_of_work=MongoUnitOfWork,
    fence=mongo_fence.stamp,
    journal=journal.prepare,
    leases=_leases,
    leases_at_url=_leases_at,
)
