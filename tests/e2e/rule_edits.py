"""Edits of keys, indexes, constraints and comments, and what has to be detected of each."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)

from tests.e2e.schema_edits import Edit, Found, column, then, with_part, with_type, without

_INDEX_CHANGED: Found = [("drop_index", "book.ix_book_title"), ("create_index", "book.ix_book_title")]
_CHECK_CHANGED: Found = [("drop_check", "book.ck_book_price"), ("add_check", "book.ck_book_price")]
_REFERENCE_CHANGED: Found = [
    ("drop_foreign_key", "book.fk_book_author"),
    ("add_foreign_key", "book.fk_book_author"),
]


def _with_comment(metadata: MetaData) -> None:
    metadata.tables["author"].comment = "who writes"


def _with_column_comment(metadata: MetaData) -> None:
    column(metadata, "author.note").comment = "anything"


def _with_reference(**options: Any) -> Callable[[MetaData], None]:
    return then(
        without("book", "fk_book_author"),
        with_part(
            "book",
            lambda _: ForeignKeyConstraint(["author_id"], ["author.id"], name="fk_book_author", **options),
        ),
    )


def _with_check(expression: str) -> Callable[[MetaData], None]:
    return then(
        without("book", "ck_book_price"),
        with_part("book", lambda _: CheckConstraint(expression, name="ck_book_price")),
    )


def _with_title_index(*columns: Any, **options: Any) -> Callable[[MetaData], None]:
    def make(table: Table) -> Index:
        parts = [each if isinstance(each, str) else each(table) for each in columns]
        return Index(
            "ix_book_title",
            *[table.columns[each] if isinstance(each, str) else each for each in parts],
            **options,
        )

    return then(without("book", "ix_book_title"), with_part("book", make))


def _type(path: str) -> Found:
    return [("change_type", path)]


RULE_EDITS: dict[str, Edit] = {
    "key added": Edit(
        edit=with_part("visit", lambda _: PrimaryKeyConstraint("day", "place", name="visit_pkey")),
        found=[("add_primary_key", "visit")],
    ),
    "key changed": Edit(
        before=with_part("visit", lambda _: PrimaryKeyConstraint("day", "place", name="visit_pkey")),
        edit=with_part("visit", lambda _: PrimaryKeyConstraint("place", name="visit_pkey")),
        found=[("add_primary_key", "visit")],
    ),
    "key dropped": Edit(
        before=with_part("visit", lambda _: PrimaryKeyConstraint("day", "place", name="visit_pkey")),
        edit=lambda _: None,
        found=[("drop_primary_key", "visit")],
    ),
    "check added": Edit(
        edit=with_part(
            "book", lambda _: CheckConstraint("pages > 0 AND status IN ('new', 'old')", name="ck_book_pages")
        ),
        found=[("add_check", "book.ck_book_pages")],
    ),
    "check without name added": Edit(
        edit=with_part("book", lambda _: CheckConstraint("pages > 0")),
        found=[("add_check", "book.book_check")],
    ),
    "check dropped": Edit(
        edit=without("book", "ck_book_price"), found=[("drop_check", "book.ck_book_price")]
    ),
    "check changed": Edit(edit=_with_check("price >= 0"), found=_CHECK_CHANGED),
    "check grouped otherwise": Edit(
        before=_with_check("price > 0 AND (pages > 1 OR ready)"),
        edit=_with_check("(price > 0 AND pages > 1) OR ready"),
        found=_CHECK_CHANGED,
    ),
    "check spelled otherwise": Edit(edit=_with_check("( price  >  0 )"), found=[]),
    "check on longer text": Edit(
        before=_with_check("status IN ('new', 'old')"),
        edit=then(_with_check("status IN ('new', 'old')"), with_type("book.status", String(30))),
        found=_type("book.status"),
    ),
    "check on any text": Edit(
        before=then(_with_check("status IN ('new', 'old')"), without("book", "ix_book_status")),
        edit=then(
            _with_check("status IN ('new', 'old')"),
            without("book", "ix_book_status"),
            with_type("book.status", Text()),
        ),
        found=_type("book.status"),
        on=("postgres", "sqlite"),
    ),
    "index added": Edit(
        edit=with_part("book", lambda table: Index("ix_book_pages", table.columns.pages)),
        found=[("create_index", "book.ix_book_pages")],
    ),
    "index dropped": Edit(
        edit=without("book", "ix_book_title"), found=[("drop_index", "book.ix_book_title")]
    ),
    "index on more": Edit(edit=_with_title_index("title", "pages"), found=_INDEX_CHANGED),
    "index unique": Edit(edit=_with_title_index("title", unique=True), found=_INDEX_CHANGED),
    "index descending": Edit(
        edit=_with_title_index(lambda table: table.columns.title.desc()), found=_INDEX_CHANGED
    ),
    "index on some": Edit(
        edit=_with_title_index("title", postgresql_where=text("pages > 1"), sqlite_where=text("pages > 1")),
        found=_INDEX_CHANGED,
        on=("postgres", "sqlite"),
    ),
    "index on others": Edit(
        before=_with_title_index("title", postgresql_where=text("pages > 1"), sqlite_where=text("pages > 1")),
        edit=_with_title_index("title", postgresql_where=text("pages > 2"), sqlite_where=text("pages > 2")),
        found=_INDEX_CHANGED,
        on=("postgres", "sqlite"),
    ),
    "index on an expression": Edit(
        edit=_with_title_index(lambda table: func.lower(table.columns.title)),
        found=_INDEX_CHANGED,
        on=("postgres", "sqlite"),
    ),
    "index on another expression": Edit(
        before=_with_title_index(lambda table: func.lower(table.columns.title)),
        edit=_with_title_index(lambda table: func.upper(table.columns.title)),
        found=_INDEX_CHANGED,
        on=("postgres", "sqlite"),
    ),
    "index of another kind": Edit(
        edit=_with_title_index("title", postgresql_using="hash"), found=_INDEX_CHANGED, on=("postgres",)
    ),
    "index that carries more": Edit(
        edit=_with_title_index("title", postgresql_include=["pages"]), found=_INDEX_CHANGED, on=("postgres",)
    ),
    "index with operators": Edit(
        edit=_with_title_index("title", postgresql_ops={"title": "varchar_pattern_ops"}),
        found=_INDEX_CHANGED,
        on=("postgres",),
    ),
    "index of part": Edit(
        edit=_with_title_index("title", mysql_length={"title": 10}, mariadb_length={"title": 10}),
        found=_INDEX_CHANGED,
        on=("mariadb",),
    ),
    "index for words": Edit(
        edit=_with_title_index("title", mysql_prefix="FULLTEXT", mariadb_prefix="FULLTEXT"),
        found=_INDEX_CHANGED,
        on=("mariadb",),
    ),
    "index of another name": Edit(
        edit=then(
            without("book", "ix_book_title"),
            with_part("book", lambda table: Index("title_of_book", table.columns.title)),
        ),
        found=[],
    ),
    "unique added": Edit(
        edit=with_part("author", lambda _: UniqueConstraint("name", name="uq_author_name")),
        found=[("add_unique", "author.uq_author_name")],
    ),
    "unique dropped": Edit(
        edit=without("author", "uq_author_email"),
        found=[("drop_unique", "author.uq_author_email")],
        instead={"mariadb": [("drop_index", "author.uq_author_email")]},
    ),
    "unique on more": Edit(
        edit=then(
            without("author", "uq_author_email"),
            with_part("author", lambda _: UniqueConstraint("email", "name", name="uq_author_email")),
        ),
        found=[("drop_unique", "author.uq_author_email"), ("add_unique", "author.uq_author_email")],
        instead={
            "mariadb": [("drop_index", "author.uq_author_email"), ("add_unique", "author.uq_author_email")]
        },
    ),
    "unique later": Edit(
        edit=then(
            without("author", "uq_author_email"),
            with_part("author", lambda _: UniqueConstraint("email", name="uq_author_email", deferrable=True)),
        ),
        found=[("drop_unique", "author.uq_author_email"), ("add_unique", "author.uq_author_email")],
        on=("postgres",),
    ),
    "unique as an index": Edit(
        edit=then(
            without("author", "uq_author_email"),
            with_part("author", lambda table: Index("uq_author_email", table.columns.email, unique=True)),
        ),
        found=[],
    ),
    "reference added": Edit(
        edit=with_part(
            "book", lambda _: ForeignKeyConstraint(["pages"], ["author.id"], name="fk_book_pages")
        ),
        found=[("add_foreign_key", "book.fk_book_pages")],
    ),
    "reference dropped": Edit(
        edit=without("book", "fk_book_author"),
        found=[("drop_foreign_key", "book.fk_book_author")],
        instead={
            "mariadb": [("drop_index", "book.fk_book_author"), ("drop_foreign_key", "book.fk_book_author")]
        },
    ),
    "reference that cascades": Edit(edit=_with_reference(ondelete="CASCADE"), found=_REFERENCE_CHANGED),
    "reference that sets null": Edit(edit=_with_reference(onupdate="SET NULL"), found=_REFERENCE_CHANGED),
    "reference that restricts": Edit(
        edit=_with_reference(ondelete="RESTRICT"), found=_REFERENCE_CHANGED, instead={"mariadb": []}
    ),
    "reference with no action": Edit(edit=_with_reference(ondelete="NO ACTION"), found=[]),
    "reference later": Edit(
        edit=_with_reference(deferrable=True, initially="DEFERRED"),
        found=_REFERENCE_CHANGED,
        on=("postgres", "sqlite"),
    ),
    "reference of another name": Edit(
        edit=then(
            without("book", "fk_book_author"),
            with_part("book", lambda _: ForeignKeyConstraint(["author_id"], ["author.id"], name="fk_other")),
        ),
        found=[],
    ),
    "comment": Edit(edit=_with_comment, found=[("change_comment", "author")], on=("postgres", "mariadb")),
    "comment on a column": Edit(
        edit=_with_column_comment, found=[("change_comment", "author.note")], on=("postgres", "mariadb")
    ),
    "renamed column without a hint": Edit(
        edit=then(without("author", "note"), with_part("author", lambda _: Column("remark", Text))),
        found=[("add_column", "author.remark"), ("drop_column", "author.note")],
    ),
}
