"""The providers of each resource, wired on an instance of a container."""

from collections.abc import Callable, Mapping
from typing import Any

from dependency_injector import providers

from fastapi_easy.application.application_ports import ApplicationPorts
from fastapi_easy.application.changes.caller_unit_of_work import CallerUnitOfWork
from fastapi_easy.application.collaborators import Collaborators
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.declarations import CheckedResources, check_declarations
from fastapi_easy.composition.declared_resource import HANDLERS, DeclaredResource
from fastapi_easy.composition.deferred import fill
from fastapi_easy.composition.memoized import Memoized, MemoizedDelegate
from fastapi_easy.composition.technologies import technology_of
from fastapi_easy.domain.ports import Clock, Database, EntityRepository, EventBus, Repository, UnitOfWork
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.domain.scoped_repository import SoftDeletingRepository
from fastapi_easy.infrastructure.validation import PydanticValidator

__all__ = ["wire_resources"]


def wire_resources(application: Application) -> None:
    """Fill the providers of each resource of *application*; those of its databases must be filled already."""
    databases = application.databases.providers
    resources: dict[str, providers.Provider[Resource[Any]]] = {}
    repositories: dict[str, providers.Provider[Repository[Any]]] = {}
    all_resources = providers.Singleton(check_declarations, application.declarations, databases)
    checked = CheckedResources(resources)
    unit_of_work_arguments = (checked, repositories, application.event_bus)
    ports = Memoized(
        ApplicationPorts,
        clock=application.clock,
        event_bus=application.event_bus,
        policy=application.policy,
        journal=application.journal,
        resources=checked,
        retry=application.retry.provider,
    )
    _ = fill(
        application.unit_of_work, _unit_of_work_factory, databases["default"], *unit_of_work_arguments, ports
    )
    for name, declaration in application.declarations.items():
        parts: Any = application.providers[name]
        database = databases[declaration.database]
        resources[name] = fill(parts.resource, _resource, all_resources, name)
        repositories[name] = fill(parts.repository, _repository, parts.resource, database, application.clock)
        _ = fill(parts.entities, EntityRepository, parts.resource, parts.repository)
        _ = fill(parts.unit_of_work, _unit_of_work_factory, database, *unit_of_work_arguments, ports)
        _ = fill(parts.validator, PydanticValidator, parts.resource)
        _wire_handlers(parts, repositories, ports)


def _wire_handlers(
    parts: DeclaredResource[Any],
    repositories: Mapping[str, Callable[[], Repository[Any]]],
    ports: Memoized[ApplicationPorts],
) -> None:
    # Handlers are kept: by a `MemoizedDelegate` they get a new repository and unit of work for each call, while a bare
    # provider is called once, when the collaborators are made.
    collaborators = fill(
        parts.collaborators,
        Collaborators,
        resource=parts.resource,
        repository=MemoizedDelegate(parts.repository),
        unit_of_work=MemoizedDelegate(parts.unit_of_work),
        ports=ports,
        repositories=repositories,
    )
    for name, handler in HANDLERS.items():
        _ = fill(getattr(parts, name), handler, collaborators)


def _resource(resources: Mapping[str, Resource[Any]], name: str) -> Resource[Any]:
    return resources[name]


def _repository(checked: Resource[Any], database: Database, clock: Clock) -> Repository[Any]:
    repository = technology_of(database).repository(checked, database)
    if checked.soft_delete is None:
        return repository
    return SoftDeletingRepository(repository, checked, clock.now)


def _unit_of_work_factory(
    database: Database,
    resources: Mapping[str, Resource[Any]],
    repositories: Mapping[str, Callable[[], Repository[Any]]],
    event_bus: EventBus,
    ports: ApplicationPorts,
) -> Callable[..., UnitOfWork]:
    """Return what makes units of work in *database*; each makes its repositories when they are first used."""
    new_inner = technology_of(database).unit_of_work

    def make_unit_of_work(*args: Any, **kwargs: Any) -> UnitOfWork:
        inner = new_inner(database, resources, repositories, event_bus)
        return CallerUnitOfWork(*args, inner=inner, ports=ports, **kwargs)

    return make_unit_of_work
