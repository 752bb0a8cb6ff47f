"""What is wired to what on an instance of a container."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from dependency_injector import containers, providers

from fastapi_easy.application.audit.recording.security_log import SecurityLog
from fastapi_easy.application.locks.lock_store_dependency import LOCK_STORE
from fastapi_easy.application.pipeline.limit_rate import limit_rate
from fastapi_easy.application.pipeline.standard import standard_steps
from fastapi_easy.application.pipeline.step import Step
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.audit.trail import is_audited, open_audit_trail, open_read_log
from fastapi_easy.composition.authentication.api_keys import (
    open_api_key_store,
    open_keyring,
    read_api_keys,
)
from fastapi_easy.composition.authentication.authenticators import open_authenticators
from fastapi_easy.composition.authentication.sessions import open_attempt_counter, open_sessions
from fastapi_easy.composition.caching.stores import open_result_cache
from fastapi_easy.composition.calls.idempotency import open_idempotency
from fastapi_easy.composition.calls.observation import open_metrics, open_observer, open_tracer
from fastapi_easy.composition.calls.rate_limits import open_rate_limiter
from fastapi_easy.composition.calls.resilience import open_breaker, open_lock_breaker, open_retry
from fastapi_easy.composition.configuration import configurations_in, read_declarations, with_databases
from fastapi_easy.composition.container_class import (
    DATABASE_GROUPS,
    DatabaseGroup,
    find_declarations,
    provider_kind,
    subclass_with,
)
from fastapi_easy.composition.declared_resource import DeclaredResource
from fastapi_easy.composition.deferred import fill, find_deferred
from fastapi_easy.composition.events.brokers import open_broker, open_envelope
from fastapi_easy.composition.events.outboxes import open_outboxes
from fastapi_easy.composition.events.relay import relay_factory
from fastapi_easy.composition.events.wake_ups import open_wake_ups
from fastapi_easy.composition.events.webhooks import open_webhooks, sender_factory
from fastapi_easy.composition.kernel import make_kernel
from fastapi_easy.composition.leases import open_leases, open_locks
from fastapi_easy.composition.lifespans import find_async_resources
from fastapi_easy.composition.memoized import Memoized, MemoizedDelegate, MemoizedFactory
from fastapi_easy.composition.resources import wire_resources
from fastapi_easy.composition.secrets.wiring import open_cipher
from fastapi_easy.composition.technologies import open_database
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.ports import Clock, Observer, RateLimiter, Retry, Tracer
from fastapi_easy.domain.resources.declaration import Declaration
from fastapi_easy.infrastructure.entities.misdeclared import find_undeclared_classes
from fastapi_easy.settings import Settings

__all__ = ["wire"]


def wire(application: Application, container: type[Any], standard_names: Iterable[str]) -> None:
    """Wire *application*, a fresh copy of the class *container*.

    Args:
        application: Has the providers of the class, and those that were handed over in their place.

        container: Its class.

        standard_names: The names of the providers that every container has.

    Raises:
        DeclarationError: The settings, or what is declared in files, have mistakes, or a name is taken.
    """
    application.relay_figures = {}
    _reject_reserved_names(find_declarations(container), standard_names)
    mistakes = [
        f"{each}: replace them one by one, shop.{each}.default.override(…)"
        for each in DATABASE_GROUPS
        if not isinstance(application.providers[each], DatabaseGroup)
    ]
    mistakes += find_async_resources(application, standard_names)
    mistakes += find_undeclared_classes(container)
    if mistakes:
        raise DeclarationError(mistakes)
    configurations = configurations_in(application)
    if configurations:
        application.settings = Memoized(_with_configurations, application.settings).set_kwargs(
            **configurations
        )
    written = read_declarations(application.settings(), configurations)
    _reject_reserved_names(written, standard_names)
    _declare(application, container, written)
    _wire_databases(application)
    wire_resources(application)
    _wire_shared(application)


def _reject_reserved_names(declared: Mapping[str, Any], standard_names: Iterable[str]) -> None:
    reserved = {
        *standard_names,
        *dir(Application),
        *Application.__annotations__,
        *vars(containers.DynamicContainer()),
    }
    if conflicting := sorted(reserved & declared.keys()):
        raise DeclarationError(
            [f"{name}: this name is reserved by the container: rename the resource" for name in conflicting]
        )


def _with_configurations(settings: Settings, /, **contents: Any) -> Settings:
    return with_databases(settings, contents)


def _declare(application: Application, container: type[Any], written: dict[str, Declaration[Any]]) -> None:
    """Give *application* what is declared in its class and, with the last word, what is *written* in files."""
    declared = find_declarations(container)
    application.declarations = {**declared, **written}
    if new_resources := {name: each for name, each in written.items() if name not in declared}:
        # Whoever wires a program looks for each provider of an instance on its class.
        parent: Any = subclass_with(container, new_resources)
        application.declarative_parent = parent
        application.set_providers(
            **{name: providers.deepcopy(parent.providers[name]) for name in new_resources}
        )
    for name in written.keys() & declared.keys():
        known: Any = application.providers[name]
        known.declaration = written[name]


def _wire_databases(application: Application) -> None:
    kept: dict[str, list[type[Any]]] = {"default": []}
    for each in application.declarations.values():
        kept.setdefault(each.database, []).append(each.stored_as or each.entity)
    if LOCK_STORE in kept:
        raise DeclarationError(
            [
                (
                    f"database {LOCK_STORE!r}: this name is reserved for the circuit breaker of the locks: rename the "
                    "database"
                )
            ]
        )
    settings = application.settings
    databases, breakers = (_provider_factory(application, each) for each in DATABASE_GROUPS)
    for name, classes in kept.items():
        breaker = fill(breakers(name), open_breaker, settings, name)
        _ = fill(
            databases(name),
            open_database,
            settings,
            name,
            tuple(classes),
            breaker.provider,
            application.tracer,
        )
    _ = fill(breakers(LOCK_STORE), open_lock_breaker, settings, application.lease_store)


def _provider_factory(application: Application, group_name: str) -> Callable[[str], Any]:
    group: Any = getattr(application, group_name)

    def named(name: str) -> Any:
        # Its class does not know those that only a file names.
        if name not in group.providers:
            group.container.set_provider(name, provider_kind(group_name, name)())
        return group.providers[name]

    return named


def _wire_shared(application: Application) -> None:
    """Wire what all resources share, unless something else took its place.

    Copies that something else refers to are wired as well: `observer = Singleton(Mine, Container.observer)`.
    """
    settings, clock = application.settings, application.clock
    databases, breakers = application.databases.providers, application.breakers.providers
    # The standard lease store is in a database that something else is kept in too, unless the settings say otherwise.
    used = [each.database for each in application.declarations.values()]
    lock_database = "default" if "default" in used or not used else used[0]
    auditing = _auditing(application)
    wired: dict[str, tuple[Any, ...]] = {
        "audit_trail": (
            open_audit_trail,
            settings,
            application.every_resource,
            lambda name: databases[name](),
            clock,
            application.cipher.provider,
            application.tracer,
        ),
        "audit_reads": (open_read_log, application.audit_trail, settings),
        "audit_security": (SecurityLog, application.audit_trail),
        "metrics": (open_metrics, settings),
        "observer": (open_observer, settings, application.metrics),
        "retry": (open_retry, settings),
        "broker": (open_broker, settings),
        "relay": (relay_factory, application),
        "envelope": (open_envelope, settings, application.every_resource),
        "webhook_sender": (sender_factory, settings, clock),
        "webhooks": (open_webhooks, application),
        "cipher": (open_cipher, settings),
        "tracer": (open_tracer, settings),
        "result_cache": (open_result_cache, settings, clock),
        "api_keys": (read_api_keys, settings),
        "api_key_store": (
            open_api_key_store,
            application.api_keys,
            clock,
            tuple(dict.fromkeys(used)),
            lambda name: databases[name](),
        ),
        "wake_ups": (
            open_wake_ups,
            application.declarations,
            lambda name: databases[name](),
            application.event_bus,
            settings,
        ),
        "outboxes": (open_outboxes, application.declarations, lambda name: databases[name]()),
        "keyring": (
            open_keyring,
            application.api_key_store,
            clock,
            application.event_bus,
            application.api_keys,
            application.declarations,
        ),
        "attempt_counter": (open_attempt_counter, settings, clock),
        "session_use_cases": (
            open_sessions,
            settings,
            application.browser_sessions,
            application.attempt_counter,
            clock,
            application.event_bus,
        ),
        "authenticators": (
            open_authenticators,
            settings,
            application.api_keys,
            application.api_key_store,
            application.session_use_cases,
            clock,
        ),
        "idempotency": (open_idempotency, settings, clock, application.cipher),
        "rate_limiter": (open_rate_limiter, settings),
        "lease_store": (open_leases, settings, clock, databases[lock_database].provider),
        "locks": (
            open_locks,
            application.lease_store,
            clock,
            auditing.get("eviction_hook", application.eviction_hook),
            breakers[LOCK_STORE].provider,
        ),
        "steps": (
            _steps,
            MemoizedDelegate(application.observer),
            clock,
            application.retry.provider,
            settings,
            application.tracer,
            application.rate_limiter.provider,
            auditing.get("steps", ()),
        ),
        "kernel": (make_kernel, application),
    }
    shared = (each for each in application.providers.values() if not isinstance(each, DeclaredResource))
    for provider, what in find_deferred(*shared):
        _ = fill(provider, *wired.get(what.path, (_replacement_for(provider, application, what.path),)))


def _replacement_for(provider: Any, application: Application, path: str) -> Any:
    """Return the current provider at *path* of *application*, which replaces *provider*, a copy of an older one."""
    found: Any = application
    for name in path.split("."):
        found = getattr(found, name)
    return found.provider if isinstance(provider, MemoizedFactory) else found


def _steps(
    observer: Callable[[], Observer],
    clock: Clock,
    retry: Callable[[], Retry],
    settings: Settings,
    tracer: Tracer | None,
    limiter: Callable[[], RateLimiter],
    records: Sequence[Step],
) -> tuple[Step, ...]:
    rules = [each.rule() for each in settings.limits.rules]
    rates = limit_rate(rules, limiter) if rules else None
    return standard_steps(observer, clock, retry, settings.deadline, tracer, rates, records)


def _auditing(application: Application) -> dict[str, Any]:
    """Return the providers of what the audit trail adds to others, by their names; nothing where nothing is audited."""
    if not is_audited(application.declarations.values()):
        return {}
    from fastapi_easy.composition.audit.recording import both_hooks, recording_steps

    reads, security = application.audit_reads, application.audit_security
    return {
        "eviction_hook": Memoized(both_hooks, application.eviction_hook, security),
        "steps": Memoized(recording_steps, application, reads, security, application.policy),
    }
