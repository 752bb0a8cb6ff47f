"""What a user declared becomes resources that contradict nothing: not themselves, each other or their store."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

from dependency_injector import providers
from pydantic import ValidationError

from fastapi_easy.application.collaborators import Collaborators
from fastapi_easy.application.resources.aggregate_entities import AggregateEntitiesHandler
from fastapi_easy.application.resources.apply_bulk import ApplyBulkHandler
from fastapi_easy.application.resources.count_entities import CountEntitiesHandler
from fastapi_easy.application.resources.create_entity import CreateEntityHandler
from fastapi_easy.application.resources.delete_entity import DeleteEntityHandler
from fastapi_easy.application.resources.export_entities import ExportEntitiesHandler
from fastapi_easy.application.resources.get_entity import GetEntityHandler
from fastapi_easy.application.resources.import_entities import ImportEntitiesHandler
from fastapi_easy.application.resources.list_entities import ListEntitiesHandler
from fastapi_easy.application.resources.perform_action import (
    PerformActionHandler,
    action_name,
    mistakes_in_action,
)
from fastapi_easy.application.resources.purge_entity import PurgeEntityHandler
from fastapi_easy.application.resources.replace_entity import ReplaceEntityHandler
from fastapi_easy.application.resources.restore_entity import RestoreEntityHandler
from fastapi_easy.application.resources.update_entity import UpdateEntityHandler
from fastapi_easy.application.resources.upsert_entity import UpsertEntityHandler
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.technologies import describe
from fastapi_easy.domain.declaration import Declaration, declare
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.linking import link
from fastapi_easy.domain.options import EVERY_OPERATION, Fields, Operation, QueryRules, Schemas, Version
from fastapi_easy.domain.ports import Database, Repository, UnitOfWork
from fastapi_easy.domain.relation import Link
from fastapi_easy.domain.resource import Resource, Shape
from fastapi_easy.settings import ResourceSettings

__all__ = [
    "CheckedResources",
    "DeclaredResource",
    "check",
    "declared_in",
    "read_declarations",
    "resource",
    "written_in",
]

E = TypeVar("E")


class DeclaredResource(Generic[E]):
    """A resource as declared, and, on an instance of the container, its providers. Each can be overridden.

    Attributes:
        declaration: What was declared.

        resource: The checked resource.

        repository: Makes a repository for each call.

        unit_of_work: Makes a unit of work on the resource's database.

        collaborators: What each handler is made from.

        create, get, list, …, perform: Make the handler for each call; `import_` is spelt with an underscore.
    """

    resource: providers.Provider[Resource[E]]
    repository: providers.Provider[Repository[E]]
    unit_of_work: providers.Provider[UnitOfWork]
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
    stored_as: type[Any] | None = None,
    relations: Sequence[str] | Mapping[str, Link] | None = None,
    version: str | Version = Version(),
    soft_delete: str | None = None,
    upsert: Sequence[str] = (),
    dependencies: Sequence[Any] = (),
) -> DeclaredResource[E]:
    """Declare a resource in a `Container`; the attribute's name becomes its name and its path.

    Args:
        entity: An SQLAlchemy declarative class, an SQLModel table, a Tortoise model, a pydantic model or a dataclass.

        operations: The built-in use cases on offer.

        fields: Who may read and write which fields.

        schemas: pydantic models of your own in place of the derived ones.

        query: What may be asked of lists.

        database: The name of a database in the settings.

        actions: Use cases of your own on one entity; see `fastapi_easy.application.Action`.

        stored_as: The class that an adapter stores, when *entity* is a dataclass or a pydantic model that knows of no
            store; both have fields of the same names.

        relations: Which relations of the class callers may follow, or relations that the class does not know, made
            with `to_one` and `to_many`; by default all whose other end is a resource of the same database.

        version: The field that counts the changes of an entity, or a `Version`.

        soft_delete: The nullable time that marks an entity as deleted; without one it is removed.

        upsert: The unique fields by which an upsert finds the entity to change.

        dependencies: FastAPI dependencies, `Depends(...)` or `Security(...)`, that run before every operation over
            HTTP, after those of the application.
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
            stored_as=stored_as,
            relations=relations,
            version=version,
            soft_delete=soft_delete,
            upsert=upsert,
            dependencies=dependencies,
        )
    )


def declared_in(container: type[Any]) -> dict[str, Declaration[Any]]:
    """The declarations in *container* and its bases, by name; those of a base come first."""
    return {
        name: value.declaration
        for base in reversed(container.__mro__)
        for name, value in vars(base).items()
        if isinstance(value, DeclaredResource)
    }


def check(
    declarations: Mapping[str, Declaration[Any]], databases: Mapping[str, Callable[[], Database]]
) -> Mapping[str, Resource[Any]]:
    """The resource of each declaration, and what relates them.

    Args:
        declarations: All of one application, by name.

        databases: What makes the databases they name.

    Raises:
        DeclarationError: With every mistake of every declaration.
    """
    mistakes: list[str] = []
    shapes: dict[str, Shape] = {}
    resources: dict[str, Resource[Any]] = {}
    for name, declaration in declarations.items():
        for action in (declaration.actions or {}).values():
            mistakes += [f"{name}: {sentence}" for sentence in mistakes_in_action(action)]
        try:
            shape, lacks = databases[declaration.database]().admit(name, _shape(declaration))
        except DeclarationError as error:
            mistakes += [f"{name}: {each}" for each in error.mistakes]
            continue
        found, contradictions = declare(name, declaration, shape)
        mistakes += [*lacks, *contradictions]
        if found is not None:
            shapes[name], resources[name] = shape, found
    mistakes += link(resources, declarations, shapes)
    # A database that cannot be opened says so to each of its resources.
    if mistakes := list(dict.fromkeys(mistakes)):
        raise DeclarationError(mistakes)
    return resources


class CheckedResources(Mapping[str, Resource[Any]]):
    """The resources behind their providers."""

    __slots__ = ("_providers",)

    def __init__(self, providers: Mapping[str, Callable[[], Resource[Any]]]) -> None:
        self._providers = providers

    def __getitem__(self, name: str) -> Resource[Any]:
        return self._providers[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._providers)

    def __len__(self) -> int:
        return len(self._providers)


def _shape(declaration: Declaration[Any]) -> Shape:
    """What the class says that decides how entities are stored.

    Raises:
        DeclarationError: No adapter knows it, or the entity apart from it has other fields.
    """
    if declaration.stored_as is None:
        return describe(declaration.entity)
    shape, entity = describe(declaration.stored_as), describe(declaration.entity)
    stored = {field.name for field in shape.fields}
    own = {field.name for field in entity.fields}
    mistakes = [
        f"{holder.__name__} has no field {name!r}, which {other.__name__} has: add it, so that both have the same"
        for holder, other, names in (
            (declaration.stored_as, declaration.entity, own - stored),
            (declaration.entity, declaration.stored_as, stored - own),
        )
        for name in sorted(names)
    ]
    if mistakes:
        raise DeclarationError(mistakes)
    return shape


def read_declarations(
    settings: Mapping[str, ResourceSettings], config: Mapping[str, Any]
) -> dict[str, Declaration[Any]]:
    """The declarations written in files, by name.

    Args:
        settings: Those of the settings.

        config: Those of a user's own configuration, not looked at by anybody yet; they come before the others.

    Raises:
        DeclarationError: A class cannot be found, or an option is unknown.
    """
    mistakes: list[str] = []
    found: dict[str, Declaration[Any]] = {}
    for name, each in (dict(settings) | dict(config)).items():
        try:
            found[name] = ResourceSettings.model_validate(each).declaration()
        except ValidationError as error:
            mistakes += [
                f"config.resources: {'.'.join(map(str, (name, *fault['loc'])))}: {fault['msg']}"
                for fault in error.errors()
            ]
        except (ImportError, AttributeError, TypeError, ValueError) as error:
            mistakes.append(f"resources.{name}: {error}")
    if mistakes:
        raise DeclarationError(mistakes)
    return found


def written_in(application: Application) -> dict[str, Declaration[Any]]:
    """The resources declared in the settings file, and in a `Configuration` provider called `config`."""
    config = application.providers.get("config")
    given = config() if isinstance(config, providers.Configuration) else None
    return read_declarations(application.settings().resources, (given or {}).get("resources") or {})
