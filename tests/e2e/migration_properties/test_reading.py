"""Whoever only looks leaves the database as it is, to the byte."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from returns.result import Success
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, make_url

from fastapi_easy.migrations import Hints, Migrations, RepairAction
from fastapi_easy.testing.conformance.store import value_of
from tests.e2e.commands import call
from tests.e2e.migration_properties.databases import SERVERS, catalogue_at, connected, database_on, execute
from tests.e2e.migration_properties.program import EVERYTHING, Program
from tests.thorough import one_in

SHOP = """
from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource


class Book(SQLModel, table=True):
    __tablename__ = "books"

    id: int | None = Field(default=None, primary_key=True)
    title: str = Field(max_length=100, index=True)
    pages: int
    author_id: int | None = Field(default=None, foreign_key="authors.id")


class Author(SQLModel, table=True):
    __tablename__ = "authors"

    id: int | None = Field(default=None, primary_key=True)


class Shop(Container):
    books = resource(Book)
    authors = resource(Author)


app = create_app(Shop())
"""
STORED = (
    "CREATE TABLE books (id INTEGER PRIMARY KEY, title VARCHAR(20), old INTEGER)",
    "INSERT INTO books VALUES (1, 'Emma', 1), (2, NULL, 2)",
)
COMMANDS = {
    "plan": ["migrate", "plan", "--sql"],
    "lint": ["migrate", "lint"],
    "status": ["migrate", "status"],
    "repair": ["migrate", "repair"],
    "dry run": ["migrate", "apply", "--dry-run", "--allow", "dangerous", "--allow", "destructive"],
    "doctor": ["doctor"],
}


def declared() -> MetaData:
    """Return tables that differ from the stored ones in every way that is asked about in the data."""
    metadata = MetaData()
    _ = Table("authors", metadata, Column("id", Integer, primary_key=True))
    _ = Table(
        "books",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("title", String(10), nullable=False, unique=True),
        Column("old", Integer, ForeignKey("authors.id"), index=True),
        Column("pages", Integer, nullable=False),
    )
    return metadata


@pytest.fixture(params=SERVERS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database."""
    folder = tmp_path / "kept"
    folder.mkdir()
    with ExitStack() as stack:
        yield stack.enter_context(database_on(request.param, folder))


def picture_of(url: str) -> object:
    """Return everything that can be told of the database: the bytes of files, or catalogue and rows."""
    made = make_url(url)
    if made.get_backend_name() == "sqlite":
        return digests(Path(str(made.database)).parent)
    with connected(url) as connection:
        rows = [tuple(row) for row in connection.exec_driver_sql("SELECT * FROM books ORDER BY id")]
    return catalogue_at(url), rows


def digests(folder: Path) -> Mapping[str, str]:
    """Return the digest of each file below *folder*."""
    return {
        str(each.relative_to(folder)): hashlib.sha256(each.read_bytes()).hexdigest()
        for each in sorted(folder.rglob("*"))
        if each.is_file()
    }


QUESTIONS: dict[str, Callable[[Migrations], object]] = {
    "plan": lambda migrations: migrations.plan(Hints(drop_undeclared=True)),
    "status": lambda migrations: migrations.status(),
    "standing": lambda migrations: migrations.standing(),
    "repair": lambda migrations: migrations.repair(RepairAction.SHOW),
    "dry run": lambda migrations: migrations.apply(approvals=EVERYTHING, dry_run=True),
}


def test_whoever_asks_leaves_everything_as_it_is(url: str) -> None:
    execute(url, *STORED)
    before = picture_of(url)

    async def ask(migrations: Migrations) -> list[str]:
        asked = {name: await question(migrations) for name, question in QUESTIONS.items()}  # type: ignore[misc]
        return [name for name, outcome in asked.items() if isinstance(outcome, Success)]

    answered = Program(url, declared()).ask(ask)

    assert answered == list(QUESTIONS)
    assert picture_of(url) == before


@pytest.mark.parametrize("name", one_in(4, [*COMMANDS], first=1))
def test_commands_that_look_leave_everything_as_it_is(url: str, name: str, tmp_path: Path) -> None:
    execute(url, *STORED)
    (tmp_path / "shop.py").write_text(SHOP)
    before = picture_of(url)

    result = call(tmp_path, *COMMANDS[name], "shop:app", FASTAPI_EASY_DATABASES__DEFAULT__URL=url)

    assert "Traceback" not in result.stderr, result.stderr
    assert result.returncode in {0, 1, 2, 3}, result.stderr
    assert picture_of(url) == before


def test_a_migrated_database_stays_as_it_is_too(url: str) -> None:
    execute(url, *STORED)
    metadata = declared()
    hints = Hints(fill={"books.pages": "0", "books.title": "id"})
    execute(url, "UPDATE books SET old = NULL")
    _ = Program(url, metadata).apply(hints)
    before = picture_of(url)

    async def ask(migrations: Migrations) -> object:
        return value_of(await migrations.plan()).steps, value_of(await migrations.status()).is_current

    answered = Program(url, declared()).ask(ask)

    assert answered == ((), True)
    assert picture_of(url) == before


def test_a_file_that_does_not_exist_is_not_made(tmp_path: Path) -> None:
    async def ask(migrations: Migrations) -> list[object]:
        return [await question(migrations) for question in QUESTIONS.values()]  # type: ignore[misc]

    answered = Program(f"sqlite:///{tmp_path / 'shop.db'}", declared()).ask(ask)

    assert all(isinstance(each, Success) for each in answered)
    assert digests(tmp_path) == {}
