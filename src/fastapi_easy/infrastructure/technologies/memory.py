"""Memory, and plain classes: those that belong to no ORM."""

from collections.abc import Sequence

from returns.result import Success

from fastapi_easy.domain.changes.journal import SystemTable
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports import Clock, Database, LeaseStore
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
    leases=_leases,
    leases_at_url=_leases_at,
)
