"""Defects that systems of this kind have had, as they would show in what is executed."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table

from fastapi_easy.migrations import Migrations, RunState
from fastapi_easy.testing.conformance.store import value_of
from tests.e2e.migration_properties.databases import SERVERS, database_on, execute, rows_at
from tests.e2e.migration_properties.program import EVERYTHING, Program


@pytest.fixture(params=SERVERS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database."""
    with ExitStack() as stack:
        yield stack.enter_context(database_on(request.param, tmp_path))


def authors(*more: Column[int] | Column[str]) -> MetaData:
    """Return authors, with more about them, and books that are deleted with them."""
    metadata = MetaData()
    _ = Table("authors", metadata, Column("id", Integer, primary_key=True), *more)
    _ = Table(
        "books",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("author", Integer, ForeignKey("authors.id", ondelete="CASCADE")),
    )
    return metadata


def test_a_dropped_and_a_changed_column_are_statements_and_no_comments(url: str) -> None:
    _ = Program(url, authors(Column("name", String(20)), Column("old", Integer))).apply()
    execute(url, "INSERT INTO authors VALUES (1, 'a', 1)")
    program = Program(url, authors(Column("name", String(200))))

    run = program.apply()

    statements = [each.strip() for step in run.steps for each in step.statements]
    assert run.state is RunState.APPLIED
    assert statements
    assert [each for each in statements if each.startswith("--")] == []
    assert program.plan().steps == ()
    assert rows_at(url, {"authors": ["id", "name"]}) == {"authors": [(1, "a")]}


def test_semicolons_and_quotes_in_a_text_end_nothing(url: str) -> None:
    text = "a; DROP TABLE books; --'%s :x"
    program = Program(url, authors(Column("note", String(40), server_default=text)))
    _ = program.apply()

    execute(url, "INSERT INTO authors (id) VALUES (1)", "INSERT INTO books VALUES (1, 1)")

    assert program.plan().steps == ()
    assert rows_at(url, {"authors": ["note"], "books": ["id"]}) == {"authors": [(text,)], "books": [(1,)]}


def test_children_outlive_whatever_is_done_to_their_parents(url: str) -> None:
    _ = Program(url, authors(Column("name", String(20)), Column("old", Integer))).apply()
    execute(
        url, "INSERT INTO authors VALUES (1, 'a', 1), (2, 'b', 2)", "INSERT INTO books VALUES (1, 1), (2, 2)"
    )
    newer = Program(url, authors(Column("name", String(20), nullable=False), Column("stock", Integer)))

    async def there_and_back(migrations: Migrations) -> list[object]:
        seen: list[object] = []
        _ = value_of(await migrations.apply(approvals=EVERYTHING))
        seen.append(rows_at(url, {"authors": ["id", "name"], "books": ["id", "author"]}))
        _ = value_of(await migrations.rollback(approvals=EVERYTHING))
        seen.append(rows_at(url, {"authors": ["id", "name"], "books": ["id", "author"]}))
        return seen

    seen = newer.ask(there_and_back)

    rows = {"authors": [(1, "a"), (2, "b")], "books": [(1, 1), (2, 2)]}
    assert seen == [rows, rows]
