"""Which adapter stands behind which port: `Container`, and `resource()` to declare in it.

The only module, with `bootstrap`, that knows the container library.
Singletons are what has a lifespan; repositories, units of work and use cases are factories, so that an override
on a running application is followed by the next call and ends with its `with` block.
"""

import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar, cast

from dependency_injector import containers, providers
from pydantic import ValidationError

from fastapi_easy.application.context import Context
from fastapi_easy.application.kernel import Kernel, UseCases
from fastapi_easy.application.pipeline.standard import standard_steps
from fastapi_easy.application.pipeline.step import Handler, Step, Target, compose
from fastapi_easy.application.queries.limits import QueryLimits
from fastapi_easy.application.queries.query_reader import QueryReader
from fastapi_easy.application.resources.count_entities import CountEntitiesHandler
from fastapi_easy.application.resources.create_entity import CreateEntityHandler
from fastapi_easy.application.resources.delete_entity import DeleteEntityHandler
from fastapi_easy.application.resources.get_entity import GetEntityHandler
from fastapi_easy.application.resources.list_entities import ListEntitiesHandler
from fastapi_easy.application.resources.perform_action import (
    PerformActionHandler,
    action_name,
    mistakes_in_action,
)
from fastapi_easy.application.resources.replace_entity import ReplaceEntityHandler
from fastapi_easy.application.resources.update_entity import UpdateEntityHandler
from fastapi_easy.domain.declaration import Declaration, declare
from fastapi_easy.domain.errors import DeclarationError, Outcome
from fastapi_easy.domain.options import EVERY_OPERATION, Fields, Operation, QueryRules, Schemas
from fastapi_easy.domain.ports import Clock, Database, EventBus, Observer, Repository, UnitOfWork
from fastapi_easy.domain.resource import Resource
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.events.in_process import InProcessEventBus
from fastapi_easy.infrastructure.observation.log import LogObserver
from fastapi_easy.settings import ResourceSettings, Settings, read_settings
from fastapi_easy.technologies import describe, kit_of, open_database

__all__ = ["Container", "DeclaredResource", "declared_in", "resource"]

E = TypeVar("E")


class DeclaredResource(Generic[E]):
    """A resource as declared, and, on an instance of the container, its providers. Each can be overridden.

    Attributes:
        declaration: What was declared.

        resource: The checked resource.

        repository: Makes a repository for each call.

        unit_of_work: Makes a unit of work on the resource's database.

        create, get, list, count, replace, update, delete, perform: Make the handler for each call.
    """

    resource: providers.Provider[Resource[E]]
    repository: providers.Provider[Repository[E]]
    unit_of_work: providers.Provider[UnitOfWork]
    create: providers.Provider[CreateEntityHandler]
    get: providers.Provider[GetEntityHandler]
    list: providers.Provider[ListEntitiesHandler]
    count: providers.Provider[CountEntitiesHandler]
    replace: providers.Provider[ReplaceEntityHandler]
    update: providers.Provider[UpdateEntityHandler]
    delete: providers.Provider[DeleteEntityHandler]
    perform: providers.Provider[PerformActionHandler]

    def __init__(self, declaration: Declaration[E]) -> None:
        self.declaration = declaration


def resource(
    entity: type[E],
    *,
    operations: Sequence[Operation | str] = EVERY_OPERATION,
    fields: Fields = Fields(),
    schemas: Schemas = Schemas(),
    query: QueryRules = QueryRules(),
    database: str = "default",
    actions: Sequence[type[Any]] = (),
) -> DeclaredResource[E]:
    """Declare a resource in a `Container`; the attribute's name becomes its name and its path.

    Args:
        entity: An SQLAlchemy declarative class, an SQLModel table, a pydantic model or a dataclass.

        operations: The built-in use cases on offer.

        fields: Who may read and write which fields.

        schemas: pydantic models of your own in place of the derived ones.

        query: What may be asked of lists.

        database: The name of a database in the settings.

        actions: Use cases of your own on one entity; see `fastapi_easy.application.Action`.
    """
    return DeclaredResource(
        Declaration(
            entity=entity,
            operations=operations,
            fields=fields,
            schemas=schemas,
            query=query,
            database=database,
            actions={action_name(each): each for each in actions},
        )
    )


def _log_observer(settings: Settings) -> Observer:
    return LogObserver(settings.log.slow_call)


class Application(containers.DynamicContainer):
    """An instance of a user's container: the providers of the whole application."""

    declarations: Mapping[str, Declaration[Any]]
    settings: providers.Provider[Settings]
    clock: providers.Provider[Clock]
    event_bus: providers.Provider[EventBus]
    observer: providers.Provider[Observer]
    steps: providers.Provider[Sequence[Step]]
    databases: containers.DynamicContainer
    kernel: providers.Provider[Kernel]

    def every_database(self) -> Iterator[Database]:
        """The databases that resources live in, in the order they were declared."""
        for name in dict.fromkeys(each.database for each in self.declarations.values()):
            yield self.databases.providers[name]()

    def every_resource(self) -> Iterator[Resource[Any]]:
        """The checked resources, in the order they were declared."""
        for name in self.declarations:
            yield self.providers[name].resource()  # type: ignore[attr-defined]


class Container(containers.DeclarativeContainer):
    """Base of a user's container: declare resources in it, and override any provider.

    Attributes:
        settings: Everything the environment decides.

        clock, event_bus, observer: The ports that all resources share.

        steps: What happens around every use case, the outermost first.

        databases: The databases by name, on an instance.

        kernel: The application behind one object, on an instance.
    """

    instance_type = Application

    settings = providers.Singleton(read_settings)
    clock: providers.Provider[Clock] = providers.Singleton(SystemClock)
    event_bus: providers.Provider[EventBus] = providers.Singleton(InProcessEventBus)
    observer: providers.Provider[Observer] = providers.Singleton(_log_observer, settings)
    steps: providers.Provider[Sequence[Step]] = providers.Singleton(standard_steps, observer.provider, clock)
    kernel: providers.Provider[Kernel]
    databases: containers.DynamicContainer

    def __new__(cls, **overriding: providers.Provider[Any] | Any) -> Any:
        """An instance with the resources declared in the class, its bases and the settings.

        Args:
            overriding: Providers, or plain objects, that take the place of the class's by name: `settings=…`.

        Raises:
            DeclarationError: The settings have mistakes.
        """
        application = cast("Application", super().__new__(cls, **overriding))
        application.declarations = {**declared_in(cls), **_configured(application)}
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
    resources: dict[str, providers.Provider[Resource[Any]]] = {}
    repositories: dict[str, providers.Provider[Repository[Any]]] = {}
    units_of_work: dict[str, providers.Provider[UnitOfWork]] = {}
    for name in dict.fromkeys(["default", *(each.database for each in application.declarations.values())]):
        opened = providers.Singleton(open_database, application.settings, name)
        databases.set_provider(name, opened)
        units_of_work[name] = providers.Factory(
            _unit_of_work,
            opened,
            providers.Object(resources),
            providers.Object(repositories),
            application.event_bus,
        )
    application.set_provider(
        "databases", providers.Container(containers.DynamicContainer, container=databases)
    )
    application.set_provider("unit_of_work", units_of_work["default"])
    for name, declaration in application.declarations.items():
        database: providers.Provider[Database] = databases.providers[declaration.database]
        checked = providers.Singleton(_checked, name, providers.Object(declaration), database)
        repository = providers.Factory(_repository, checked, database)
        resources[name], repositories[name] = checked, repository
        sub = containers.DynamicContainer()
        sub.set_providers(
            resource=checked,
            repository=repository,
            unit_of_work=units_of_work[declaration.database],
            **_handlers(checked, repository, units_of_work[declaration.database], application.clock),
        )
        application.set_provider(name, providers.Container(containers.DynamicContainer, container=sub))
    application.set_provider("kernel", providers.Singleton(_kernel, providers.Object(application)))


def _handlers(
    checked: providers.Provider[Any],
    repository: providers.Provider[Any],
    unit_of_work: providers.Provider[Any],
    clock: providers.Provider[Any],
) -> dict[str, providers.Provider[Any]]:
    # `.provider` hands over how to make one; the bare provider would be called once, here.
    return {
        "create": providers.Factory(CreateEntityHandler, checked, unit_of_work.provider, clock),
        "get": providers.Factory(GetEntityHandler, checked, repository.provider),
        "list": providers.Factory(ListEntitiesHandler, checked, repository.provider),
        "count": providers.Factory(CountEntitiesHandler, checked, repository.provider),
        "replace": providers.Factory(ReplaceEntityHandler, checked, unit_of_work.provider, clock),
        "update": providers.Factory(UpdateEntityHandler, checked, unit_of_work.provider, clock),
        "delete": providers.Factory(DeleteEntityHandler, checked, unit_of_work.provider, clock),
        "perform": providers.Factory(PerformActionHandler, checked, unit_of_work.provider),
    }


def _kernel(application: Application) -> Kernel:
    """The kernel of *application*.

    Raises:
        DeclarationError: With every mistake of every declaration.
    """
    mistakes: list[str] = []
    for name in application.declarations:
        try:
            application.providers[name].resource()  # type: ignore[attr-defined]
        except DeclarationError as error:
            mistakes += error.mistakes
    if mistakes:
        raise DeclarationError(mistakes)
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
            operation.value: _followed(Target(checked, operation), getattr(sub, operation.value), steps)
            for operation in Operation
        },
    )


def _followed(
    target: Target, provider: providers.Provider[Any], steps: providers.Provider[Sequence[Step]]
) -> Handler[Any, Any]:
    """A handler that follows its providers: the steps are composed anew only when others are given."""

    async def innermost(command: Any, context: Context, /) -> Outcome[Any]:
        return cast("Outcome[Any]", await provider()(command, context))

    known = steps()
    composed = compose(known, target, innermost)

    def follow(command: Any, context: Context, /) -> Awaitable[Outcome[Any]]:
        nonlocal known, composed
        current = steps()
        if current is not known:
            known, composed = current, compose(current, target, innermost)
        return composed(command, context)

    return follow


def _repository(checked: Resource[Any], database: Database) -> Repository[Any]:
    return kit_of(database).repository(checked, database)


def _unit_of_work(
    database: Database,
    resources: Mapping[str, Callable[[], Resource[Any]]],
    repositories: Mapping[str, Callable[[], Repository[Any]]],
    event_bus: EventBus,
) -> UnitOfWork:
    return kit_of(database).unit_of_work(database, _Checked(resources), repositories, event_bus)


class _Checked(Mapping[str, Resource[Any]]):
    """The resources behind their providers."""

    __slots__ = ("_providers",)

    def __init__(self, providers_: Mapping[str, Callable[[], Resource[Any]]]) -> None:
        self._providers = providers_

    def __getitem__(self, name: str) -> Resource[Any]:
        return self._providers[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._providers)

    def __len__(self) -> int:
        return len(self._providers)


def _checked(name: str, declaration: Declaration[Any], database: Database) -> Resource[Any]:
    mistakes = [
        sentence for action in (declaration.actions or {}).values() for sentence in mistakes_in_action(action)
    ]
    try:
        shape, lacks = database.admit(name, describe(declaration.entity))
    except DeclarationError as error:
        raise DeclarationError([f"{name}: {each}" for each in error.mistakes]) from None
    found, contradictions = declare(name, declaration, shape)
    mistakes = [*(f"{name}: {each}" for each in mistakes), *lacks, *contradictions]
    if found is None or mistakes:
        raise DeclarationError(mistakes)
    return found


def _configured(application: Application) -> dict[str, Declaration[Any]]:
    """The resources declared in the settings file, and in a `Configuration` provider called `config`."""
    written = dict(application.settings().resources)
    if isinstance(config := application.providers.get("config"), providers.Configuration):
        try:
            written |= {
                name: ResourceSettings.model_validate(each)
                for name, each in ((config() or {}).get("resources") or {}).items()
            }
        except ValidationError as error:
            raise DeclarationError(
                [
                    f"config.resources: {'.'.join(map(str, each['loc']))}: {each['msg']}"
                    for each in error.errors()
                ]
            ) from None
    mistakes: list[str] = []
    found = {}
    for name, each in written.items():
        try:
            found[name] = each.declaration()
        except (ImportError, AttributeError, TypeError, ValueError) as error:
            mistakes.append(f"resources.{name}: {error}")
    if mistakes:
        raise DeclarationError(mistakes)
    return found
