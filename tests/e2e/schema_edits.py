"""A schema, and ways to edit it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Enum,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.schema import DefaultClause

Found: TypeAlias = Sequence[tuple[str, str]]
"""Kind and object of each difference, in order."""

ALL = ("sqlite", "postgres", "mariadb")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One edit.

    Attributes:
        edit: Changes the declared schema.

        found: What is detected.

        instead: What is detected on some servers instead.

        on: The servers that it means something to.

        before: Changes the stored schema first.
    """

    edit: Callable[[MetaData], Any]
    found: Found
    instead: Mapping[str, Found] = field(default_factory=dict)
    on: tuple[str, ...] = ALL
    before: Callable[[MetaData], Any] = lambda _: None

    def expected(self, server: str) -> list[tuple[str, str]]:
        """What is detected on *server*."""
        return list(self.instead.get(server, self.found))


def shop() -> MetaData:
    """The schema before each edit."""
    metadata = MetaData()
    _ = Table(
        "author",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("name", String(50), nullable=False),
        Column("email", String(100)),
        Column("born", Date),
        Column("note", Text),
        Column("rating", Integer, server_default="0"),
        UniqueConstraint("email", name="uq_author_email"),
    )
    _ = Table(
        "book",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("author_id", Integer),
        Column("title", String(100), nullable=False),
        Column("price", Numeric(10, 2)),
        Column("status", String(20), server_default="new"),
        Column("pages", Integer),
        Column("published", DateTime),
        Column("mood", Enum("calm", "sad", name="mood")),
        Column("ready", Boolean),
        Column("twice", Integer, Computed("pages * 2", persisted=True)),
        ForeignKeyConstraint(["author_id"], ["author.id"], name="fk_book_author"),
        CheckConstraint("price > 0", name="ck_book_price"),
        Index("ix_book_title", "title"),
        Index("ix_book_status", "status", "pages"),
    )
    _ = Table(
        "visit", metadata, Column("day", Date, nullable=False), Column("place", String(30), nullable=False)
    )
    return metadata


def column(metadata: MetaData, path: str) -> Column[Any]:
    """The column at *path*."""
    table, _, name = path.partition(".")
    return metadata.tables[table].columns[name]


def with_type(path: str, new: Any) -> Callable[[MetaData], None]:
    """Give the column at *path* the type *new*."""

    def edit(metadata: MetaData) -> None:
        column(metadata, path).type = new

    return edit


def with_null(path: str, nullable: bool) -> Callable[[MetaData], None]:
    """Let the column at *path* be null, or not."""

    def edit(metadata: MetaData) -> None:
        column(metadata, path).nullable = nullable

    return edit


def with_default(path: str, new: Any) -> Callable[[MetaData], None]:
    """Give the column at *path* another default."""

    def edit(metadata: MetaData) -> None:
        column(metadata, path).server_default = None if new is None else DefaultClause(new)

    return edit


def with_part(table: str, make: Callable[[Table], Any]) -> Callable[[MetaData], None]:
    """Give *table* one more part."""

    def edit(metadata: MetaData) -> None:
        part = make(metadata.tables[table])
        if isinstance(part, Column):
            metadata.tables[table].append_column(part)
        elif not isinstance(part, Index):
            metadata.tables[table].append_constraint(part)

    return edit


def without(table: str, name: str) -> Callable[[MetaData], None]:
    """Take the constraint, index or column called *name* from *table*."""

    def edit(metadata: MetaData) -> None:
        of = metadata.tables[table]
        for index in tuple(of.indexes):
            if index.name == name:
                of.indexes.remove(index)
        for rule in tuple(of.constraints):
            if rule.name == name:
                of.constraints.remove(rule)
        if name in of.columns:
            _rebuild(metadata, of, [each for each in of.columns if each.name != name])

    return edit


def _rebuild(metadata: MetaData, table: Table, columns: Sequence[Column[Any]]) -> None:
    names = {each.name for each in columns}
    parts: list[Any] = [each._copy() for each in columns]
    for rule in table.constraints:
        if isinstance(rule, ForeignKeyConstraint):
            parts.append(
                ForeignKeyConstraint(
                    rule.column_keys, [each.target_fullname for each in rule.elements], name=rule.name
                )
            )
        elif isinstance(rule, CheckConstraint):
            parts.append(CheckConstraint(str(rule.sqltext), name=rule.name))
        elif isinstance(rule, UniqueConstraint) and {each.name for each in rule.columns} <= names:
            parts.append(UniqueConstraint(*[each.name for each in rule.columns], name=rule.name))
    kept = [each for each in table.indexes if {part.name for part in each.columns} <= names]
    parts += [Index(each.name, *[part.name for part in each.columns]) for each in kept]
    name = table.name
    metadata.remove(table)
    _ = Table(name, metadata, *parts)


def then(*edits: Callable[[MetaData], Any]) -> Callable[[MetaData], None]:
    """Make *edits* one after another."""

    def edit(metadata: MetaData) -> None:
        for each in edits:
            each(metadata)

    return edit
