"""Tables as a server spells them: what is compared, and what a fingerprint is made of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

Numbering: TypeAlias = Literal["serial", "by default", "always", "auto_increment", "sequence"]
"""How a server numbers the rows of a column; `sequence` is a default that calls a sequence which others own."""


OF_EXTENSION: Final = "part of an extension"
"""Stands for what an extension has brought, among `SchemaShape.others`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnShape:
    """One column.

    Attributes:
        name: Its name.

        type: With its arguments, as the server spells it.

        nullable: Whether it takes null.

        default: The expression that the server fills in; `None` for none and for a computed column.

        computed: The expression of a computed column.

        persisted: Whether a computed column is stored.

        numbering: How the server numbers the rows.

        numbering_options: Start, increment and so on, where they are not the usual ones.

        collation: Of its text; `None` for the usual one.

        comment: On it.

        enumeration: The name of its enumeration type on PostgreSQL, with its schema unless that is the default one.
    """

    name: str
    type: str
    nullable: bool = True
    default: str | None = None
    computed: str | None = None
    persisted: bool = False
    numbering: Numbering | None = None
    numbering_options: str = ""
    collation: str | None = None
    comment: str | None = None
    enumeration: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyShape:
    """A primary key.

    Attributes:
        name: Of its constraint; `None` where it has none.

        columns: In their order.
    """

    name: str | None
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexShape:
    """An index that no constraint owns.

    Attributes:
        name: Its name.

        elements: Columns or expressions, with ` DESC` and other options behind them.

        columns: The names of those elements that are plain columns.

        unique: Whether it is.

        where: The condition of a partial one.

        method: `btree`, `gin`, `fulltext`; empty for the usual one.

        include: Columns that are only carried along.

        options: Storage parameters, and `nulls not distinct`.

        valid: Whether it is used; a build that failed leaves one that is not.
    """

    name: str
    elements: tuple[str, ...]
    columns: tuple[str, ...] = ()
    unique: bool = False
    where: str | None = None
    method: str = ""
    include: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    valid: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class UniqueShape:
    """A unique constraint.

    Attributes:
        name: Its name; `None` where it has none.

        columns: In their order.

        options: `deferrable`, `initially deferred`, `nulls not distinct`.
    """

    name: str | None
    columns: tuple[str, ...]
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckShape:
    """A check, or an exclusion.

    Attributes:
        name: Its name; `None` where it has none.

        expression: What is checked, without the word and the parentheses around it.

        valid: Whether the rows that existed were checked.

        column: The column that it is written at, on servers that tell.
    """

    name: str | None
    expression: str
    valid: bool = True
    column: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceShape:
    """A foreign key.

    Attributes:
        name: Its name; `None` where it has none.

        columns: In their order.

        table: What it points to, with its schema unless that is the default one.

        referred: The columns there; empty for the primary key, where a server leaves that open.

        on_delete, on_update: `CASCADE` and so on; `None` for no action.

        options: `deferrable`, `initially deferred`, `match full`.

        valid: Whether the rows that existed were checked.
    """

    name: str | None
    columns: tuple[str, ...]
    table: str
    referred: tuple[str, ...]
    on_delete: str | None = None
    on_update: str | None = None
    options: tuple[str, ...] = ()
    valid: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TableShape:
    """One table.

    Attributes:
        name: With its schema in front unless that is the default one.

        columns: By name, in their order.

        key: The primary key.

        indexes, uniques, checks, exclusions, references: Each in no particular order.

        comment: On it.

        collation: In which its text columns compare that name none.

        is_exact: Spelled by the server; otherwise a guess from how SQLAlchemy spells it.
    """

    name: str
    columns: Mapping[str, ColumnShape]
    key: KeyShape | None = None
    indexes: tuple[IndexShape, ...] = ()
    uniques: tuple[UniqueShape, ...] = ()
    checks: tuple[CheckShape, ...] = ()
    exclusions: tuple[CheckShape, ...] = ()
    references: tuple[ReferenceShape, ...] = ()
    comment: str | None = None
    collation: str | None = None
    is_exact: bool = True

    def users_of(self, column: str) -> Iterator[str]:
        """Yield the names of the indexes and constraints that *column* is part of."""
        if self.key is not None and column in self.key.columns:
            yield self.key.name or "PRIMARY"
        for index in self.indexes:
            if column in index.columns:
                yield index.name
        for unique in self.uniques:
            if column in unique.columns:
                yield unique.name or f"unique ({', '.join(unique.columns)})"
        for reference in self.references:
            if column in reference.columns:
                yield reference.name or f"references {reference.table}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaShape:
    """What a database holds.

    Attributes:
        tables: By name, with the schema in front unless that is the default one.

        enumerations: The labels of PostgreSQL's enumeration types, by name in the same way.

        enumeration_users: The names of all tables that use each of them.

        others: Views, foreign tables and what belongs to an extension: kind by name. They are never changed.

        triggers: `table.trigger`.

        partitions: The names of those tables that are parts of others.
    """

    tables: Mapping[str, TableShape] = field(default_factory=dict)
    enumerations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    enumeration_users: Mapping[str, frozenset[str]] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)
    triggers: tuple[str, ...] = ()
    partitions: frozenset[str] = frozenset()
