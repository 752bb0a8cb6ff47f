"""Rows that are written beside a change, in the same transaction, into tables of the system's own."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi_easy.domain.field import Field


class Awaited(enum.Enum):
    """Stands for what only the store knows once it has made a write, in events drafted before it."""

    KEY = enum.auto()
    """The key of the entity."""

    VALUES = enum.auto()
    """Its readable fields as stored."""

    VERSION = enum.auto()
    """The value of its `version` field."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class SystemTable:
    """A table of the system's own. A row is never changed by the journal that writes it.

    Attributes:
        name: Begins with `fe_`.

        fields: Its columns. A field of kind JSON takes a key, or a mapping of field names to values of any kind.

        key: The fields that identify a row.
    """

    name: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]

    def __repr__(self) -> str:
        """Its name."""
        return f"<system table {self.name}>"


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One row to write.

    Attributes:
        table: Where to.

        values: By field name; those left out are null. A field of kind JSON may hold `Awaited.KEY` or
            `Awaited.VALUES`, a field of kind TEXT `Awaited.VERSION`.
    """

    table: SystemTable
    values: Mapping[str, Any]
