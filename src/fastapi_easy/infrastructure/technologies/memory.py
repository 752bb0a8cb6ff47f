"""Memory, and plain classes: those that belong to no ORM."""

from collections.abc import Sequence

from returns.result import Success

from fastapi_easy.domain.changes.journal import SystemTable
from fastapi_easy.domain.errors import Outcome
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
    WebhookStore,
)
from fastapi_easy.domain.ports.technology import DatabaseRequest, Technology
from fastapi_easy.infrastructure.entities import plain
from fastapi_easy.infrastructure.locks import memory_fence
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase
from fastapi_easy.infrastructure.persistence.memory.repository import MemoryRepository
from fastapi_easy.infrastructure.persistence.memory.unit_of_work import MemoryUnitOfWork

__all__ = ["TECHNOLOGY"]


def _is_embedded(_url: str) -> bool:
    return True


def _open(request: DatabaseRequest) -> Database:
    return MemoryDatabase(request.name)


async def _journal(_database: MemoryDatabase, _systems: Sequence[SystemTable]) -> Outcome[Sequence[str]]:
    # Nothing to prepare: a table exists from its first row on.
    return Success(())


def _leases(database: MemoryDatabase, clock: Clock) -> LeaseStore:
    from fastapi_easy.infrastructure.locks.memory import MemoryLeaseStore

    return MemoryLeaseStore(clock, database=database.name)


def _leases_at(_url: str, clock: Clock) -> LeaseStore:
    from fastapi_easy.infrastructure.locks.memory import MemoryLeaseStore

    return MemoryLeaseStore(clock)


def _generations(database: MemoryDatabase) -> Generations:
    from fastapi_easy.infrastructure.caching.generations.memory import MemoryGenerations

    return MemoryGenerations(database)


def _api_keys(_database: MemoryDatabase) -> ApiKeyStore:
    from fastapi_easy.infrastructure.authentication.api_keys.memory import MemoryApiKeyStore

    return MemoryApiKeyStore()


def _outbox(database: MemoryDatabase) -> Outbox:
    from fastapi_easy.infrastructure.outbox.memory import MemoryOutbox

    return MemoryOutbox(database)


def _inbox(database: MemoryDatabase) -> Inbox:
    from fastapi_easy.infrastructure.inbox.memory import MemoryInbox

    return MemoryInbox(database)


def _audit(database: MemoryDatabase) -> AuditSink:
    from fastapi_easy.infrastructure.audit.memory import MemoryAuditSink

    return MemoryAuditSink(database)


def _idempotency(database: MemoryDatabase) -> IdempotencyStore:
    from fastapi_easy.infrastructure.idempotency.memory import MemoryIdempotencyStore

    return MemoryIdempotencyStore(database)


def _webhooks(database: MemoryDatabase) -> WebhookStore:
    from fastapi_easy.infrastructure.webhooks.memory import MemoryWebhookStore

    return MemoryWebhookStore(database)


TECHNOLOGY = Technology(
    name="memory",
    recognises=plain.recognises,
    describe=plain.describe,
    schemes=("memory",),
    is_embedded=_is_embedded,
    open=_open,
    database=MemoryDatabase,
    repository=MemoryRepository,
    unit_of_work=MemoryUnitOfWork,
    fence=memory_fence.stamp,
    journal=_journal,
    generations=_generations,
    idempotency=_idempotency,
    leases=_leases,
    leases_at_url=_leases_at,
    api_keys=_api_keys,
    outbox=_outbox,
    inbox=_inbox,
    webhooks=_webhooks,
    audit=_audit,
)
