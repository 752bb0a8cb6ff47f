"""What a resource is, once a declaration has been read and found free of contradictions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fastapi_easy.domain.errors import Key
from fastapi_easy.domain.field import Field
from fastapi_easy.domain.options import Operation, QueryRules, Schemas
from fastapi_easy.domain.ordering import Sort
from fastapi_easy.domain.row import Row

E = TypeVar("E")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What an adapter's `mapping` reads from the user's class.

    Attributes:
        fields: Every stored field, in the order of the class.

        key: The fields that identify an entity, in the order of the store.

        unique: Every set of fields, besides the key, whose values must differ between entities.
    """

    fields: tuple[Field, ...]
    key: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Resource(Generic[E]):
    """One resource of an application: what it holds and what may be asked of it.

    Attributes:
        name: Unique within the application; its path, its CLI name, its event prefix.

        entity: The user's class.

        fields: Every stored field by name, in the order of the class.

        key: The fields that identify an entity.

        readable: The fields of answers, in order.

        writable: The fields a create may set.

        changeable: The fields an update may set; the key never changes.

        filterable: The fields that queries may compare.

        sortable: The fields that queries may order by.

        searchable: The text fields that `q` looks into.

        default_order: The order when the caller names none.

        operations: The built-in use cases on offer.

        query: Page sizes and the other rules as declared.

        schemas: The user's own models, where given.

        database: The name of its database in the settings.

        actions: The user's own use cases, by name.

        description: The first paragraph of the entity's docstring.
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
    operations: frozenset[Operation]
    query: QueryRules
    schemas: Schemas
    database: str
    unique: tuple[tuple[str, ...], ...] = ()
    actions: Mapping[str, type[Any]] | None = None
    description: str = ""

    def key_of(self, row: Row) -> Key:
        """The key of *row*: its one value, or a tuple in the order of `key`."""
        if len(self.key) == 1:
            return row[self.key[0]]
        return tuple(row[field] for field in self.key)

    def shown(self, row: Row) -> Row:
        """*row* with its readable fields only: what may leave a use case."""
        return Row({field: row[field] for field in self.readable})
