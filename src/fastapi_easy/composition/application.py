"""An instance of a user's container: the providers of a whole application."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dependency_injector import containers, providers

from fastapi_easy.application.audit.recording.reads import ReadLog
from fastapi_easy.application.audit.recording.security_log import SecurityLog
from fastapi_easy.application.audit.trail import AuditTrail
from fastapi_easy.application.authentication.keys.declaration import ApiKeys
from fastapi_easy.application.authentication.keys.keyring import Keyring
from fastapi_easy.application.authentication.sessions.declaration import Sessions
from fastapi_easy.application.authentication.sessions.session_use_cases import SessionUseCases
from fastapi_easy.application.cached_tables import CachedTables
from fastapi_easy.application.caching.single_flight import SingleFlight
from fastapi_easy.application.changes_feed.hub import ChangeHub
from fastapi_easy.application.events.relay import Relay
from fastapi_easy.application.events.relay_figures import RelayFigures
from fastapi_easy.application.events.relay_task import RelayTask
from fastapi_easy.application.events.wake_ups import WakeUps
from fastapi_easy.application.idempotency.idempotency import Idempotency
from fastapi_easy.application.kernel import Kernel
from fastapi_easy.application.locks.lock_store_dependency import LOCK_STORE
from fastapi_easy.application.messaging.consumer import Consumer
from fastapi_easy.application.migrations.hooks.registry import MigrationHooks
from fastapi_easy.application.pipeline.step import Step
from fastapi_easy.application.webhooks.webhooks import Webhooks
from fastapi_easy.domain.migrations.risk import Rule
from fastapi_easy.domain.outbox.envelope import Envelope
from fastapi_easy.domain.ports import (
    ApiKeyStore,
    AttemptCounter,
    Authenticator,
    Breaker,
    Broker,
    Cipher,
    Clock,
    Database,
    EventBus,
    EvictionHook,
    Journal,
    LeaseStore,
    LockProvider,
    Metrics,
    Observer,
    Outbox,
    PasswordHasher,
    Policy,
    RateLimiter,
    ResultCache,
    Retry,
    Tracer,
    UnitOfWork,
    WebhookSender,
)
from fastapi_easy.domain.resources.declaration import Declaration
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.settings import Settings


@dataclass(frozen=True, slots=True)
class Caching:
    """What an application has of which a resource is declared with a cache.

    Attributes:
        tables: Returns the tables that kept answers depend on.

        flights: What is being answered at the moment, for all who asked the same.
    """

    tables: Callable[[], CachedTables]
    flights: SingleFlight[Any]


class Feeds:
    """The change feeds of an application in which changes are published."""

    def __init__(self) -> None:
        self._hubs: list[ChangeHub] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def add(self, hub: ChangeHub) -> ChangeHub:
        """Return *hub*, which ends with the others from now on."""
        self._hubs.append(hub)
        return hub

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take listeners, who all run in *loop*."""
        self._loop = loop
        for each in self._hubs:
            each.open()

    def close_soon(self) -> None:
        """Let every feed end, from a signal handler or another thread: the process is about to end."""
        if self._loop is not None:
            _ = self._loop.call_soon_threadsafe(self._close)

    async def stop(self) -> None:
        """End every feed, and every poll."""
        self._loop = None
        for each in self._hubs:
            await each.stop()

    def _close(self) -> None:
        for each in self._hubs:
            each.close()


class Application(containers.DynamicContainer):
    """An instance of a user's container: the providers of the whole application."""

    is_wired = False
    """Whether every provider makes something by now."""

    public_operations: Mapping[str, Sequence[str]] | None = None
    """What anonymous callers may do, by resource, as the policy said at start; `None` where nobody has asked it yet."""

    caching: Caching | None = None
    """`None` where no resource is declared with a cache."""

    feeds: Feeds | None = None
    """`None` where no resource is declared with events."""
    relay_figures: dict[str, RelayFigures]
    """What relays of this process have done, by the name of the database whose outbox they publish."""

    is_recording = False
    """Whether what happens to its security is being recorded in the audit trail."""

    declarations: Mapping[str, Declaration[Any]]
    settings: providers.Provider[Settings]
    clock: providers.Provider[Clock]
    event_bus: providers.Provider[EventBus]
    metrics: providers.Provider[Metrics | None]
    observer: providers.Provider[Observer]
    policy: providers.Provider[Policy | None]
    api_keys: providers.Provider[ApiKeys | None]
    api_key_store: providers.Provider[ApiKeyStore | None]
    keyring: providers.Provider[Keyring]
    browser_sessions: providers.Provider[Sessions | None]
    attempt_counter: providers.Provider[AttemptCounter]
    session_use_cases: providers.Provider[SessionUseCases | None]
    authenticators: providers.Provider[Sequence[Authenticator]]
    journal: providers.Provider[Journal | None]
    audit_trail: providers.Provider[AuditTrail]
    audit_reads: providers.Provider[ReadLog]
    audit_security: providers.Provider[SecurityLog]
    broker: providers.Provider[Broker | None]
    consumers: providers.Provider[Sequence[Consumer]]
    relay_tasks: providers.Provider[Sequence[RelayTask]]
    relay: providers.Provider[Relay]
    envelope: providers.Provider[Envelope]
    outboxes: providers.Provider[Mapping[str, Outbox]]
    wake_ups: providers.Provider[Mapping[str, WakeUps]]
    webhook_sender: providers.Provider[WebhookSender]
    webhooks: providers.Provider[Webhooks]
    cipher: providers.Provider[Cipher | None]
    password_hasher: providers.Provider[PasswordHasher]
    eviction_hook: providers.Provider[EvictionHook | None]
    idempotency: providers.Provider[Idempotency]
    retry: providers.Provider[Retry]
    tracer: providers.Provider[Tracer | None]
    migration_hooks: providers.Provider[MigrationHooks]
    migration_rules: providers.Provider[Sequence[Rule]]
    rate_limiter: providers.Provider[RateLimiter]
    result_cache: providers.Provider[ResultCache]
    lease_store: providers.Provider[LeaseStore]
    locks: providers.Provider[LockProvider]
    steps: providers.Provider[Sequence[Step]]
    unit_of_work: providers.Provider[UnitOfWork]
    databases: containers.DynamicContainer
    breakers: containers.DynamicContainer
    kernel: providers.Provider[Kernel]

    def is_auto_wiring_enabled(self) -> bool:
        """Return whether the modules in `wiring_config` are to be wired now: not before the container itself is."""
        return self.is_wired and super().is_auto_wiring_enabled()

    def every_database(self) -> Iterator[Database]:
        """Return the databases that resources live in, in the order they were declared."""
        for name in dict.fromkeys(each.database for each in self.declarations.values()):
            yield self.databases.providers[name]()

    def every_breaker(self) -> dict[str, Breaker]:
        """Return the circuit breakers of the databases that have one, by name, and that of the locks."""
        names = [*(each.name for each in self.every_database()), LOCK_STORE]
        found = {name: self.breakers.providers[name]() for name in names}
        return {name: breaker for name, breaker in found.items() if breaker is not None}

    def every_resource(self) -> Iterator[Resource[Any]]:
        """Return the checked resources, in the order they were declared."""
        for name in self.declarations:
            yield self.providers[name].resource()  # type: ignore[attr-defined]
