"""A user's declaration, and the resource it becomes once nothing in it contradicts anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

from fastapi_easy.domain.field import Comparison, Field, Kind
from fastapi_easy.domain.resources.declaring.call_options import check_idempotency, check_reading
from fastapi_easy.domain.resources.declaring.documentation import first_paragraph
from fastapi_easy.domain.resources.declaring.json_paths import document_paths
from fastapi_easy.domain.resources.declaring.key_source import declare_key
from fastapi_easy.domain.resources.declaring.mistakes import Mistakes
from fastapi_easy.domain.resources.declaring.offered_operations import check_operations
from fastapi_easy.domain.resources.declaring.omissions import check_omitted
from fastapi_easy.domain.resources.declaring.queryable import (
    default_order,
    filterable_fields,
    searchable_fields,
    sortable_fields,
)
from fastapi_easy.domain.resources.declaring.records import check_records
from fastapi_easy.domain.resources.declaring.secret_declaration import declare_secrets, lookup_field_of
from fastapi_easy.domain.resources.declaring.telling_names import check_readable_secrets
from fastapi_easy.domain.resources.declaring.tenant import check_tenant
from fastapi_easy.domain.resources.naming import find_alias_mistakes
from fastapi_easy.domain.resources.options import (
    EVERY_OPERATION,
    READ_ONLY,
    Cache,
    Fields,
    IdempotencyKeys,
    KeySource,
    Operation,
    QueryRules,
    Reading,
    Schemas,
    Version,
)
from fastapi_easy.domain.resources.recording import Audit, Events
from fastapi_easy.domain.resources.relation import Link
from fastapi_easy.domain.resources.resource import Resource, Shape
from fastapi_easy.domain.resources.tables.variant import fixed_field

E = TypeVar("E")

RESERVED_FIELDS: Final = frozenset(
    {"and", "or", "not", "where", "q", "sort", "fields", "include", "limit", "offset", "cursor", "count"}
)
"""Names that mean something else in queries."""

RESERVED_RESOURCES: Final = frozenset({"docs", "health", "metrics", "problems", "redoc"})
"""Names that interfaces use for themselves."""

_KINDS_WITHOUT_TEXT: Final = frozenset({Kind.BINARY, Kind.JSON, Kind.ARRAY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration(Generic[E]):
    """The declaration of one resource by a user; everything else is read from the entity class.

    Attributes:
        entity: The user's class.

        operations: The built-in use cases on offer.

        fields: Who may read and write which fields.

        schemas: The user's own models in place of derived ones.

        query: What may be asked of lists.

        database: The name of a database in the settings.

        actions: The user's own use cases on one entity, by name.

        stored_as: The class that says how the entity is stored, where the entity itself does not.

        relations: What leads to other resources: names of relations that the class has, links by name in place of
            those, or `None` for all that the class has and whose other end is a resource.

        version: The field that counts changes, or all about versions.

        soft_delete: The nullable time that marks an entity as deleted instead of removing it.

        tenant: The field that says to which tenant an entity belongs; `None` when entities belong to all.

        upsert: The unique fields by which an upsert finds the entity to change.

        key: Where the key of a new entity comes from; `None` when the class says so.

        reading: What is answered where a stored value does not fit its field.

        cache: How answers are kept, if they are.

        dependencies: What an interface runs before every operation; means nothing to the domain.

        idempotency: Whether creates, bulks and actions need an idempotency key.

        policy: The rules that alone decide what callers may do; `None` leaves that to the container's policy.

        events: Which changes are published; none while it is `None` or `False`, all of them for `True`.

        audit: What the audit trail records; nothing while it is `None` or `False`, every readable field for `True`.
    """

    entity: type[E]
    operations: Sequence[Operation | str] = EVERY_OPERATION
    fields: Fields = Fields()
    schemas: Schemas = Schemas()
    query: QueryRules = QueryRules()
    database: str = "default"
    actions: Mapping[str, type[Any]] | None = None
    stored_as: type[Any] | None = None
    relations: Sequence[str] | Mapping[str, Link] | None = None
    version: str | Version = Version()
    soft_delete: str | None = None
    tenant: str | None = None
    upsert: Sequence[str] = ()
    key: KeySource | str | None = None
    reading: Reading | str = Reading.LENIENT
    cache: Cache | None = None
    dependencies: Sequence[Any] = ()
    idempotency: IdempotencyKeys | str = IdempotencyKeys.OPTIONAL
    policy: Sequence[Any] | None = None
    events: Events | bool | None = None
    audit: Audit | bool | None = None


def is_reserved(name: str) -> bool:
    """Return whether *name* means something else in queries, so that no field and no relation can be called so."""
    return name in RESERVED_FIELDS or "__" in name


def declare(name: str, declaration: Declaration[E], shape: Shape) -> tuple[Resource[E] | None, Sequence[str]]:
    """Return the resource that *declaration* makes of *shape*, or `None` and every mistake, each with its mend."""
    mistakes = Mistakes(name)
    fields = {field.name: field for field in shape.fields}
    version = (
        Version(field=declaration.version) if isinstance(declaration.version, str) else declaration.version
    )
    declare_key(declaration.key, shape, fields, mistakes)
    _check_store_fields(declaration, version, shape, fields, mistakes)
    if not name.isidentifier() or name.startswith("_"):
        mistakes.add(
            "the name must be a Python identifier without a leading underscore: rename the attribute"
        )
    if name in RESERVED_RESOURCES:
        mistakes.add("the name is used by the application itself: rename the attribute")
    _check_field_names(fields, mistakes)
    for field in shape.key:
        if field in fields and fields[field].kind in _KINDS_WITHOUT_TEXT:
            kind = fields[field].kind
            mistakes.add(
                f"{field!r} is part of the key and of kind {kind}, which cannot be written in a URL path: use "
                "another key"
            )
        elif field in fields and fields[field].comparison is Comparison.NONE:
            mistakes.add(
                f"{field!r} is part of the key, but its column type stores a value in another way each time, so that"
                " it is never found again: use another key, or another type"
            )
    fixed = fixed_field(shape.variant, fields)
    stored = declaration.stored_as or declaration.entity
    secret = declare_secrets(stored, declaration.fields, shape, fields, mistakes)
    fields = secret.fields
    tenant = check_tenant(declaration.tenant, shape, fields, mistakes)
    readable, writable, changeable = _access(secret.access, {tenant, fixed}, shape, fields, mistakes)
    notices = check_omitted(shape.omitted, declaration.fields.hidden, mistakes)
    check_readable_secrets(declaration.fields, readable, fields, mistakes)
    paths = document_paths(declaration.query, readable, fields, mistakes)
    restorable, protected = _restorable(declaration.fields, readable, writable, fields, mistakes)
    resource = Resource(
        name=name,
        entity=declaration.entity,
        fields=fields,
        key=shape.key,
        readable=readable,
        writable=writable,
        changeable=changeable,
        restorable=restorable,
        protected=protected - {tenant, fixed},
        filterable=filterable_fields(declaration.query, readable, fields, paths, mistakes),
        sortable=sortable_fields(declaration.query, readable, fields, paths, mistakes),
        searchable=searchable_fields(declaration.query, readable, fields, shape, mistakes),
        variant=shape.variant,
        search_vectors=tuple(name for name in declaration.query.searched if name in shape.omitted),
        notices=notices,
        paths=paths,
        default_order=default_order(declaration.query, readable, fields, paths, mistakes),
        operations=_operations(declaration, shape, mistakes),
        query=declaration.query,
        schemas=declaration.schemas,
        database=declaration.database,
        unique=shape.unique,
        actions=declaration.actions or {},
        description=first_paragraph(declaration.entity),
        stored=stored,
        version=version.field,
        requires_version=version.required,
        soft_delete=declaration.soft_delete,
        tenant=tenant,
        upsert_by=_upsert_by(declaration, shape, fields, writable, mistakes),
        # Never shown as it is stored: what cannot be decrypted is a problem.
        reading=Reading.STRICT if declaration.fields.secret else check_reading(declaration.reading, mistakes),
        cache=declaration.cache,
        dependencies=tuple(declaration.dependencies),
        requires_idempotency_key=check_idempotency(declaration.idempotency, mistakes),
        rules=shape.rules,
        secrets=secret.secrets,
        stored_fields=secret.stored_fields,
        policy=None if declaration.policy is None else tuple(declaration.policy),
        events=Events() if declaration.events is True else declaration.events or None,
        audit=Audit() if declaration.audit is True else declaration.audit or None,
    )
    check_records(resource, mistakes)
    if version.field is not None and version.field in fields and version.field not in readable:
        mistakes.add(f"version {version.field!r} must be readable: add it to fields.read, do not hide it")
    if declaration.cache is not None and (mistake := declaration.cache.mistake) is not None:
        mistakes.add(mistake)
    check_operations(resource, mistakes)
    return (None if mistakes else resource), tuple(mistakes)


def _check_field_names(fields: Mapping[str, Field], mistakes: Mistakes) -> None:
    """Check the names of fields and their aliases."""
    for field in fields.values():
        for word in (field.name, field.alias):
            if word is not None and is_reserved(word):
                mistakes.add(f"a field cannot be called {word!r}, which is reserved in queries: rename it")
    for sentence in find_alias_mistakes(fields):
        mistakes.add(sentence)


def _check_store_fields(
    declaration: Declaration[Any],
    version: Version,
    shape: Shape,
    fields: dict[str, Field],
    mistakes: Mistakes,
) -> None:
    """Check the fields that callers never write: the version, and the mark of deletion."""
    for option, name in (("version", version.field), ("soft_delete", declaration.soft_delete)):
        if name is None or not mistakes.names(option, [name], fields, "which the entity does not have"):
            continue
        field = fields[name]
        if option == "version" and (field.kind is not Kind.INTEGER or field.nullable or name in shape.key):
            mistakes.add(
                f"version {name!r} must be a whole number, not null and not in the key: change the field"
            )
        if option == "soft_delete" and (field.kind is not Kind.DATETIME or not field.nullable):
            mistakes.add(f"soft_delete {name!r} must be a time that may be null: change the field")
        # What is generated no caller may write, in any operation and whatever `fields.write` names.
        fields[name] = replace(field, generated=True)


def _upsert_by(
    declaration: Declaration[Any],
    shape: Shape,
    fields: Mapping[str, Field],
    writable: Sequence[str],
    mistakes: Mistakes,
) -> tuple[str, ...]:
    by = mistakes.names("upsert", declaration.upsert, writable, "which callers cannot write")
    rules = [{name} for name, field in fields.items() if field.unique]
    # The kernel says which tenant it is: within one, the other fields of a rule are unique.
    rules += [set(rule) - {declaration.tenant} for rule in (shape.key, *shape.unique)]
    # What is unique is the lookup field of a secret one.
    looked_up = {lookup_field_of(name): name for name in declaration.fields.lookup}
    rules += [{looked_up.get(name, name) for name in rule} - {declaration.tenant} for rule in shape.unique]
    for name in by:
        if fields[name].comparison is Comparison.NONE:
            mistakes.add(
                f"upsert names {name!r}, whose column type stores a value in another way each time: use another field"
            )
    if by and set(by) not in rules:
        lack = "which has no unique constraint: declare it unique"
        if len(by) > 1:
            lack = "which have no unique constraint together: declare them unique together"
        mistakes.add(f"upsert names {', '.join(by)}, {lack}")
    return by


def _access(
    access: Fields,
    fixed_by_kernel: set[str | None],
    shape: Shape,
    fields: Mapping[str, Field],
    mistakes: Mistakes,
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    known = {**fields, **shape.omitted}
    hidden = mistakes.names("fields.hidden", access.hidden, known, "which the entity does not have")
    open_ = [name for name in fields if name not in hidden]
    for option, named in (("read", access.read), ("write", access.write)):
        for name in hidden:
            if name in (named or ()):
                mistakes.add(
                    f"fields.{option} names {name!r}, which fields.hidden hides: remove it from one of them"
                )
    readable = [name for name in open_ if name not in access.password]
    if access.read is not None:
        readable = [*mistakes.names("fields.read", access.read, fields, "which the entity does not have")]
    allowed = [name for name in fields if not fields[name].generated and name not in fixed_by_kernel]
    writable = [name for name in open_ if name in allowed]
    if access.write is not None:
        writable = [*mistakes.names("fields.write", access.write, allowed, "which callers cannot write")]
    for name in shape.key:
        if name not in readable:
            mistakes.add(
                f"{name!r} is part of the key and must be readable: add it to fields.read, do not hide it"
            )
    fixed = mistakes.names("fields.create_only", access.create_only, writable, "which cannot be written")
    changeable = [name for name in writable if name not in shape.key and name not in fixed]
    return tuple(readable), tuple(writable), tuple(changeable)


def _restorable(
    access: Fields,
    readable: Sequence[str],
    writable: Sequence[str],
    fields: Mapping[str, Field],
    mistakes: Mistakes,
) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the fields that only a restoring import sets, and those of them that need a policy's permission."""
    restorable = tuple(name for name in readable if name not in writable and not fields[name].computed)
    allowed = mistakes.names(
        "fields.restore",
        access.restore,
        restorable,
        "which is not a readable field that callers cannot write",
    )
    read_only = {name for name in restorable if not fields[name].generated}
    return restorable, frozenset(read_only.difference(allowed))


def _operations(declaration: Declaration[Any], shape: Shape, mistakes: Mistakes) -> frozenset[Operation]:
    named = mistakes.names(
        "operations",
        (str(each) for each in mistakes.check_is_list("operations", declaration.operations)),
        [each.value for each in Operation],
        "which is not an operation",
    )
    offered = {Operation(each) for each in named}
    needs = {
        Operation.RESTORE: ("soft_delete", declaration.soft_delete),
        Operation.PURGE: ("soft_delete", declaration.soft_delete),
        Operation.UPSERT: ("upsert", declaration.upsert),
        Operation.CHANGES: ("events", declaration.events),
        Operation.HISTORY: ("audit", declaration.audit),
    }
    is_every = offered.issuperset(EVERY_OPERATION)
    # Who names every operation, or every one that reads, and more besides, did not mean this one.
    every = {each for whole in (EVERY_OPERATION, READ_ONLY) if offered.issuperset(whole) for each in whole}
    for operation, (option, given) in needs.items():
        if operation in offered and not given:
            offered.remove(operation)
            if operation not in every:
                mistakes.add(
                    f"operations names {operation.value!r}, which needs {option}: declare it, or leave it out"
                )
    if shape.read_only is not None:
        if not is_every:
            for operation in sorted(offered.difference(READ_ONLY)):
                mistakes.add(
                    f"operations names {operation.value!r}, which needs a table that can be changed, and"
                    f" {shape.read_only}: leave it out"
                )
        offered.intersection_update(READ_ONLY)
    return frozenset(offered)
