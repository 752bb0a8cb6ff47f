"""A resource in a container: its declaration, and the providers that work on it."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar

from dependency_injector import containers, providers

from fastapi_easy.application.collaborators import Collaborators
from fastapi_easy.application.operations import OPERATIONS
from fastapi_easy.application.pipeline.step import Handler
from fastapi_easy.application.resources.aggregate_entities import AggregateEntitiesHandler
from fastapi_easy.application.resources.apply_bulk import ApplyBulkHandler
from fastapi_easy.application.resources.count_entities import CountEntitiesHandler
from fastapi_easy.application.resources.create_entity import CreateEntityHandler
from fastapi_easy.application.resources.delete_entity import DeleteEntityHandler
from fastapi_easy.application.resources.get_entity import GetEntityHandler
from fastapi_easy.application.resources.list_entities import ListEntitiesHandler
from fastapi_easy.application.resources.perform_action import PerformActionHandler
from fastapi_easy.application.resources.purge_entity import PurgeEntityHandler
from fastapi_easy.application.resources.read_history import ReadHistoryHandler
from fastapi_easy.application.resources.replace_entity import ReplaceEntityHandler
from fastapi_easy.application.resources.restore_entity import RestoreEntityHandler
from fastapi_easy.application.resources.streams.export_entities import ExportEntitiesHandler
from fastapi_easy.application.resources.streams.follow_changes import FollowChangesHandler
from fastapi_easy.application.resources.streams.import_entities import ImportEntitiesHandler
from fastapi_easy.application.resources.update_entity import UpdateEntityHandler
from fastapi_easy.application.resources.upsert_entity import UpsertEntityHandler
from fastapi_easy.composition.deferred import DeferredProduct, deferred
from fastapi_easy.composition.memoized import Memoized, MemoizedFactory
from fastapi_easy.domain.ports import EntityRepository, Repository, UnitOfWork, Validator
from fastapi_easy.domain.resources.declaration import Declaration
from fastapi_easy.domain.resources.resource import Resource

__all__ = ["HANDLERS", "PROVIDER_KINDS", "DeclaredResource"]

E = TypeVar("E")

HANDLERS: Final[Mapping[str, Callable[[Collaborators], Handler[Any, Any]]]] = {
    **{each.attribute: each.handler for each in OPERATIONS.values()},
    "perform": PerformActionHandler,
}
"""The factory of each handler by the name of its provider; `perform` is for the user's own actions."""

PROVIDER_KINDS: Final[Mapping[str, Callable[[DeferredProduct], Any]]] = {
    "resource": providers.Singleton,
    "repository": Memoized,
    "entities": Memoized,
    "unit_of_work": MemoizedFactory,
    "validator": Memoized,
    "collaborators": Memoized,
    **dict.fromkeys(HANDLERS, Memoized),
}
"""The kind of each provider of a resource, by its name."""


class _ResourceProviders(containers.DynamicContainer):
    """The providers of one resource, each made when it is first looked up.

    Attributes:
        owner: Returns the resource on the class whose providers these are; `None` on instances.

        fill_handler: Wires a handler that is made here, on an instance.
    """

    def __init__(self) -> None:
        super().__init__()
        self.owner: Callable[[], Any] = lambda: None
        self.fill_handler: Callable[[str, Any], object] | None = None
        self.providers = _LazyProviders(self)

    def __getattr__(self, name: str) -> Any:
        if name not in PROVIDER_KINDS:
            raise AttributeError(f"a resource has no provider {name!r}: it has {', '.join(PROVIDER_KINDS)}")
        made = deferred(PROVIDER_KINDS[name], name, self.owner())
        self.set_provider(name, made)
        if self.fill_handler is not None and name in HANDLERS:
            _ = self.fill_handler(name, made)
        return made


class _LazyProviders(dict[str, providers.Provider[Any]]):
    """The same providers by name, where `wire()` of dependency-injector looks them up."""

    def __init__(self, parts: _ResourceProviders) -> None:
        super().__init__()
        self._parts = parts

    def __missing__(self, name: str) -> providers.Provider[Any]:
        try:
            made: providers.Provider[Any] = getattr(self._parts, name)
        except AttributeError:
            raise KeyError(name) from None
        return made


class DeclaredResource(providers.Container[Any], Generic[E]):
    """A resource as declared, and its providers. Each can be overridden.

    Those on the class of a container make nothing. They can be passed on to providers of your own, named in
    `Provide[Shop.books.repository]`, and overridden for every instance that is made from then on.

    Attributes:
        declaration: The declaration.

        name: The attribute of the container that it is.

        resource: The checked resource.

        repository: Makes a repository; returns the same one while its dependencies are the same.

        entities: Makes what gives and takes instances of the user's class, above that repository.

        unit_of_work: Makes a unit of work on the resource's database, for each call.

        validator: Checks what callers give.

        collaborators: The ports that each handler is made from.

        create, get, list, …, perform: Make the handler; `import_` is spelt with an underscore.
    """

    # The base class returns `Any` for every name; without that, type checkers report a misspelt provider.
    __getattr__: None  # type: ignore[assignment,misc]

    resource: providers.Provider[Resource[E]]
    repository: providers.Provider[Repository[E]]
    entities: providers.Provider[EntityRepository[E]]
    unit_of_work: providers.Provider[UnitOfWork]
    validator: providers.Provider[Validator]
    collaborators: providers.Provider[Collaborators]
    create: providers.Provider[CreateEntityHandler]
    get: providers.Provider[GetEntityHandler]
    list: providers.Provider[ListEntitiesHandler]
    count: providers.Provider[CountEntitiesHandler]
    replace: providers.Provider[ReplaceEntityHandler]
    update: providers.Provider[UpdateEntityHandler]
    delete: providers.Provider[DeleteEntityHandler]
    restore: providers.Provider[RestoreEntityHandler]
    purge: providers.Provider[PurgeEntityHandler]
    upsert: providers.Provider[UpsertEntityHandler]
    bulk: providers.Provider[ApplyBulkHandler]
    aggregate: providers.Provider[AggregateEntitiesHandler]
    export: providers.Provider[ExportEntitiesHandler]
    import_: providers.Provider[ImportEntitiesHandler]
    changes: providers.Provider[FollowChangesHandler]
    history: providers.Provider[ReadHistoryHandler]
    perform: providers.Provider[PerformActionHandler]

    declaration: Declaration[E]

    def __init__(self, declaration: Declaration[E] | None = None) -> None:
        self.name = ""
        if declaration is None:
            # dependency-injector copies a provider by calling its class without arguments, then fills the copy.
            super().__init__(None)  # type: ignore[arg-type]
            return
        parts = _ResourceProviders()
        parts.owner = lambda: self
        super().__init__(containers.DynamicContainer, container=parts)
        self.declaration = declaration

    def fill_handlers(self, fill_handler: Callable[[str, Any], object]) -> None:
        """Wire the handlers: those that are there now, by an override or a name, and the others when they are needed.

        A resource has many operations, and most programs call few of them.

        Args:
            fill_handler: Wires the provider of a handler, by its name.
        """
        parts: Any = self.container
        for name, provider in parts.providers.items():
            if name in HANDLERS:
                _ = fill_handler(name, provider)
        parts.fill_handler = fill_handler

    def __set_name__(self, owner: type[Any], name: str) -> None:
        """Store the name of the attribute."""
        self.name = name

    def __deepcopy__(self, memo: dict[Any, Any] | None) -> "DeclaredResource[E]":
        """Return a copy for an instance of the container."""
        copied: DeclaredResource[E] = super().__deepcopy__(memo)  # type: ignore[assignment]
        copied.declaration, copied.name = self.declaration, self.name
        return copied
