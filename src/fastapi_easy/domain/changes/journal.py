"""Rows that are written beside a change, in the same transaction, into tables of the system's own."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi_easy.domain.field import Field, Kind


class ValuePlaceholder(enum.Enum):
    """Stands for what only the store knows once it has made a write, in events drafted before it."""

    KEY = enum.auto()
    """The key of the entity."""

    VALUES = enum.auto()
    """Its readable fields as stored."""

    VERSION = enum.auto()
    """The value of its `version` field."""

    ENTITY = enum.auto()
    """What identifies the entity within its resource as a short text: see `domain.outbox.entity`."""


@dataclass(frozen=True, slots=True)
class SystemIndex:
    """An index of a system table, of some of its rows where the store has such indexes.

    Attributes:
        fields: What it is ordered by.

        below: One of *fields*, of kind INTEGER, and a number: rows in which it is not smaller are left out, where the
            store has such indexes.
    """

    fields: tuple[str, ...]
    below: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class SystemTable:
    """A table of the system's own. A row is never changed by the journal that writes it.

    Attributes:
        name: Begins with `fe_`.

        fields: Its columns. A field of kind JSON takes a key, or a mapping of field names to values of any kind.

        key: The fields that identify a row.

        number: A field of kind INTEGER that no row sets. The store gives each row a number of its own; those of rows
            with the same values of *number_within* ascend in the order of their commits, provided that their
            transactions have changed the same entity. Relational databases number all rows of a table.

        number_within: The fields that say which rows are numbered together, on stores that cannot number all.

        indexes: Those that it has besides its key, each as its fields or as a `SystemIndex`.

        documents: The names of its fields of kind JSON.
    """

    name: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    number: str | None = None
    number_within: tuple[str, ...] = ()
    indexes: tuple[tuple[str, ...] | SystemIndex, ...] = ()
    documents: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        """Look its documents up once: every row that is written asks for them."""
        documents = frozenset(each.name for each in self.fields if each.kind is Kind.JSON)
        object.__setattr__(self, "documents", documents)

    @property
    def every_index(self) -> tuple[SystemIndex, ...]:
        """Its indexes besides the key."""
        return tuple(each if isinstance(each, SystemIndex) else SystemIndex(each) for each in self.indexes)

    def __repr__(self) -> str:
        """Its name."""
        return f"<system table {self.name}>"


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One row to write.

    Attributes:
        table: Where to.

        values: By field name; those left out are null. A field of kind JSON may hold `ValuePlaceholder.KEY` or
            `ValuePlaceholder.VALUES`, a field of kind TEXT `ValuePlaceholder.VERSION` or `ValuePlaceholder.ENTITY`.
    """

    table: SystemTable
    values: Mapping[str, Any]
