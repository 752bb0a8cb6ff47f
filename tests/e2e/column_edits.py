"""Edits of tables and columns, and what has to be detected of each."""

from collections.abc import Callable

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Enum,
    ForeignKey,
    Identity,
    Integer,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects import mysql, postgresql

from tests.e2e.schema_edits import (
    ALL,
    Edit,
    Found,
    column,
    then,
    with_default,
    with_null,
    with_part,
    with_type,
    without,
)


def _with_genre(metadata: MetaData) -> None:
    _ = Table(
        "genre", metadata, Column("id", Integer, primary_key=True), Column("name", String(20), index=True)
    )


def _with_circle(metadata: MetaData) -> None:
    for one, other in (("hen", "egg"), ("egg", "hen")):
        _ = Table(
            one,
            metadata,
            Column("id", Integer, primary_key=True),
            Column("other", ForeignKey(f"{other}.id", name=f"fk_{one}")),
        )


def _with_labels(*labels: str) -> Callable[[MetaData], None]:
    return with_type("book.mood", Enum(*labels, name="mood"))


def _type(path: str) -> Found:
    return [("change_type", path)]


def _identity(metadata: MetaData, *, always: bool) -> None:
    of = metadata.tables["author"]
    of.append_column(Column("id", Integer, Identity(always=always), primary_key=True), replace_existing=True)


COLUMN_EDITS: dict[str, Edit] = {
    "table added": Edit(
        edit=_with_genre, found=[("create_table", "genre"), ("create_index", "genre.ix_genre_name")]
    ),
    "tables in a circle": Edit(
        edit=_with_circle,
        found=[
            ("create_table", "hen"),
            ("create_table", "egg"),
            ("add_foreign_key", "egg.fk_egg"),
            ("add_foreign_key", "hen.fk_hen"),
        ],
        instead={"sqlite": [("create_table", "hen"), ("create_table", "egg")]},
    ),
    "column added": Edit(
        edit=with_part("author", lambda _: Column("city", String(30))), found=[("add_column", "author.city")]
    ),
    "column with default added": Edit(
        edit=with_part("author", lambda _: Column("city", String(30), server_default="Rome", nullable=False)),
        found=[("add_column", "author.city")],
    ),
    "unique column added": Edit(
        edit=with_part("author", lambda _: Column("code", String(30), unique=True)),
        found=[("add_column", "author.code"), ("add_unique", "author.author_code_key")],
    ),
    "indexed column added": Edit(
        edit=with_part("author", lambda _: Column("code", String(30), index=True)),
        found=[("add_column", "author.code"), ("create_index", "author.ix_author_code")],
    ),
    "referring column added": Edit(
        edit=with_part("book", lambda _: Column("editor_id", ForeignKey("author.id"))),
        found=[("add_column", "book.editor_id"), ("add_foreign_key", "book.book_editor_id_fkey")],
    ),
    "checked column added": Edit(
        edit=with_part("author", lambda _: Column("age", Integer, CheckConstraint("age > 0", name="ck_age"))),
        found=[("add_column", "author.age"), ("add_check", "author.ck_age")],
    ),
    "computed column added": Edit(
        edit=with_part("author", lambda _: Column("better", Integer, Computed("rating + 1", persisted=True))),
        found=[("add_column", "author.better")],
    ),
    "enumeration column added": Edit(
        edit=with_part("author", lambda _: Column("rank", Enum("low", "high", name="rank_of_author"))),
        found=[("add_column", "author.rank")],
        instead={"postgres": [("create_type", "rank_of_author"), ("add_column", "author.rank")]},
    ),
    "column dropped": Edit(edit=without("author", "note"), found=[("drop_column", "author.note")]),
    "indexed column dropped": Edit(
        edit=without("book", "title"),
        found=[("drop_column", "book.title"), ("drop_index", "book.ix_book_title")],
    ),
    "enumeration column dropped": Edit(
        edit=without("book", "mood"),
        found=[("drop_column", "book.mood")],
        instead={"postgres": [("drop_type", "mood"), ("drop_column", "book.mood")]},
    ),
    "text longer": Edit(edit=with_type("author.name", String(60)), found=_type("author.name")),
    "text shorter": Edit(edit=with_type("author.name", String(40)), found=_type("author.name")),
    "text to any length": Edit(edit=with_type("author.name", Text()), found=_type("author.name")),
    "text to a length": Edit(edit=with_type("author.note", String(400)), found=_type("author.note")),
    "unlimited text": Edit(
        edit=with_type("author.name", String()), found=_type("author.name"), on=("sqlite", "postgres")
    ),
    "number wider": Edit(edit=with_type("author.rating", BigInteger()), found=_type("author.rating")),
    "number narrower": Edit(edit=with_type("author.rating", SmallInteger()), found=_type("author.rating")),
    "number to decimal": Edit(edit=with_type("author.rating", Numeric(8, 0)), found=_type("author.rating")),
    "unsigned": Edit(
        edit=with_type(
            "author.rating", Integer().with_variant(mysql.INTEGER(unsigned=True), "mysql", "mariadb")
        ),
        found=_type("author.rating"),
        on=("mariadb",),
    ),
    "more digits": Edit(edit=with_type("book.price", Numeric(12, 2)), found=_type("book.price")),
    "less fraction": Edit(edit=with_type("book.price", Numeric(10, 1)), found=_type("book.price")),
    "any digits": Edit(edit=with_type("book.price", Numeric()), found=_type("book.price")),
    "text to date": Edit(edit=with_type("author.note", Date()), found=_type("author.note")),
    "date to time": Edit(edit=with_type("author.born", DateTime()), found=_type("author.born")),
    "time with zone": Edit(
        edit=with_type("book.published", DateTime(timezone=True)),
        found=_type("book.published"),
        on=("postgres",),
    ),
    "time without fraction": Edit(
        edit=with_type("book.published", postgresql.TIMESTAMP(precision=0)),
        found=_type("book.published"),
        on=("postgres",),
    ),
    "time with fraction": Edit(
        edit=with_type("book.published", mysql.DATETIME(fsp=6)),
        found=_type("book.published"),
        on=("mariadb",),
    ),
    "boolean to number": Edit(edit=with_type("book.ready", Integer()), found=_type("book.ready")),
    "enumeration to text": Edit(
        edit=with_type("book.mood", String(9)),
        found=_type("book.mood"),
        instead={"postgres": [("drop_type", "mood"), ("change_type", "book.mood")]},
    ),
    "not null": Edit(
        edit=with_null("author.email", nullable=False), found=[("set_not_null", "author.email")]
    ),
    "null": Edit(edit=with_null("author.name", nullable=True), found=[("drop_not_null", "author.name")]),
    "default added": Edit(
        edit=with_default("author.note", text("'none'")), found=[("change_default", "author.note")], on=ALL
    ),
    "default dropped": Edit(
        edit=with_default("author.rating", None), found=[("change_default", "author.rating")]
    ),
    "default changed": Edit(
        edit=with_default("author.rating", "5"), found=[("change_default", "author.rating")]
    ),
    "default of text changed": Edit(
        edit=with_default("book.status", "old"), found=[("change_default", "book.status")]
    ),
    "default is the clock": Edit(
        edit=with_default("book.published", func.now()), found=[("change_default", "book.published")]
    ),
    "default spelled otherwise": Edit(edit=with_default("author.rating", text("'0'")), found=[], on=ALL),
    "type and default and null": Edit(
        edit=then(
            with_type("author.rating", BigInteger()),
            with_default("author.rating", "1"),
            with_null("author.rating", nullable=False),
        ),
        found=[
            ("change_type", "author.rating"),
            ("change_default", "author.rating"),
            ("set_not_null", "author.rating"),
        ],
    ),
    "computed otherwise": Edit(
        edit=lambda metadata: setattr(column(metadata, "book.twice").computed, "sqltext", text("pages * 3")),
        found=[("change_computed", "book.twice")],
    ),
    "collation": Edit(
        edit=with_type("author.name", String(50, collation="C")),
        found=[("change_collation", "author.name")],
        on=("postgres",),
    ),
    "collation of MySQL": Edit(
        edit=with_type("author.name", String(50, collation="utf8mb4_bin")),
        found=[("change_collation", "author.name")],
        on=("mariadb",),
    ),
    "collation of SQLite": Edit(
        edit=with_type("author.name", String(50, collation="NOCASE")),
        found=[("change_collation", "author.name")],
        on=("sqlite",),
    ),
    "identity": Edit(
        edit=lambda metadata: _identity(metadata, always=False),
        found=[("change_identity", "author.id")],
        on=("postgres",),
    ),
    "identity always": Edit(
        before=lambda metadata: _identity(metadata, always=False),
        edit=lambda metadata: _identity(metadata, always=True),
        found=[("change_identity", "author.id")],
        on=("postgres",),
    ),
    "label at the end": Edit(
        edit=_with_labels("calm", "sad", "wild"),
        found=_type("book.mood"),
        instead={"postgres": [("add_enum_label", "mood.wild")], "sqlite": []},
    ),
    "labels in between": Edit(
        edit=_with_labels("a", "calm", "b", "c", "sad"),
        found=_type("book.mood"),
        instead={
            "postgres": [
                ("add_enum_label", "mood.c"),
                ("add_enum_label", "mood.b"),
                ("add_enum_label", "mood.a"),
            ],
            "sqlite": [],
        },
    ),
    "label removed": Edit(
        edit=_with_labels("calm"),
        found=_type("book.mood"),
        instead={"postgres": [("drop_enum_label", "mood.sad")], "sqlite": []},
    ),
    "labels in another order": Edit(
        edit=_with_labels("sad", "calm"),
        found=_type("book.mood"),
        instead={"postgres": [("drop_enum_label", "mood")], "sqlite": []},
    ),
}
