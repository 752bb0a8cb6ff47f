"""What a user declared becomes resources that contradict nothing: not themselves, each other or their store."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from fastapi_easy.application.resources.perform_action import find_action_mistakes
from fastapi_easy.composition.declared_resource import DeclaredResource
from fastapi_easy.composition.policies.effective_policy import find_rule_mistakes
from fastapi_easy.composition.secrets.wiring import require_cipher
from fastapi_easy.composition.technologies import describe
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.policies.rule import Rule
from fastapi_easy.domain.ports import Cipher, Database
from fastapi_easy.domain.resources.declaration import Declaration, declare
from fastapi_easy.domain.resources.declaring.action_names import name_actions
from fastapi_easy.domain.resources.linking import link
from fastapi_easy.domain.resources.options import (
    EVERY_OPERATION,
    Cache,
    Fields,
    IdempotencyKeys,
    Operation,
    QueryRules,
    Reading,
    Schemas,
    Version,
)
from fastapi_easy.domain.resources.recording import Audit, Events
from fastapi_easy.domain.resources.relation import Link
from fastapi_easy.domain.resources.resource import Resource, Shape
from fastapi_easy.infrastructure.entities.clock_defaults import with_zones
from fastapi_easy.infrastructure.entities.misdeclared import find_argument_mistakes, unmapped_table
from fastapi_easy.infrastructure.entities.rules import with_rules_of
from fastapi_easy.infrastructure.validation import with_aliases

__all__ = ["CheckedResources", "check_declarations", "resource"]

E = TypeVar("E")


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
    tenant: str | None = None,
    upsert: Sequence[str] = (),
    reading: Reading | str = Reading.LENIENT,
    cache: Cache | None = None,
    dependencies: Sequence[Any] = (),
    idempotency: IdempotencyKeys | str = IdempotencyKeys.OPTIONAL,
    policy: Sequence[Rule] | None = None,
    events: Events | bool | None = None,
    audit: Audit | bool | None = None,
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

        tenant: The field that says to which tenant an entity belongs. The kernel sets it, and shows each caller the
            entities of their own tenant only.

        upsert: The unique fields by which an upsert finds the entity to change.

        reading: Whether entities with stored values that do not fit their fields are shown (`lenient`) or reported as
            problems (`strict`).

        cache: How answers are kept, if they are: `Cache(seconds=60)`.

        dependencies: FastAPI dependencies, `Depends(...)` or `Security(...)`, that run before every operation over
            HTTP, after those of the application.

        idempotency: Whether creates, bulks and actions may come without an idempotency key (`optional`) or not
            (`required`).
        policy: Rules made with `fastapi_easy.policies.allow`, which alone decide what callers may do with it; unless
            given, the container's policy decides.

        events: Which changes are published, through an outbox: `True` for all, or `Events(…)`.

        audit: What the audit trail records of each change: `True` for every readable field, or `Audit(fields=…)`.

    Raises:
        DeclarationError: *entity* is no class, an option is given as something else than it takes, or two actions
            have one name.
    """
    mistakes = find_argument_mistakes(
        entity, {"fields": fields, "schemas": schemas, "query": query, "cache": cache}
    )
    if found := list(mistakes):
        raise DeclarationError(found)
    named, clashes = name_actions(actions, entity)
    if clashes:
        raise DeclarationError(clashes)
    return DeclaredResource(
        Declaration(
            entity=entity,
            operations=operations,
            fields=fields,
            schemas=schemas,
            query=query,
            database=database,
            actions=named,
            stored_as=stored_as,
            relations=relations,
            version=version,
            soft_delete=soft_delete,
            tenant=tenant,
            upsert=upsert,
            reading=reading,
            cache=cache,
            dependencies=dependencies,
            idempotency=idempotency,
            policy=policy,
            events=events,
            audit=audit,
        )
    )


def check_declarations(
    declarations: Mapping[str, Declaration[Any]],
    databases: Mapping[str, Callable[[], Database]],
    cipher: Callable[[], Cipher | None],
) -> Mapping[str, Resource[Any]]:
    """Return the resource of each declaration, with their relations.

    Args:
        declarations: All of one application, by name.

        databases: What makes the databases they name.

        cipher: What makes that which encrypts their secret fields.

    Raises:
        DeclarationError: With every mistake of every declaration.
    """
    mistakes: list[str] = []
    shapes: dict[str, Shape] = {}
    resources: dict[str, Resource[Any]] = {}
    for name, declaration in declarations.items():
        for action in (declaration.actions or {}).values():
            mistakes += [f"{name}: {sentence}" for sentence in find_action_mistakes(action)]
        try:
            database = databases[declaration.database]()
            described = with_zones(_shape(declaration, database))
            shape, unsupported = database.narrow_shape(name, described)
        except DeclarationError as error:
            mistakes += [f"{name}: {each}" for each in error.mistakes]
            continue
        if unsupported and described.table is None:
            unsupported = [unmapped_table(name, declaration.entity) or unsupported[0], *unsupported[1:]]
        found, contradictions = declare(name, declaration, shape)
        mistakes += [*unsupported, *contradictions]
        if found is not None:
            shapes[name], resources[name] = shape, found
    mistakes += link(resources, declarations, shapes)
    if any(each.fields.secret for each in declarations.values()):
        mistakes += _find_key_mistakes(cipher)
    mistakes += find_rule_mistakes(resources)
    # A database that cannot be opened says so to each of its resources.
    if mistakes := list(dict.fromkeys(mistakes)):
        raise DeclarationError(mistakes)
    return resources


def _find_key_mistakes(cipher: Callable[[], Cipher | None]) -> Sequence[str]:
    """Return what is wrong with the keys of secret fields."""
    try:
        _ = require_cipher(cipher)
    except DeclarationError as error:
        return error.mistakes
    return ()


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


def _shape(declaration: Declaration[Any], database: Database) -> Shape:
    """Read from the class what decides how entities are stored.

    Raises:
        DeclarationError: No adapter knows it, or the entity apart from it has other fields.
    """
    if declaration.stored_as is None:
        return with_aliases(describe(declaration.entity, database), declaration.schemas)
    shape, entity = describe(declaration.stored_as, database), describe(declaration.entity)
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
    return with_aliases(with_rules_of(shape, entity), declaration.schemas, entity)
