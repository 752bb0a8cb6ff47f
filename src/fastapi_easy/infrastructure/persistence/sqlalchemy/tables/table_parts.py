"""The tables that the entities of one class are stored in, where those are several."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePart:
    """One of the tables that hold each entity of a class.

    Attributes:
        table: The table, as its user declared it.

        attributes: Its columns, and the attributes they are mapped to; those of the key are in every part.
    """

    table: Table
    attributes: Mapping[Column[Any], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedTable:
    """A table that holds more of those entities of a class that are of a class derived from it.

    Attributes:
        table: The table, as its user declared it.

        key: The columns that hold the key, in its order.

        kinds: What the field of `Variant` holds for entities that are in the table.
    """

    table: Table
    key: tuple[Column[Any], ...]
    kinds: frozenset[Any]
