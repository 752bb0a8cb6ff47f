"""What the domain needs from outside: one Protocol per file, and `EntityRepository` above one of them."""

from fastapi_easy.domain.ports.anchor_sink import AnchorSink
from fastapi_easy.domain.ports.api_key_store import ApiKeyStore
from fastapi_easy.domain.ports.archive_store import ArchiveStore
from fastapi_easy.domain.ports.attempt_counter import AttemptCounter, AttemptLimit
from fastapi_easy.domain.ports.audit_reader import AuditReader
from fastapi_easy.domain.ports.audit_sink import AuditSink, Seal
from fastapi_easy.domain.ports.authenticator import (
    Authenticator,
    CredentialPlace,
    Credentials,
    HoldsResources,
    SecurityScheme,
)
from fastapi_easy.domain.ports.breaker import Breaker, CallNotPermitted, Circuit, CircuitState
from fastapi_easy.domain.ports.broker import (
    Accept,
    Broker,
    BrokerMessage,
    Delivery,
    Handling,
    Park,
    Redeliver,
    Subscription,
)
from fastapi_easy.domain.ports.cipher import Cipher
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.database import Database, Pool, SchemaMode
from fastapi_easy.domain.ports.dependency import Dependency
from fastapi_easy.domain.ports.entity_repository import EntityRepository
from fastapi_easy.domain.ports.event_bus import EventBus, EventHandler, Interest
from fastapi_easy.domain.ports.generations import Generations
from fastapi_easy.domain.ports.idempotency_store import CallRecord, IdempotencyStore, KeyedCall
from fastapi_easy.domain.ports.inbox import Inbox
from fastapi_easy.domain.ports.journal import Journal
from fastapi_easy.domain.ports.lease_store import LeaseStore
from fastapi_easy.domain.ports.lock_provider import EvictionHook, Lease, LockProvider
from fastapi_easy.domain.ports.migration_scripts import ScriptPart, ScriptSource
from fastapi_easy.domain.ports.observer import Metrics, Observation, Observer
from fastapi_easy.domain.ports.outbox import Outbox
from fastapi_easy.domain.ports.outbox_archive import OutboxArchive
from fastapi_easy.domain.ports.password_hasher import PasswordHasher
from fastapi_easy.domain.ports.policy import Permissions, Policy
from fastapi_easy.domain.ports.rate_limiter import Allowance, RateLimiter
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.ports.result_cache import ResultCache
from fastapi_easy.domain.ports.retry import Retry
from fastapi_easy.domain.ports.schema_store import MigrationSession, SchemaStore
from fastapi_easy.domain.ports.session_codec import SessionCodec
from fastapi_easy.domain.ports.technology import DatabaseRequest, Technology
from fastapi_easy.domain.ports.tracer import Span, Tracer
from fastapi_easy.domain.ports.unit_of_work import CommitGuard, UnitOfWork, UnitOfWorkMisuse
from fastapi_easy.domain.ports.validator import Validator
from fastapi_easy.domain.ports.wake_up_channel import WakeUpChannel
from fastapi_easy.domain.ports.webhook_sender import PostResult, WebhookSender
from fastapi_easy.domain.ports.webhook_store import ClaimedWebhook, Webhook, WebhookStore

__all__ = [
    "Accept",
    "Allowance",
    "AnchorSink",
    "ApiKeyStore",
    "ArchiveStore",
    "AttemptCounter",
    "AttemptLimit",
    "AuditReader",
    "AuditSink",
    "Authenticator",
    "Breaker",
    "Broker",
    "BrokerMessage",
    "CallNotPermitted",
    "CallRecord",
    "Cipher",
    "Circuit",
    "CircuitState",
    "ClaimedWebhook",
    "Clock",
    "CommitGuard",
    "CredentialPlace",
    "Credentials",
    "Database",
    "DatabaseRequest",
    "Delivery",
    "Dependency",
    "EntityRepository",
    "EventBus",
    "EventHandler",
    "EvictionHook",
    "Generations",
    "Handling",
    "HoldsResources",
    "IdempotencyStore",
    "Inbox",
    "Interest",
    "Journal",
    "KeyedCall",
    "Lease",
    "LeaseStore",
    "LockProvider",
    "Metrics",
    "MigrationSession",
    "Observation",
    "Observer",
    "Outbox",
    "OutboxArchive",
    "Park",
    "PasswordHasher",
    "Permissions",
    "Policy",
    "Pool",
    "PostResult",
    "RateLimiter",
    "Redeliver",
    "Repository",
    "ResultCache",
    "Retry",
    "SchemaMode",
    "SchemaStore",
    "ScriptPart",
    "ScriptSource",
    "Seal",
    "SecurityScheme",
    "SessionCodec",
    "Span",
    "Subscription",
    "Technology",
    "Tracer",
    "UnitOfWork",
    "UnitOfWorkMisuse",
    "Validator",
    "WakeUpChannel",
    "Webhook",
    "WebhookSender",
    "WebhookStore",
]
