"""`Container`, and `resource()` to declare in it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self, cast

from dependency_injector import containers, providers

from fastapi_easy.application.audit.recording.reads import ReadLog
from fastapi_easy.application.audit.recording.security_log import SecurityLog
from fastapi_easy.application.audit.trail import AuditTrail
from fastapi_easy.application.authentication.keys.declaration import ApiKeys
from fastapi_easy.application.authentication.keys.keyring import Keyring
from fastapi_easy.application.authentication.sessions.declaration import Sessions
from fastapi_easy.application.authentication.sessions.session_use_cases import SessionUseCases
from fastapi_easy.application.events.relay import Relay
from fastapi_easy.application.events.relay_task import RelayTask
from fastapi_easy.application.events.wake_ups import WakeUps
from fastapi_easy.application.idempotency.idempotency import Idempotency
from fastapi_easy.application.kernel import Kernel
from fastapi_easy.application.messaging.consumer import Consumer
from fastapi_easy.application.migrations.hooks.registry import MigrationHooks
from fastapi_easy.application.pipeline.step import Step
from fastapi_easy.application.webhooks.webhooks import Webhooks
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.container_class import find_declarations, register_providers
from fastapi_easy.composition.declarations import resource
from fastapi_easy.composition.declared_resource import DeclaredResource
from fastapi_easy.composition.deferred import deferred
from fastapi_easy.composition.memoized import Memoized, MemoizedFactory, OptionalSingleton
from fastapi_easy.composition.secrets.wiring import open_password_hasher
from fastapi_easy.composition.wiring import wire
from fastapi_easy.domain.migrations.risk import Rule
from fastapi_easy.domain.outbox.envelope import Envelope
from fastapi_easy.domain.ports import (
    ApiKeyStore,
    AttemptCounter,
    Authenticator,
    Broker,
    Cipher,
    Clock,
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
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.events.in_process import InProcessEventBus
from fastapi_easy.infrastructure.garbage_collection import rare_collections
from fastapi_easy.settings import Settings, read_settings

__all__ = ["Container", "DeclaredResource", "find_declarations", "resource"]


class Container(containers.DeclarativeContainer):
    """Base of a user's container: declare resources in it, and override any provider.

    An attribute of one of the names below takes the place of what is here, for good and for everything that depends
    on it: a provider, or the object itself. So does an argument of `Shop(clock=…)` for one instance, and
    `shop.clock.override(…)` for as long as it lasts.

    Attributes:
        declarations: What was declared, by name, on an instance.

        settings: Everything the environment decides.

        clock, event_bus, observer: The ports that all resources share.

        metrics: Counts calls for `/metrics`, while the setting `http.metrics` says so; told by the observer.

        policy: What each caller may do; everything while there is none.

        api_keys: What is declared of API keys, `ApiKeys()`; none are accepted while it is `None`.

        api_key_store: Where API keys are kept.

        keyring: Issues, lists and revokes API keys.

        browser_sessions: How browsers log in, `Sessions(verify=…)`; they cannot while it is `None`.

        attempt_counter: Counts attempts to log in.

        session_use_cases: What the routes of sessions call.

        authenticators: Who callers are, by their credentials; those of the settings, and everybody is anonymous while
            there are none.

        journal: What is written beside every change, in the same transaction; nothing while there is none.

        outboxes: The outbox of each database in which changes are published, by its name.

        wake_ups: What wakes relays and change feeds after commits, of each of these databases.

        audit_trail: Writes the audit trail of resources that are declared with `audit`.

        audit_reads: Records who read which entities, of resources with `Audit(reads=True)`.

        audit_security: Records refusals, and what operators do, in an application that audits a resource.

        idempotency: Makes a change once, however often it is called with the same idempotency key.

        broker: Where messages of the outbox are published, and where messages to consumers come from; `None` while
            the settings name none. Whoever opens it closes it.

        consumers: What becomes of messages of the broker: `[consume(…)]`.
        relay_tasks: Tasks of your own that a relay runs beside its own.

        relay: Makes a relay, which publishes what the outboxes hold; see `fastapi_easy.events.open_relay`.

        envelope: The form in which messages of the outbox leave the application.

        webhook_sender: Makes what posts webhooks; whoever has one closes it.

        webhooks: Adds, lists, tries and removes webhooks, once the setting `webhooks.enabled` says so.

        cipher: Encrypts secret fields, with the keys in the settings; `None` while there are none.

        password_hasher: Hashes passwords.

        retry: Says whether a call that came to nothing is made again.

        migration_hooks: What is called before and after migrations.

        migration_rules: Rules of your own for the risk of a migration.

        tracer: Records calls and statements as spans; nobody does unless OpenTelemetry is configured.

        rate_limiter: Counts calls, for the rate limits in the settings.

        result_cache: Where answers of resources that are declared with a cache are kept.

        lease_store: Where leases are kept.

        eviction_hook: Is told of every lease that an operator takes from its holder; they are logged besides.

        locks: Locks by name: `async with shop.locks().hold("invoice:42") as lease`.

        steps: What happens around every use case, the outermost first.

        unit_of_work: Makes a unit of work on the database `default`.

        databases: The databases by name.

        breakers: Their breakers by name, and that of the locks; `None` where there is none.

        kernel: The application behind one object, on an instance.
    """

    # Of the library's own anybody may ask for anything. A name that is not here is a mistake.
    __getattr__: None  # type: ignore[assignment,misc]

    instance_type = Application

    declarations: Mapping[str, Declaration[Any]]
    settings: providers.Provider[Settings] = providers.Singleton(read_settings)
    clock: providers.Provider[Clock] = providers.Singleton(SystemClock)
    event_bus: providers.Provider[EventBus] = providers.Singleton(InProcessEventBus)
    policy: providers.Provider[Policy | None] = providers.Object(None)
    api_keys: providers.Provider[ApiKeys | None] = deferred(Memoized, "api_keys")
    api_key_store: providers.Provider[ApiKeyStore | None] = deferred(OptionalSingleton, "api_key_store")
    keyring: providers.Provider[Keyring] = deferred(Memoized, "keyring")
    browser_sessions: providers.Provider[Sessions | None] = providers.Object(None)
    attempt_counter: providers.Provider[AttemptCounter] = deferred(providers.Singleton, "attempt_counter")
    session_use_cases: providers.Provider[SessionUseCases | None] = deferred(Memoized, "session_use_cases")
    authenticators: providers.Provider[Sequence[Authenticator]] = deferred(Memoized, "authenticators")
    journal: providers.Provider[Journal | None] = providers.Object(None)
    audit_trail: providers.Provider[AuditTrail] = deferred(Memoized, "audit_trail")
    audit_reads: providers.Provider[ReadLog] = deferred(Memoized, "audit_reads")
    audit_security: providers.Provider[SecurityLog] = deferred(Memoized, "audit_security")
    broker: providers.Provider[Broker | None] = deferred(OptionalSingleton, "broker")
    consumers: providers.Provider[Sequence[Consumer]] = providers.Object(())
    relay_tasks: providers.Provider[Sequence[RelayTask]] = providers.Object(())
    relay: providers.Provider[Relay] = deferred(MemoizedFactory, "relay")
    envelope: providers.Provider[Envelope] = deferred(Memoized, "envelope")
    outboxes: providers.Provider[Mapping[str, Outbox]] = deferred(Memoized, "outboxes")
    wake_ups: providers.Provider[Mapping[str, WakeUps]] = deferred(Memoized, "wake_ups")
    webhook_sender: providers.Provider[WebhookSender] = deferred(MemoizedFactory, "webhook_sender")
    webhooks: providers.Provider[Webhooks] = deferred(Memoized, "webhooks")
    cipher: providers.Provider[Cipher | None] = deferred(Memoized, "cipher")
    password_hasher: providers.Provider[PasswordHasher] = providers.Singleton(open_password_hasher)
    eviction_hook: providers.Provider[EvictionHook | None] = providers.Object(None)
    migration_hooks: providers.Provider[MigrationHooks] = providers.Singleton(MigrationHooks)
    migration_rules: providers.Provider[Sequence[Rule]] = providers.Object(())
    metrics: providers.Provider[Metrics | None] = deferred(Memoized, "metrics")
    observer: providers.Provider[Observer] = deferred(Memoized, "observer")
    idempotency: providers.Provider[Idempotency] = deferred(Memoized, "idempotency")
    retry: providers.Provider[Retry] = deferred(Memoized, "retry")
    tracer: providers.Provider[Tracer | None] = deferred(Memoized, "tracer")
    rate_limiter: providers.Provider[RateLimiter] = deferred(providers.Singleton, "rate_limiter")
    result_cache: providers.Provider[ResultCache] = deferred(providers.Singleton, "result_cache")
    lease_store: providers.Provider[LeaseStore] = deferred(providers.Singleton, "lease_store")
    locks: providers.Provider[LockProvider] = deferred(Memoized, "locks")
    steps: providers.Provider[Sequence[Step]] = deferred(Memoized, "steps")
    unit_of_work: providers.Provider[UnitOfWork] = deferred(MemoizedFactory, "unit_of_work")
    kernel: providers.Provider[Kernel] = deferred(providers.Singleton, "kernel")
    databases: containers.DynamicContainer
    breakers: containers.DynamicContainer

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Make what stands in the body known."""
        super().__init_subclass__(**kwargs)
        register_providers(cls, _STANDARD_PROVIDERS)

    def __new__(cls, **overriding: providers.Provider[Any] | Any) -> Self:
        """Make an instance with the resources declared in the class, its bases and the settings.

        Args:
            overriding: Providers, or plain objects, that take the place of the class's by name: `settings=…`.

        Raises:
            DeclarationError: The settings have mistakes.
        """
        with rare_collections():
            register_providers(cls, _STANDARD_PROVIDERS)
            made = super().__new__(cls, **overriding)
            application = cast("Application", made)
            wire(application, cls, _STANDARD_PROVIDERS)
        application.is_wired = True
        if application.is_auto_wiring_enabled():
            application.wire()
        return made


_STANDARD_PROVIDERS: Final = (*Container.providers, "databases", "breakers")
register_providers(Container, _STANDARD_PROVIDERS)
