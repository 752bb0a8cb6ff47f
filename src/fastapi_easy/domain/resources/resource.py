"""Resources: declarations that were read and found free of contradictions."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fastapi_easy.domain.changes.row import PartialRow, Row, Rows
from fastapi_easy.domain.changes.version import version_of
from fastapi_easy.domain.errors import Key
from fastapi_easy.domain.field import Field, Kind
from fastapi_easy.domain.queries.document_path import DocumentPath
from fastapi_easy.domain.queries.ordering import Sort
from fastapi_easy.domain.queries.specification import (
    AnyOf,
    Everything,
    Operator,
    Related,
    Specification,
    Where,
    all_of,
)
from fastapi_easy.domain.resources.entity_rules import EntityRules
from fastapi_easy.domain.resources.naming import NO_ALIASES, FieldAliases, build_aliases
from fastapi_easy.domain.resources.options import Cache, Operation, QueryRules, Reading, Schemas
from fastapi_easy.domain.resources.recording import Audit, Events
from fastapi_easy.domain.resources.reference import Reference, ReferentialAction
from fastapi_easy.domain.resources.relation import Link, Side, Through
from fastapi_easy.domain.resources.secret_fields import SecretFields
from fastapi_easy.domain.resources.tables.omitted import OmittedColumn
from fastapi_easy.domain.resources.tables.variant import Variant, condition_of

E = TypeVar("E")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What an adapter's `mapping` reads from the user's class.

    Attributes:
        fields: Every stored field, in the order of the class.

        key: The fields that identify an entity, in the order of the store.

        unique: Every set of fields, besides the key, whose values must differ between entities.

        links: What the class says about its relations, by name.

        references: The foreign keys of the class.

        table: What the references of other classes call the table it is mapped to, if it is mapped to one.

        root_table: The table that every entity of the class has a row in, with those of classes that it is derived
            from; where there is no other, that is *table*.

        columns: The field of each column of that table, where it has another name.

        rules: The rules of the class that look at more than one field, if it has any.

        omitted: The columns of the class that are no fields, by name.

        read_only: Why nothing that is stored can be changed; `None` when it can.

        variant: What tells its entities from others in the same table; `None` when there are no others.
    """

    fields: tuple[Field, ...]
    key: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...] = ()
    links: Mapping[str, Link] = dataclasses.field(default_factory=dict)
    references: tuple[Reference, ...] = ()
    table: str | None = None
    root_table: str | None = None
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    rules: EntityRules | None = None
    omitted: Mapping[str, OmittedColumn] = dataclasses.field(default_factory=dict)
    read_only: str | None = None
    variant: Variant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """The resource whose entities are the links of a many-to-many relation.

    Attributes:
        resource: Stored in the association table.

        local: Its fields that hold the values of `Relation.local`.

        remote: Its fields that hold the values of `Relation.remote`.

        deleted_column: The column that says since when a link is deleted, if links are marked and not removed.
    """

    resource: "Resource[Any]"
    local: tuple[str, ...]
    remote: tuple[str, ...]
    deleted_column: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Relation:
    """A link whose both ends are resources of one database.

    Attributes:
        name: What callers write: `author`, in `author.name` and `include=author`.

        source: The resource it belongs to.

        target: The resource it leads to.

        many: It leads to any number of entities, not to one at most.

        local: Fields of the source.

        remote: Fields of the target, pairwise.

        through: What lies between, if anything does.

        association: The resource that is stored in what lies between, if one is.

        listed_by: The side whose one field holds a list of values of the other's; `None` where values are equal.

        order: By what included entities are sorted when the caller names no order.
    """

    name: str
    source: "Resource[Any]"
    target: "Resource[Any]"
    many: bool
    local: tuple[str, ...]
    remote: tuple[str, ...]
    through: Through | None = None
    association: Association | None = None
    listed_by: Side | None = None
    order: tuple[Sort, ...] = ()

    def __repr__(self) -> str:
        """Its place, which is the same in every process: cursors are bound to it."""
        return f"{self.source.name}.{self.name}"

    def exists(self, specification: Specification = Everything()) -> Specification:
        """Return the condition that a related entity exists which *specification* means, for entities of the source.

        Soft-deleted entities count as missing.
        """
        return Related(self, all_of(specification, self.target.alive))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class LinkedReference:
    """A foreign key whose both ends are resources of one database.

    The store refuses values that no entity of the target has, whether that is marked as deleted or not.

    Attributes:
        source: The resource that refers.

        target: The resource it refers to. Where several are kept in that table, the source itself, else the first
            declared.

        fields: Fields of the source. A null in any of them refers to nothing.

        remote: Fields of the target, pairwise.

        on_delete: What happens to an entity of the source when the one it refers to is removed.

        on_update: What happens to it when that one gets other values in the fields *remote*.

        deferred: Checked when the transaction commits, not when each statement ends.
    """

    source: "Resource[Any]"
    target: "Resource[Any]"
    fields: tuple[str, ...]
    remote: tuple[str, ...]
    on_delete: ReferentialAction = ReferentialAction.NO_ACTION
    on_update: ReferentialAction = ReferentialAction.NO_ACTION
    deferred: bool = False

    def __repr__(self) -> str:
        """Whose fields they are, and what they refer to."""
        return f"{self.source.name}.{'+'.join(self.fields)} -> {self.target.name}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Resource(Generic[E]):
    """One resource of an application: what it holds and what may be asked of it.

    Attributes:
        name: Unique within the application; its path, its CLI name, its event prefix.

        entity: The user's class: what repositories give and take.

        stored: The class that says how it is stored; `entity` itself unless declared with `stored_as`.

        fields: Every stored field by name, in the order of the class.

        key: The fields that identify an entity.

        readable: The fields of answers, in order.

        writable: The fields a create may set.

        changeable: The fields an update may set; the key never changes.

        restorable: The readable fields that only an import may set, which restores entities: generated and read-only
            ones, but none that the store computes.

        protected: Those of *restorable* that the declaration keeps from callers; an import sets them only where a
            policy allows it.

        filterable: The fields that queries may compare.

        sortable: The fields that queries may order by.

        searchable: The text fields that `q` looks into, and the columns of *search_vectors*.

        search_vectors: The columns that are no fields, and that the store itself searches for words.

        variant: What tells its entities from others in the same table; `None` when there are no others.

        notices: What is left out of the class, a sentence each, for who starts the program.

        default_order: The order when the caller names none.

        operations: The built-in use cases on offer.

        query: Page sizes and the other rules as declared.

        schemas: The user's own models, where given.

        database: The name of its database in the settings.

        actions: The user's own use cases, by name.

        description: The first paragraph of the entity's docstring.

        version: The field that counts the changes of an entity, if one does.

        requires_version: Callers must say which version their change is based on.

        soft_delete: The field that says since when an entity is deleted, if entities are marked and not removed.

        tenant: The field that says to which tenant an entity belongs, if entities belong to tenants. Callers never
            write it: the kernel sets it, and limits every call to the entities of one tenant.

        upsert_by: The unique fields by which an upsert finds the entity to change.

        reading: What is answered where a stored value does not fit its field.

        cache: How answers are kept, if they are.

        relations: What leads to other resources, by name. Filled once, when all resources are known.

        references: The foreign keys to other resources of its database, which the store enforces. Filled once, when
            all resources are known.

        paths: The places inside of JSON fields that queries may name, by their names.

        comparable: Every field, and every place of *paths* as one, by name.

        naming: The aliases of the fields, and of *paths*.

        mergeable: The fields of kind JSON, into which a patch may merge.

        requires_idempotency_key: Creates, bulks and actions are refused without an idempotency key.

        stamped: The fields that rules of *policy* set on new entities, so that callers need not.

        dependencies: What an interface runs before every operation, in this order.

        rules: The rules of the class that look at more than one field; `None` when it has none.

        secrets: What is stored in another form than callers give it; `None` when nothing is.

        stored_fields: Every field as stores hold it. Those of *secrets* differ from *fields*.

        recorded: The readable fields that events and journals hold: all but the encrypted ones.

        policy: The rules, of `domain.policies`, that decide alone; `None` leaves that to the container's policy.

        events: Which changes are published; `None` for none.

        audit: What the audit trail records; `None` for nothing.
    """

    name: str
    entity: type[E]
    fields: Mapping[str, Field]
    key: tuple[str, ...]
    readable: tuple[str, ...]
    writable: tuple[str, ...]
    changeable: tuple[str, ...]
    filterable: tuple[str, ...]
    sortable: tuple[str, ...]
    searchable: tuple[str, ...]
    default_order: tuple[Sort, ...]
    restorable: tuple[str, ...] = ()
    protected: frozenset[str] = frozenset()
    operations: frozenset[Operation]
    query: QueryRules
    schemas: Schemas
    database: str
    unique: tuple[tuple[str, ...], ...] = ()
    actions: Mapping[str, type[Any]] | None = None
    description: str = ""
    stored: type[Any]
    version: str | None = None
    requires_version: bool = False
    soft_delete: str | None = None
    tenant: str | None = None
    upsert_by: tuple[str, ...] = ()
    requires_idempotency_key: bool = False
    dependencies: tuple[Any, ...] = ()
    reading: Reading = Reading.LENIENT
    cache: Cache | None = None
    rules: EntityRules | None = None
    secrets: SecretFields | None = None
    stored_fields: Mapping[str, Field] = dataclasses.field(default_factory=dict)
    policy: tuple[Any, ...] | None = None
    events: Events | None = None
    audit: Audit | None = None
    search_vectors: tuple[str, ...] = ()
    variant: Variant | None = None
    notices: tuple[str, ...] = ()
    paths: Mapping[str, DocumentPath] = dataclasses.field(default_factory=dict)
    relations: dict[str, Relation] = dataclasses.field(default_factory=dict)
    references: list[LinkedReference] = dataclasses.field(default_factory=list)
    comparable: Mapping[str, Field] = dataclasses.field(init=False, default_factory=dict)
    naming: FieldAliases = dataclasses.field(init=False, default=NO_ALIASES)
    mergeable: tuple[str, ...] = dataclasses.field(init=False, default=())
    recorded: tuple[str, ...] = dataclasses.field(init=False, default=())
    stamped: frozenset[str] = dataclasses.field(init=False, default=frozenset())

    def __post_init__(self) -> None:
        """Build what follows from the fields."""
        inside = {name: path.field for name, path in self.paths.items()}
        comparable = {**self.fields, **inside} if inside else self.fields
        object.__setattr__(self, "comparable", comparable)
        object.__setattr__(self, "naming", build_aliases(comparable.values()))
        documents = tuple(name for name, field in self.fields.items() if field.kind is Kind.JSON)
        object.__setattr__(self, "mergeable", documents)
        if not self.stored_fields:
            object.__setattr__(self, "stored_fields", self.fields)
        encrypted = () if self.secrets is None else self.secrets.encrypted
        recorded = (
            tuple(name for name in self.readable if name not in encrypted) if encrypted else self.readable
        )
        object.__setattr__(self, "recorded", recorded)
        if self.policy is not None:
            stamped = frozenset(name for rule in self.policy for name in rule.stamps)
            object.__setattr__(self, "stamped", stamped)

    def __repr__(self) -> str:
        """Its name: it is the same wherever it is talked about."""
        return f"<resource {self.name}>"

    @property
    def alive(self) -> Specification:
        """The entities of the class that are not deleted."""
        here = Everything() if self.soft_delete is None else Where(self.soft_delete, Operator.IS_NULL, True)
        return here if self.variant is None else all_of(condition_of(self.variant, self.fields), here)

    @property
    def deleted(self) -> Specification:
        """The entities of the class that are marked as deleted; none unless the resource marks them."""
        gone = AnyOf(()) if self.soft_delete is None else Where(self.soft_delete, Operator.IS_NULL, False)
        return gone if self.variant is None else all_of(condition_of(self.variant, self.fields), gone)

    def version_of(self, row: Row) -> str:
        """Return the version of *row*, which holds at least the readable fields, or was cut from such a row."""
        if type(row) is PartialRow:
            return row.full_version
        if self.version is not None:
            return str(row[self.version])
        return version_of(row, self.readable)

    def key_of(self, row: Row) -> Key:
        """Return the key of *row*: its one value, or a tuple in the order of `key`."""
        if len(self.key) == 1:
            return row[self.key[0]]
        return tuple(row[field] for field in self.key)

    def visible_rows(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return *rows* with their readable fields only, as lazily as they came."""
        return rows.only(self.readable) if isinstance(rows, Rows) else [self.visible_row(row) for row in rows]

    def visible_row(self, row: Row) -> Row:
        """Return *row* with its readable fields only: what may leave a use case."""
        if tuple(row) == self.readable:
            return row
        values = {field: row[field] for field in self.readable}
        return PartialRow(values, row.full_version) if type(row) is PartialRow else Row(values)

    def recorded_row(self, row: Row) -> Row:
        """Return *row* as events and journals hold it: the readable fields without the encrypted ones."""
        return row if tuple(row) == self.recorded else Row({field: row[field] for field in self.recorded})
