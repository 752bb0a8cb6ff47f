"""Steps that are compiled without a database: from what the operations themselves know."""

import json
from collections.abc import Sequence

import pytest
from alembic.operations import MigrateOperation, ops
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    create_mock_engine,
    text,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.dialects.postgresql import ENUM

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.migrations.change import Change, ChangeKind, Facts
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.step import Reversibility, Step, StepMode
from fastapi_easy.infrastructure.migrations.relational.compiling.steps import compile_steps
from fastapi_easy.infrastructure.migrations.relational.operations import (
    AddEnumLabelOp,
    ChangePrimaryKeyOp,
    Detected,
    ReplaceEnumOp,
)
from fastapi_easy.infrastructure.relational.server import Server

POSTGRES = Server(dialect=postgresql.dialect(), name="postgresql")
MYSQL = Server(dialect=mysql.dialect(), name="mysql")


def found(operation: MigrateOperation, kind: ChangeKind = ChangeKind.UNKNOWN, **facts: object) -> Detected:
    table = getattr(operation, "table_name", "") or ""
    return Detected(change=Change(kind=kind, table=str(table), facts=Facts(**facts)), operation=operation)


def steps(
    server: Server, *operations: MigrateOperation, hints: Hints | None = None, keep_order: bool = False
) -> list[Step]:
    detected = [found(each) for each in operations]
    return compile_steps(detected, server, hints or Hints(), None, keep_order=keep_order)


def texts(compiled: Sequence[Step]) -> list[tuple[str, ...]]:
    return [each.statements for each in compiled]


class RepaintTableOp(MigrateOperation):
    """Nobody knows how to carry this out."""


@pytest.mark.parametrize("server", [POSTGRES, MYSQL], ids=["postgres", "mysql"])
def test_refuses_what_nobody_knows_how_to_carry_out(server: Server) -> None:
    with pytest.raises(DeclarationError, match="RepaintTableOp: write the change as SQL") as refusal:
        steps(server, RepaintTableOp())

    assert isinstance(refusal.value, NotImplementedError)


def test_refuses_enumerations_where_there_are_none() -> None:
    with pytest.raises(NotImplementedError, match="AddEnumLabelOp"):
        steps(MYSQL, AddEnumLabelOp("mood", "ok"))


def test_refuses_to_guess_the_type_of_a_column() -> None:
    with pytest.raises(DeclarationError, match=r"books\.a has to be said"):
        steps(MYSQL, ops.AlterColumnOp("books", "a", modify_nullable=False))


def test_leaves_sqlite_to_others() -> None:
    with pytest.raises(LookupError, match="SQLite"):
        steps(Server(dialect=sqlite.dialect(), name="sqlite"))


def test_executes_what_belongs_first_first() -> None:
    parents = Table("parents", metadata := MetaData(), Column("id", Integer, primary_key=True))
    books = Table("books", metadata, Column("parent", Integer, ForeignKey("parents.id", name="fk")))

    compiled = steps(
        POSTGRES,
        ops.CreateForeignKeyOp("fk_other", "shelves", "books", ["book"], ["id"]),
        ops.CreateIndexOp("ix", "shelves", ["book"]),
        ops.AlterColumnOp("shelves", "book", modify_nullable=False, existing_type=Integer()),
        ops.AddColumnOp("shelves", Column("book", Integer)),
        ops.CreateTableOp.from_table(books),
        ops.CreateTableOp.from_table(parents),
        ops.DropTableOp("gone"),
        ops.DropColumnOp("shelves", "old"),
        ops.DropConstraintOp("fk_gone", "gone", "foreignkey"),
        ops.DropConstraintOp("fk_old", "shelves", "foreignkey"),
        hints=Hints(online=False),
    )

    assert [each.summary for each in compiled] == [
        "drop constraint fk_old of shelves",
        "drop column old of shelves",
        "drop table gone",
        "create table parents",
        "create table books",
        "add column book to shelves",
        "set column book of shelves not null",
        "create index ix on shelves",
        "add constraint fk_other to shelves",
    ]


def test_leaves_the_order_of_scripts_alone() -> None:
    compiled = steps(
        MYSQL,
        ops.AddColumnOp("books", Column("a", Integer)),
        ops.ExecuteSQLOp("UPDATE books SET a = 1"),
        ops.AlterColumnOp("books", "a", modify_nullable=False, existing_type=Integer()),
        ops.AddColumnOp("books", Column("b", Integer)),
        keep_order=True,
    )

    assert texts(compiled) == [
        ("ALTER TABLE books ADD COLUMN a INTEGER",),
        ("UPDATE books SET a = 1",),
        ("ALTER TABLE books MODIFY COLUMN a INTEGER NOT NULL",),
        ("ALTER TABLE books ADD COLUMN b INTEGER",),
    ]


def test_alters_a_table_of_mysql_once_for_what_belongs_together() -> None:
    compiled = steps(
        MYSQL,
        ops.AlterColumnOp("books", "a", existing_type=Integer(), modify_type=BigInteger()),
        ops.AlterColumnOp("books", "a", existing_type=Integer(), modify_nullable=False),
        ops.AlterColumnOp(
            "books", "b", existing_type=Integer(), modify_comment="it's", existing_nullable=True
        ),
        ChangePrimaryKeyOp("books", ["a"], ["a", "b"]),
    )

    assert [(each.statements, each.reverse) for each in compiled] == [
        (
            (
                (
                    "ALTER TABLE books DROP PRIMARY KEY, ADD PRIMARY KEY (a, b),"
                    " MODIFY COLUMN a BIGINT NOT NULL, MODIFY COLUMN b INTEGER NULL COMMENT 'it''s'"
                ),
            ),
            (
                (
                    "ALTER TABLE books MODIFY COLUMN b INTEGER NULL, MODIFY COLUMN a INTEGER NULL,"
                    " DROP PRIMARY KEY, ADD PRIMARY KEY (a)"
                ),
            ),
        )
    ]


def test_marks_the_changes_that_a_rewrite_has_made_harmless() -> None:
    compiled = steps(
        POSTGRES,
        ops.CreateIndexOp("ix", "books", ["a"]),
        ops.CreateUniqueConstraintOp("uq", "books", ["a"]),
        ops.CreateCheckConstraintOp("ck", "books", "a > 0"),
        ops.AlterColumnOp("books", "a", modify_nullable=False, existing_type=Integer()),
    )

    marks = [sorted(fact for change in each.changes for fact in change.facts) for each in compiled]
    assert marks == [
        ["check_first", "validated_later"],
        ["check_first", "validated_later"],
        ["check_first"],
        ["concurrently"],
        ["concurrently", "using_index"],
        ["concurrently", "using_index"],
        ["validated_later"],
        ["validated_later"],
    ]


def test_builds_what_is_new_plainly() -> None:
    table = Table(
        "books",
        MetaData(),
        Column("a", Integer, index=True),
        CheckConstraint("a > 0", name="ck"),
        Index("ix", text("lower(b)"), postgresql_concurrently=True),
        Column("b", String(9), unique=True),
    )

    compiled = steps(
        POSTGRES,
        ops.CreateTableOp.from_table(table),
        *(
            ops.CreateIndexOp.from_index(each)
            for each in sorted(table.indexes, key=lambda each: str(each.name))
        ),
    )

    (step,) = compiled
    assert step.mode is StepMode.TRANSACTION
    assert step.statements[1:] == (
        "CREATE INDEX ix ON books (lower(b))",
        "CREATE INDEX ix_books_a ON books (a)",
    )


def test_says_that_there_is_no_way_back_when_nobody_knows_what_was() -> None:
    compiled = steps(
        POSTGRES,
        ops.DropTableOp("gone"),
        ops.DropColumnOp("books", "a"),
        ops.DropIndexOp("ix", "books"),
        ops.DropConstraintOp("ck", "books", "check"),
        ops.ExecuteSQLOp("UPDATE books SET b = 1"),
        AddEnumLabelOp("mood", "ok"),
    )

    assert [(each.reverse, each.reversibility) for each in compiled] == [((), Reversibility.NONE)] * 6


def test_replaces_an_enumeration_for_the_columns_that_are_named() -> None:
    (step,) = steps(POSTGRES, ReplaceEnumOp("mood", ["a", "b"], ["a"], [(None, "books", "mood")]))

    assert step.destructive
    assert step.statements == (
        "ALTER TYPE mood RENAME TO fe_mood_before",
        "CREATE TYPE mood AS ENUM ('a')",
        "ALTER TABLE books ALTER COLUMN mood TYPE mood USING mood::text::mood",
        "DROP TYPE fe_mood_before",
    )


def test_executes_percent_signs_and_colons_as_they_are() -> None:
    driver = create_mock_engine("postgresql+psycopg://", lambda _: None).dialect
    server = Server(dialect=driver, name="postgresql")

    (step,) = steps(
        server, ops.CreateCheckConstraintOp("100%", "books", "a LIKE '%b:c'"), hints=Hints(online=False)
    )

    assert step.statements == ("""ALTER TABLE books ADD CONSTRAINT "100%" CHECK (a LIKE '%b:c')""",)


def test_executes_statements_that_scripts_have_without_their_comments() -> None:
    (first, second) = steps(
        POSTGRES,
        ops.ExecuteSQLOp("-- why\n/* and\nhow */ UPDATE books SET a = '-- 1'"),
        ops.ExecuteSQLOp("CREATE INDEX CONCURRENTLY ix ON books (a)"),
        keep_order=True,
    )

    assert (first.statements, first.mode) == (("UPDATE books SET a = '-- 1'",), StepMode.TRANSACTION)
    assert second.mode is StepMode.AUTOCOMMIT


def test_fills_in_batches_and_ends_even_if_the_value_is_null() -> None:
    first, second, *_ = steps(
        POSTGRES,
        ops.AddColumnOp("books", Column("a", Integer, nullable=False)),
        hints=Hints(fill={"books.a": "b + 1"}, batch_size=7),
    )

    assert first.statements == ("ALTER TABLE books ADD COLUMN a INTEGER",)
    assert second.mode is StepMode.BATCHES
    batch = "SELECT ctid FROM books WHERE a IS NULL AND (b + 1) IS NOT NULL LIMIT 7"
    assert second.statements == (f"UPDATE books SET a = b + 1 WHERE ctid IN ({batch})",)


def test_probes_survive_in_a_file() -> None:
    compiled = steps(
        POSTGRES,
        ops.CreateIndexOp("ix", "books", ["a", text("lower(b)")], unique=True),
        ops.AddColumnOp("books", Column("mood", ENUM("ok", name="mood"))),
        AddEnumLabelOp("mood", "ok"),
        ReplaceEnumOp("humour", ["a"], ["b"], []),
    )

    for each in compiled:
        assert dict(each.probe.wanted) == {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in json.loads(json.dumps(dict(each.probe.wanted))).items()
        }
