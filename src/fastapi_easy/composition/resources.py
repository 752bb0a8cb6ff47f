"""The providers of each resource, wired on an instance of a container."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from dependency_injector import providers

from fastapi_easy.application.application_ports import ApplicationPorts
from fastapi_easy.application.changes.work.units_of_work import UnitsOfWork
from fastapi_easy.application.collaborators import Collaborators
from fastapi_easy.application.idempotency.idempotency import Idempotency
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.audit.trail import is_audited
from fastapi_easy.composition.declarations import CheckedResources, check_declarations
from fastapi_easy.composition.declared_resource import HANDLERS, DeclaredResource
from fastapi_easy.composition.deferred import fill
from fastapi_easy.composition.memoized import Memoized, MemoizedDelegate
from fastapi_easy.composition.policies.effective_policy import effective_policy
from fastapi_easy.composition.secrets.wiring import SecretsWiring, has_secrets
from fastapi_easy.composition.technologies import technology_of
from fastapi_easy.domain.ports import (
    Clock,
    Database,
    EntityRepository,
    EventBus,
    PasswordHasher,
    Repository,
    UnitOfWork,
)
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.scoped_repository import ScopedRepository, SoftDeletingRepository
from fastapi_easy.infrastructure.validation import PydanticValidator

__all__ = ["wire_resources"]


def wire_resources(application: Application) -> None:
    """Fill the providers of each resource of *application*; those of its databases must be filled already."""
    databases = application.databases.providers
    resources: dict[str, providers.Provider[Resource[Any]]] = {}
    repositories: dict[str, providers.Provider[Repository[Any]]] = {}
    all_resources = providers.Singleton(
        check_declarations, application.declarations, databases, application.cipher.provider
    )
    # One for all: a filter along a relation compares the secret fields of another resource.
    secrets = _secrets(application)
    checked = CheckedResources(resources)
    unit_of_work_arguments = (checked, repositories, application.event_bus)
    # Imported by those who need it.
    caching = _caching() if any(each.cache for each in application.declarations.values()) else None
    cached = None if caching is None else caching.wire_cached_tables(application, all_resources)
    feeds = _feeds(application, all_resources)
    # Nobody asks for what nothing is declared with.
    audit = {"audit": application.audit_trail} if is_audited(application.declarations.values()) else {}
    ports = Memoized(
        ApplicationPorts,
        clock=application.clock,
        event_bus=application.event_bus,
        policy=Memoized(
            effective_policy,
            application.policy,
            application.settings,
            checked,
            application.authenticators,
        ),
        can_authenticate=Memoized(bool, application.authenticators),
        **_journal(application, all_resources),
        cached=cached,
        resources=checked,
        retry=application.retry.provider,
        **audit,
    )
    _ = fill(
        application.unit_of_work, _unit_of_work_factory, databases["default"], *unit_of_work_arguments, ports
    )
    for name, declaration in application.declarations.items():
        parts: Any = application.providers[name]
        database = databases[declaration.database]
        resources[name] = fill(parts.resource, _resource, all_resources, name)
        repositories[name] = fill(
            parts.repository, _repository, parts.resource, database, application.clock, secrets
        )
        _ = fill(parts.entities, EntityRepository, parts.resource, parts.repository)
        _ = fill(parts.unit_of_work, _unit_of_work_factory, database, *unit_of_work_arguments, ports)
        _ = fill(parts.validator, PydanticValidator, parts.resource)
        feed = feeds.get(declaration.database) if declaration.events else None
        trail = MemoizedDelegate(application.audit_trail) if declaration.audit else None
        collaborators = _wire_collaborators(parts, repositories, ports, application.idempotency, feed, trail)
        if caching is not None and declaration.cache is not None:
            parts.fill_handlers(caching.cached_handlers(application, collaborators))
        else:
            parts.fill_handlers(partial(_fill_handler, collaborators))


def _caching() -> Any:
    from fastapi_easy.composition.caching import wiring

    return wiring


def _feeds(
    application: Application, all_resources: providers.Provider[Mapping[str, Resource[Any]]]
) -> Mapping[str, MemoizedDelegate]:
    if not any(each.events for each in application.declarations.values()):
        return {}
    from fastapi_easy.composition.events.feeds import wire_feeds

    return wire_feeds(application, all_resources)


def _journal(
    application: Application, all_resources: providers.Provider[Mapping[str, Resource[Any]]]
) -> dict[str, providers.Provider[Any]]:
    if not any(each.events for each in application.declarations.values()):
        return {"journal": application.journal}
    from fastapi_easy.composition.events.outboxes import compose_journal, find_journaled

    return {
        "journal": Memoized(compose_journal, application.journal, all_resources, application.tracer),
        "journaled": Memoized(find_journaled, application.journal, all_resources),
    }


def _secrets(application: Application) -> providers.Provider[SecretsWiring | None]:
    declared = application.declarations.values()
    if not any(has_secrets(each) for each in declared):
        return providers.Object(None)
    nothing: providers.Provider[PasswordHasher | None] = providers.Object(None)
    hasher = application.password_hasher if any(each.fields.password for each in declared) else nothing
    return Memoized(SecretsWiring, application.cipher, hasher, application.settings)


def _wire_collaborators(
    parts: DeclaredResource[Any],
    repositories: Mapping[str, Callable[[], Repository[Any]]],
    ports: Memoized[ApplicationPorts],
    idempotency: providers.Provider[Idempotency],
    feed: MemoizedDelegate | None,
    trail: MemoizedDelegate | None,
) -> Any:
    """Fill what the handlers of one resource are made from, and return its provider."""
    # Handlers are kept: by a `MemoizedDelegate` they get a new repository and unit of work for each call, while a bare
    # provider is called once, when the collaborators are made.
    return fill(
        parts.collaborators,
        Collaborators,
        resource=parts.resource,
        repository=MemoizedDelegate(parts.repository),
        unit_of_work=MemoizedDelegate(parts.unit_of_work),
        ports=ports,
        idempotency=idempotency,
        repositories=repositories,
        feed=feed,
        trail=trail,
    )


def _fill_handler(collaborators: Any, name: str, provider: Any) -> Any:
    return fill(provider, HANDLERS[name], collaborators)


def _resource(resources: Mapping[str, Resource[Any]], name: str) -> Resource[Any]:
    return resources[name]


def _repository(
    checked: Resource[Any], database: Database, clock: Clock, secrets: SecretsWiring | None
) -> Repository[Any]:
    repository = technology_of(database).repository(checked, database)
    if secrets is not None:
        repository = secrets.above(checked, repository)
    if checked.soft_delete is None:
        is_whole = checked.variant is None or checked.variant.is_whole
        return repository if is_whole else ScopedRepository(repository, checked.alive)
    return SoftDeletingRepository(repository, checked, clock.now)


def _unit_of_work_factory(
    database: Database,
    resources: Mapping[str, Resource[Any]],
    repositories: Mapping[str, Callable[[], Repository[Any]]],
    event_bus: EventBus,
    ports: ApplicationPorts,
) -> Callable[..., UnitOfWork]:
    """Return what makes units of work in *database*."""
    new_inner = technology_of(database).unit_of_work
    return UnitsOfWork(lambda: new_inner(database, resources, repositories, event_bus), ports)
