"""What is wired to what on an instance of a container."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from dependency_injector import containers, providers

from fastapi_easy.application.collaborators import Collaborators
from fastapi_easy.application.locks.standing import LOCKS
from fastapi_easy.application.resources.aggregate_entities import AggregateEntitiesHandler
from fastapi_easy.application.resources.apply_bulk import ApplyBulkHandler
from fastapi_easy.application.resources.count_entities import CountEntitiesHandler
from fastapi_easy.application.resources.create_entity import CreateEntityHandler
from fastapi_easy.application.resources.delete_entity import DeleteEntityHandler
from fastapi_easy.application.resources.export_entities import ExportEntitiesHandler
from fastapi_easy.application.resources.get_entity import GetEntityHandler
from fastapi_easy.application.resources.import_entities import ImportEntitiesHandler
from fastapi_easy.application.resources.list_entities import ListEntitiesHandler
from fastapi_easy.application.resources.perform_action import PerformActionHandler
from fastapi_easy.application.resources.purge_entity import PurgeEntityHandler
from fastapi_easy.application.resources.replace_entity import ReplaceEntityHandler
from fastapi_easy.application.resources.restore_entity import RestoreEntityHandler
from fastapi_easy.application.resources.update_entity import UpdateEntityHandler
from fastapi_easy.application.resources.upsert_entity import UpsertEntityHandler
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.declarations import (
    CheckedResources,
    check,
)
from fastapi_easy.composition.kernel import make_kernel
from fastapi_easy.composition.leases import open_leases, open_locks
from fastapi_easy.composition.resilience import open_breaker, open_lock_breaker
from fastapi_easy.composition.technologies import kit_of, open_database
from fastapi_easy.domain.declaration import Declaration
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.narrowed import SoftDeletingRepository
from fastapi_easy.domain.ports import (
    Clock,
    Database,
    EventBus,
    Repository,
    UnitOfWork,
)
from fastapi_easy.domain.resource import Resource

__all__ = ["wire"]


def wire(application: Application) -> None:
    """Add the providers of every database and resource to *application*."""
    databases = containers.DynamicContainer()
    breakers = containers.DynamicContainer()
    resources: dict[str, providers.Provider[Resource[Any]]] = {}
    repositories: dict[str, providers.Provider[Repository[Any]]] = {}
    units_of_work: dict[str, providers.Provider[UnitOfWork]] = {}
    for name in dict.fromkeys(["default", *(each.database for each in application.declarations.values())]):
        breaker = providers.Singleton(open_breaker, application.settings, name)
        breakers.set_provider(name, breaker)
        opened = providers.Singleton(
            open_database,
            application.settings,
            name,
            providers.Object(_kept_in(name, application.declarations)),
            breaker.provider,
        )
        databases.set_provider(name, opened)
        units_of_work[name] = providers.Factory(
            _unit_of_work,
            opened,
            providers.Object(CheckedResources(resources)),
            providers.Object(repositories),
            application.event_bus,
        )
    if LOCKS in databases.providers:
        raise DeclarationError([f"database {LOCKS!r}: the breaker of the locks is called so: rename it"])
    breakers.set_provider(
        LOCKS, providers.Singleton(open_lock_breaker, application.settings, application.lease_store)
    )
    if getattr(application.locks, "cls", None) is open_locks:
        application.locks.add_args(breakers.providers[LOCKS].provider)  # type: ignore[attr-defined]
    application.set_provider(
        "databases", providers.Container(containers.DynamicContainer, container=databases)
    )
    application.set_provider("breakers", providers.Container(containers.DynamicContainer, container=breakers))
    application.set_provider("unit_of_work", units_of_work["default"])
    if getattr(application.lease_store, "cls", None) is open_leases:
        # The standard one is told where they are kept unless the settings say: not where nothing else is.
        used = [each.database for each in application.declarations.values()]
        home = "default" if "default" in used or not used else used[0]
        application.lease_store.add_args(databases.providers[home].provider)  # type: ignore[attr-defined]
    every = providers.Singleton(
        check, providers.Object(application.declarations), providers.Object(databases.providers)
    )
    for name, declaration in application.declarations.items():
        database: providers.Provider[Database] = databases.providers[declaration.database]
        checked: providers.Provider[Resource[Any]] = providers.Singleton(_one, every, name)
        repository = providers.Factory(_repository, checked, database, application.clock)
        resources[name], repositories[name] = checked, repository
        # `.provider` hands over how to make one; the bare provider would be called once, here.
        collaborators = providers.Factory(
            Collaborators,
            resource=checked,
            repository=repository.provider,
            unit_of_work=units_of_work[declaration.database].provider,
            clock=application.clock,
            policy=application.policy,
            repositories=providers.Object(repositories),
        )
        sub = containers.DynamicContainer()
        sub.set_providers(
            resource=checked,
            repository=repository,
            unit_of_work=units_of_work[declaration.database],
            collaborators=collaborators,
            **_handlers(collaborators),
        )
        application.set_provider(name, providers.Container(containers.DynamicContainer, container=sub))
    application.set_provider("kernel", providers.Singleton(make_kernel, providers.Object(application)))


def _kept_in(database: str, declarations: Mapping[str, Declaration[Any]]) -> tuple[type[Any], ...]:
    """The classes whose entities live in *database*."""
    return tuple(each.stored_as or each.entity for each in declarations.values() if each.database == database)


def _handlers(collaborators: providers.Provider[Any]) -> dict[str, providers.Provider[Any]]:
    return {name: providers.Factory(handler, collaborators) for name, handler in _HANDLERS.items()}


_HANDLERS: Final[Mapping[str, type[Any]]] = {
    "create": CreateEntityHandler,
    "get": GetEntityHandler,
    "list": ListEntitiesHandler,
    "count": CountEntitiesHandler,
    "replace": ReplaceEntityHandler,
    "update": UpdateEntityHandler,
    "delete": DeleteEntityHandler,
    "restore": RestoreEntityHandler,
    "purge": PurgeEntityHandler,
    "upsert": UpsertEntityHandler,
    "bulk": ApplyBulkHandler,
    "aggregate": AggregateEntitiesHandler,
    "export": ExportEntitiesHandler,
    "import_": ImportEntitiesHandler,
    "perform": PerformActionHandler,
}


def _one(resources: Mapping[str, Resource[Any]], name: str) -> Resource[Any]:
    return resources[name]


def _repository(checked: Resource[Any], database: Database, clock: Clock) -> Repository[Any]:
    made = kit_of(database).repository(checked, database)
    return made if checked.soft_delete is None else SoftDeletingRepository(made, checked, clock.now)


def _unit_of_work(
    database: Database,
    resources: Mapping[str, Resource[Any]],
    repositories: Mapping[str, Callable[[], Repository[Any]]],
    event_bus: EventBus,
) -> UnitOfWork:
    return kit_of(database).unit_of_work(database, resources, repositories, event_bus)
