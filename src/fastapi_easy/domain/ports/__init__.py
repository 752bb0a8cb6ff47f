"""What the domain needs from outside: one Protocol per file, and `EntityRepository` above one of them."""

from fastapi_easy.domain.ports.breaker import Breaker, CallNotPermitted, Circuit, CircuitState
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.database import Database, Pool, SchemaMode
from fastapi_easy.domain.ports.dependency import Dependency
from fastapi_easy.domain.ports.entity_repository import EntityRepository
from fastapi_easy.domain.ports.event_bus import EventBus, EventHandler, Interest
from fastapi_easy.domain.ports.journal import Journal
from fastapi_easy.domain.ports.lease_store import LeaseStore
from fastapi_easy.domain.ports.lock_provider import EvictionHook, Lease, LockProvider
from fastapi_easy.domain.ports.observer import Metrics, Observation, Observer
from fastapi_easy.domain.ports.policy import Permissions, Policy
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.ports.retry import Retry
from fastapi_easy.domain.ports.technology import DatabaseRequest, Technology
from fastapi_easy.domain.ports.tracer import Span, Tracer
from fastapi_easy.domain.ports.unit_of_work import CommitGuard, UnitOfWork, UnitOfWorkMisuse
from fastapi_easy.domain.ports.validator import Validator

__all__ = [
    "Breaker",
    "CallNotPermitted",
    "Circuit",
    "CircuitState",
    "Clock",
    "CommitGuard",
    "Database",
    "DatabaseRequest",
    "Dependency",
    "EntityRepository",
    "EventBus",
    "EventHandler",
    "EvictionHook",
    "Interest",
    "Journal",
    "Lease",
    "LeaseStore",
    "LockProvider",
    "Metrics",
    "Observation",
    "Observer",
    "Permissions",
    "Policy",
    "Pool",
    "Repository",
    "Retry",
    "SchemaMode",
    "Span",
    "Technology",
    "Tracer",
    "UnitOfWork",
    "UnitOfWorkMisuse",
    "Validator",
]
