"""Which adapter stands behind which port: `Container`, and `resource()` to declare in it.

The only module, with `bootstrap`, that knows the container library.
Singletons are what has a lifespan; repositories, units of work and use cases are factories, so that an override
on a running application is followed by the next call and ends with its `with` block.
"""

import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from keyword import iskeyword
from typing import Any, Final, TypeVar, cast

from dependency_injector import containers, providers

from fastapi_easy.application.collaborators import Collaborators
from fastapi_easy.application.context import Context
from fastapi_easy.application.kernel import Kernel, UseCases
from fastapi_easy.application.locks.lock_manager import LockManager
from fastapi_easy.application.locks.standing import LOCKS
from fastapi_easy.application.pipeline.standard import standard_steps
from fastapi_easy.application.pipeline.step import Handler, Step, Target, compose
from fastapi_easy.application.queries.limits import QueryLimits
from fastapi_easy.application.queries.query_reader import QueryReader
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
from fastapi_easy.declarations import (
    CheckedResources,
    DeclaredResource,
    check,
    read_declarations,
    resource,
)
from fastapi_easy.domain.declaration import Declaration
from fastapi_easy.domain.errors import DeclarationError, Outcome
from fastapi_easy.domain.narrowed import SoftDeletingRepository
from fastapi_easy.domain.options import Operation
from fastapi_easy.domain.ports import (
    Breaker,
    Clock,
    Database,
    EventBus,
    EvictionHook,
    LeaseStore,
    LockProvider,
    Metrics,
    Observer,
    Policy,
    Repository,
    Retry,
    UnitOfWork,
)
from fastapi_easy.domain.resource import Resource
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.events.in_process import InProcessEventBus
from fastapi_easy.infrastructure.observation.log import LogObserver
from fastapi_easy.infrastructure.observation.several import Several
from fastapi_easy.leases import open_leases
from fastapi_easy.settings import Settings, read_settings
from fastapi_easy.technologies import (
    kit_of,
    open_breaker,
    open_database,
    open_lock_breaker,
    open_metrics,
    open_retry,
    stamp_fence,
)

__all__ = ["Container", "DeclaredResource", "declared_in", "resource"]

E = TypeVar("E")


def _observer(settings: Settings, metrics: Metrics | None) -> Observer:
    log = LogObserver(settings.log.slow_call)
    return log if metrics is None else Several((log, metrics))


def _locks(
    store: LeaseStore,
    clock: Clock,
    eviction_hook: EvictionHook | None,
    breaker: Callable[[], Breaker | None],
) -> LockProvider:
    return LockManager(store, clock, on_eviction=eviction_hook, fence=stamp_fence, breaker=breaker)


class Application(containers.DynamicContainer):
    """An instance of a user's container: the providers of the whole application."""

    declarations: Mapping[str, Declaration[Any]]
    settings: providers.Provider[Settings]
    clock: providers.Provider[Clock]
    event_bus: providers.Provider[EventBus]
    metrics: providers.Provider[Metrics | None]
    observer: providers.Provider[Observer]
    policy: providers.Provider[Policy | None]
    retry: providers.Provider[Retry]
    lease_store: providers.Provider[LeaseStore]
    locks: providers.Provider[LockProvider]
    steps: providers.Provider[Sequence[Step]]
    databases: containers.DynamicContainer
    breakers: containers.DynamicContainer
    kernel: providers.Provider[Kernel]

    def every_database(self) -> Iterator[Database]:
        """The databases that resources live in, in the order they were declared."""
        for name in dict.fromkeys(each.database for each in self.declarations.values()):
            yield self.databases.providers[name]()

    def every_breaker(self) -> dict[str, Breaker]:
        """The breakers of the databases that have one, by name, and that of the locks."""
        names = [*(each.name for each in self.every_database()), LOCKS]
        found = {name: self.breakers.providers[name]() for name in names}
        return {name: breaker for name, breaker in found.items() if breaker is not None}

    def every_resource(self) -> Iterator[Resource[Any]]:
        """The checked resources, in the order they were declared."""
        for name in self.declarations:
            yield self.providers[name].resource()  # type: ignore[attr-defined]


class Container(containers.DeclarativeContainer):
    """Base of a user's container: declare resources in it, and override any provider.

    Attributes:
        settings: Everything the environment decides.

        clock, event_bus, observer: The ports that all resources share.

        metrics: Counts calls for `/metrics`, while the setting `http.metrics` says so; told by the observer.

        policy: What each caller may see; everything while there is none.

        retry: Says whether a call that came to nothing is made again.

        lease_store: Where leases are kept.

        eviction_hook: Is told of every lease that an operator takes from its holder; they are logged besides.

        locks: Locks by name: `async with shop.locks().hold("invoice:42") as lease`.

        steps: What happens around every use case, the outermost first.

        databases: The databases by name, on an instance.

        breakers: Their breakers by name, and that of the locks, on an instance; `None` where there is none.

        kernel: The application behind one object, on an instance.
    """

    instance_type = Application

    settings = providers.Singleton(read_settings)
    clock: providers.Provider[Clock] = providers.Singleton(SystemClock)
    event_bus: providers.Provider[EventBus] = providers.Singleton(InProcessEventBus)
    metrics: providers.Provider[Metrics | None] = providers.Singleton(open_metrics, settings)
    observer: providers.Provider[Observer] = providers.Singleton(_observer, settings, metrics)
    policy: providers.Provider[Policy | None] = providers.Object(None)
    retry: providers.Provider[Retry] = providers.Singleton(open_retry, settings)
    lease_store: providers.Provider[LeaseStore] = providers.Singleton(open_leases, settings, clock)
    eviction_hook: providers.Provider[EvictionHook | None] = providers.Object(None)
    locks: providers.Provider[LockProvider] = providers.Singleton(_locks, lease_store, clock, eviction_hook)
    steps: providers.Provider[Sequence[Step]] = providers.Singleton(
        standard_steps, observer.provider, clock, retry.provider, settings.provided.deadline
    )
    kernel: providers.Provider[Kernel]
    databases: containers.DynamicContainer
    breakers: containers.DynamicContainer

    def __new__(cls, **overriding: providers.Provider[Any] | Any) -> Any:
        """An instance with the resources declared in the class, its bases and the settings.

        Args:
            overriding: Providers, or plain objects, that take the place of the class's by name: `settings=…`.

        Raises:
            DeclarationError: The settings have mistakes.
        """
        application = cast("Application", super().__new__(cls, **overriding))
        application.declarations = {**declared_in(cls), **_written(application)}
        if taken := sorted(_OWN_PROVIDERS & application.declarations.keys()):
            raise DeclarationError(
                [f"{name}: the container has a provider of that name: rename it" for name in taken]
            )
        _wire(application)
        return application


_OWN_PROVIDERS: Final = frozenset(vars(Container)["__annotations__"]) | frozenset(Container.providers)


def declared_in(container: type[Container]) -> dict[str, Declaration[Any]]:
    """The declarations in *container* and its bases, by name; those of a base come first."""
    return {
        name: value.declaration
        for base in reversed(container.__mro__)
        for name, value in vars(base).items()
        if isinstance(value, DeclaredResource)
    }


def _wire(application: Application) -> None:
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
    if getattr(application.locks, "cls", None) is _locks:
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
    application.set_provider("kernel", providers.Singleton(_kernel, providers.Object(application)))


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


def _kernel(application: Application) -> Kernel:
    """The kernel of *application*.

    Raises:
        DeclarationError: With every mistake of every declaration.
    """
    settings = application.settings()
    limits = QueryLimits(**settings.query.model_dump())
    secret = settings.secret.get_secret_value().encode() if settings.secret else secrets.token_bytes(32)
    return Kernel(
        {
            name: _use_cases(application.providers[name], application.steps, limits, secret)
            for name in application.declarations
        }
    )


def _use_cases(
    sub: Any, steps: providers.Provider[Sequence[Step]], limits: QueryLimits, secret: bytes
) -> UseCases:
    checked: Resource[Any] = sub.resource()
    return UseCases(
        resource=checked,
        queries=QueryReader(checked, limits, secret),
        actions={
            name: _followed(Target(checked, name), sub.perform, steps) for name in checked.actions or {}
        },
        **{
            name: _followed(Target(checked, operation), getattr(sub, name), steps)
            for operation in Operation
            for name in [f"{operation}_" if iskeyword(operation) else str(operation)]
        },
    )


def _followed(
    target: Target, provider: providers.Provider[Any], steps: providers.Provider[Sequence[Step]]
) -> Handler[Any, Any]:
    """A handler that follows its providers: the steps are composed anew only when others are given."""

    def innermost(command: Any, context: Context, /) -> Awaitable[Outcome[Any]]:
        return cast("Awaitable[Outcome[Any]]", provider()(command, context))

    known = steps()
    composed = compose(known, target, innermost)

    def follow(command: Any, context: Context, /) -> Awaitable[Outcome[Any]]:
        nonlocal known, composed
        current = steps()
        if current is not known:
            known, composed = current, compose(current, target, innermost)
        return composed(command, context)

    return follow


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


def _written(application: Application) -> dict[str, Declaration[Any]]:
    """The resources declared in the settings file, and in a `Configuration` provider called `config`."""
    config = application.providers.get("config")
    given = config() if isinstance(config, providers.Configuration) else None
    return read_declarations(application.settings().resources, (given or {}).get("resources") or {})
