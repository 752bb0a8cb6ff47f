"""What a step says of a changed type: who waits for it, and what is still to be said."""

import pytest
from alembic.operations import ops
from sqlalchemy import Column, Integer, String, Text, text
from sqlalchemy.dialects import mysql, postgresql

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Facts
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.column_definition import (
    read_definition,
)
from fastapi_easy.infrastructure.migrations.relational.compiling.mysql.copying import copies_table
from fastapi_easy.infrastructure.migrations.relational.compiling.steps import compile_steps
from fastapi_easy.infrastructure.migrations.relational.operations import Detected
from fastapi_easy.infrastructure.migrations.relational.probing.mysql_catalogue import read_table
from fastapi_easy.infrastructure.relational.server import Server

POSTGRES = Server(dialect=postgresql.dialect(), name="postgresql")
MYSQL = Server(dialect=mysql.dialect(), name="mysql")
UTF8 = "COLLATE utf8mb4_nopad_bin"


def changed(before: str, after: str, **facts: object) -> Change:
    return Change(
        kind=ChangeKind.CHANGE_TYPE,
        table="books",
        name="title",
        facts=Facts(type_before=before, type_after=after, **facts),
    )


@pytest.mark.parametrize(
    ("before", "after", "column", "charset", "copied"),
    [
        ("varchar(20)", "varchar(60)", UTF8, "", False),
        ("varchar(20)", "varchar(100)", UTF8, "", True),
        ("varchar(100)", "varchar(300)", UTF8, "", False),
        ("varchar(100)", "varchar(300)", "", "utf8mb4", False),
        ("varchar(100)", "varchar(300)", "", "latin1", True),
        ("varchar(100)", "varchar(200)", "CHARACTER SET latin1", "utf8mb4", False),
        ("varchar(100)", "varchar(300)", "", "", True),
        ("varchar(100)", "varchar(20)", UTF8, "", True),
        ("enum('a','b')", "enum('a','b','c')", UTF8, "", False),
        ("enum('a','b')", "enum('c','a','b')", UTF8, "", True),
        ("int(11)", "bigint(20)", "", "", True),
    ],
)
def test_a_wider_text_is_copied_on_mysql_only_across_255_bytes(
    before: str, after: str, column: str, charset: str, copied: bool
) -> None:
    definition = read_definition(f"{before} {column} NOT NULL")
    table = read_table(f"CREATE TABLE `books` (\n  `title` x\n) ENGINE=InnoDB DEFAULT CHARSET={charset}")

    assert copies_table(changed(before, after), definition, table if charset else None) is copied


def test_what_is_known_of_a_copy_comes_first() -> None:
    definition = read_definition("int(11)")

    assert not copies_table(changed("int(11)", "bigint(20)", rewrites=False), definition, None)


@pytest.mark.parametrize(
    ("nullable", "after", "expected"),
    [
        (None, String(60), ("", False, 0.0)),
        (None, String(100), ("SHARED", True, 0.0)),
        # The table is built anew while writers go on, which takes as long as it takes.
        (False, None, ("", False, 0.0)),
    ],
)
def test_a_step_of_mysql_says_who_waits_and_has_time_for_every_row(
    nullable: bool | None, after: String | None, expected: tuple[str, bool, float]
) -> None:
    operation = ops.AlterColumnOp(
        "books",
        "title",
        existing_type=String(20, collation="utf8mb4_bin"),
        existing_nullable=True,
        modify_type=after,
        modify_nullable=nullable,
    )
    change = (
        Change(kind=ChangeKind.SET_NOT_NULL, table="books", name="title")
        if after is None
        else changed("varchar(20)", f"varchar({after.length})")
    )

    (step,) = compile_steps([Detected(change=change, operation=operation)], MYSQL, Hints(), None)

    assert (step.lock, step.rewrites, step.statement_timeout) == expected


@pytest.mark.parametrize(("volatile", "expected"), [(False, ("", False, 0.0)), (True, ("SHARED", True, 0.0))])
def test_a_default_that_differs_from_row_to_row_copies_a_table_of_mysql(
    volatile: bool, expected: tuple[str, bool, float]
) -> None:
    operation = ops.AddColumnOp("books", Column("token", String(36), server_default=text("(uuid())")))
    change = Change(
        kind=ChangeKind.ADD_COLUMN, table="books", name="token", facts=Facts(volatile_default=volatile)
    )

    (step,) = compile_steps([Detected(change=change, operation=operation)], MYSQL, Hints(), None)

    assert (step.lock, step.rewrites, step.statement_timeout) == expected


@pytest.mark.parametrize(("using", "left_to_say"), [({}, True), ({"books.title": "length(title)"}, False)])
def test_a_conversion_that_somebody_has_spelled_out_need_not_be_spelled_out(
    using: dict[str, str], left_to_say: bool
) -> None:
    operation = ops.AlterColumnOp("books", "title", existing_type=Text(), modify_type=Integer())
    detected = Detected(change=changed("text", "integer", needs_using=True), operation=operation)

    (step,) = compile_steps([detected], POSTGRES, Hints(using=using), None)

    assert [each.facts["needs_using"] for each in step.changes] == [left_to_say]
