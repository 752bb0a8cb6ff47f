"""MongoDB, for plain classes."""

from collections.abc import Sequence
from typing import Any

from fastapi_easy.domain.changes.journal import SystemTable
from fastapi_easy.domain.ports import (
    ApiKeyStore,
    AuditSink,
    Clock,
    Database,
    Generations,
    IdempotencyStore,
    Inbox,
    LeaseStore,
    Outbox,
    SchemaStore,
    WebhookStore,
)
from fastapi_easy.domain.ports.technology import DatabaseRequest, Technology
from fastapi_easy.domain.resources.resource import Resource
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


def _schema(
    database: MongoDatabase,
    resources: Sequence[Resource[Any]],
    _systems: Sequence[SystemTable],
    clock: Clock,
) -> SchemaStore:
    from fastapi_easy.infrastructure.migrations.mongo.store import MongoSchemaStore

    # The collections of the system's own tables have no schema: they are made by the first insert.
    return MongoSchemaStore(
        database.name, database.url, lambda: [database.plan(each) for each in resources], clock
    )


def _generations(database: MongoDatabase) -> Generations:
    from fastapi_easy.infrastructure.caching.generations.mongo import MongoGenerations

    return MongoGenerations(database)


def _api_keys(database: MongoDatabase) -> ApiKeyStore:
    from fastapi_easy.infrastructure.authentication.api_keys.mongo import MongoApiKeyStore

    return MongoApiKeyStore(database)


def _outbox(database: MongoDatabase) -> Outbox:
    from fastapi_easy.infrastructure.outbox.mongo.outbox import MongoOutbox

    return MongoOutbox(database)


def _inbox(database: MongoDatabase) -> Inbox:
    from fastapi_easy.infrastructure.inbox.mongo import MongoInbox

    return MongoInbox(database)


def _audit(database: MongoDatabase) -> AuditSink:
    from fastapi_easy.infrastructure.audit.mongo import MongoAuditSink

    return MongoAuditSink(database)


def _idempotency(database: MongoDatabase) -> IdempotencyStore:
    from fastapi_easy.infrastructure.idempotency.mongo import MongoIdempotencyStore

    return MongoIdempotencyStore(database)


def _webhooks(database: MongoDatabase) -> WebhookStore:
    from fastapi_easy.infrastructure.webhooks.mongo import MongoWebhookStore

    return MongoWebhookStore(database)


TECHNOLOGY = Technology(
    name="MongoDB",
    schemes=("mongodb",),
    open=_open,
    database=MongoDatabase,
    repository=MongoRepository,
    unit_of_work=MongoUnitOfWork,
    fence=mongo_fence.stamp,
    journal=journal.prepare,
    generations=_generations,
    schema=_schema,
    idempotency=_idempotency,
    leases=_leases,
    leases_at_url=_leases_at,
    api_keys=_api_keys,
    outbox=_outbox,
    inbox=_inbox,
    webhooks=_webhooks,
    audit=_audit,
)
