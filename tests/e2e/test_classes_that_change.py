"""Programs on a file of SQLite whose classes change: what a start does, says, and proposes."""

import datetime
import logging
import shlex
import sqlite3
import uuid
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.interfaces.cli.migrate.parameters import read_approvals, read_hints
from fastapi_easy.migrations import MigrationRequired, open_migrations
from fastapi_easy.settings import Settings

Columns = dict[str, tuple[Any, Callable[[], Any]]]

_TITLE: Columns = {"title": (Mapped[str], mapped_column)}


@pytest.fixture
def url(tmp_path) -> str:
    return f"sqlite:///{tmp_path / 'a shop, übel.sqlite3'}"


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def rows_of(url: str, statement: str) -> list[Any]:
    with sqlite3.connect(file_of(url)) as connection:
        return connection.execute(statement).fetchall()


def change(url: str, *statements: str) -> None:
    with sqlite3.connect(file_of(url)) as connection:
        for each in statements:
            connection.execute(each)


def shop_of(url: str, columns: Columns, table: str = "book") -> Container:
    """Return a shop whose books have a number and *columns*."""

    class Base(DeclarativeBase):
        pass

    class Author(Base):
        __tablename__ = "author"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]

    body: dict[str, Any] = {
        "__tablename__": table,
        "__annotations__": {"id": Mapped[int], **{name: kind for name, (kind, _) in columns.items()}},
        "id": mapped_column(primary_key=True),
        **{name: make() for name, (_, make) in columns.items()},
    }
    book = type("Book", (Base,), body)

    class Shop(Container):
        authors = resource(Author)
        books = resource(book)

    return Shop(settings=Settings(databases={"default": {"url": url}}))


async def start(shop: Container) -> None:
    async with open_kernel(shop):
        pass


async def refusal_of(shop: Container) -> MigrationRequired:
    with pytest.raises(MigrationRequired) as refused:
        await start(shop)
    return refused.value


async def paste(shop: Container, command: str) -> None:
    """Do what *command* does."""
    given: dict[str, list[str]] = {"--rename": [], "--fill": [], "--allow": []}
    words = iter(shlex.split(command)[4:])
    for option in words:
        given[option].append(next(words))
    hints = read_hints(
        renames=given["--rename"], fills=given["--fill"], usings=None, drop_undeclared=False, online=True
    )
    async with open_migrations(shop) as migrations:
        applied = await migrations.apply(hints=hints, approvals=read_approvals(given["--allow"]))
    applied.unwrap()


@pytest.fixture
async def stored(url: str) -> str:
    await start(shop_of(url, _TITLE))
    change(url, "INSERT INTO book VALUES (1, 'Emma'), (2, 'Dune')")
    return url


@pytest.mark.parametrize(
    ("kind", "column", "values"),
    [
        pytest.param(str, mapped_column, ["", ""], id="text"),
        pytest.param(int, lambda: mapped_column(default=7), [7, 7], id="with default"),
        pytest.param(Decimal, mapped_column, [0, 0], id="decimal"),
        pytest.param(bytes, lambda: mapped_column(default=b"a\0'"), [b"a\0'", b"a\0'"], id="bytes"),
        pytest.param(list, lambda: mapped_column(JSON, default=list), ["[]", "[]"], id="list"),
        pytest.param(dict, lambda: mapped_column(JSON), ["{}", "{}"], id="document"),
    ],
)
async def test_the_proposed_command_gives_old_rows_a_value(
    stored: str, kind: type, column: Callable[[], Any], values: list[object]
) -> None:
    shop = shop_of(stored, {**_TITLE, "extra": (Mapped[kind], column)})  # type: ignore[valid-type]
    refused = await refusal_of(shop)

    await paste(shop, refused.command)
    await start(shop)

    assert rows_of(stored, "SELECT extra FROM book ORDER BY id") == [(each,) for each in values]


async def test_times_and_keys_that_a_class_makes_are_made_for_old_rows_too(stored: str) -> None:
    made: Columns = {
        "token": (Mapped[uuid.UUID], lambda: mapped_column(default=uuid.uuid4, unique=True)),
        "at": (Mapped[datetime.datetime], lambda: mapped_column(default=datetime.datetime.now)),
        "day": (Mapped[datetime.date], lambda: mapped_column(default=datetime.date.today)),
    }
    shop = shop_of(stored, {**_TITLE, **made})
    refused = await refusal_of(shop)

    await paste(shop, refused.command)
    async with open_kernel(shop) as kernel:
        rows = (await kernel.books.list()).unwrap().items

    assert refused.notes == ()
    assert len({row.token for row in rows}) == 2
    assert {row.token.version for row in rows} == {4}
    assert {row.at.date() for row in rows} == {row.day for row in rows}


async def test_an_example_is_called_one(stored: str) -> None:
    shop = shop_of(stored, {**_TITLE, "pages": (Mapped[int], mapped_column)})

    refused = await refusal_of(shop)

    assert shlex.split(refused.command)[4:] == ["--fill", "book.pages=0", "--allow", "BC105:book.pages"]
    assert refused.notes == ("rows that exist get 0 in book.pages, an example: write there what you mean",)


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(lambda: mapped_column(ForeignKey("author.id")), id="reference"),
        pytest.param(lambda: mapped_column(unique=True), id="unique"),
    ],
)
async def test_what_nobody_can_guess_is_asked_for(stored: str, column: Callable[[], Any]) -> None:
    shop = shop_of(stored, {**_TITLE, "extra": (Mapped[int], column)})

    refused = await refusal_of(shop)

    assert "--fill book.extra=VALUE" in refused.command
    assert refused.notes == (
        "rows that exist have no value for book.extra: write one for VALUE, as SQL; or let it be null in the class",
    )


async def test_nulls_that_are_forbidden_get_a_value(url: str) -> None:
    await start(shop_of(url, {"pages": (Mapped[int | None], mapped_column)}))
    change(url, "INSERT INTO book VALUES (1, NULL), (2, 5)")
    shop = shop_of(url, {"pages": (Mapped[int], mapped_column)})
    refused = await refusal_of(shop)

    await paste(shop, refused.command)
    await start(shop)

    assert rows_of(url, "SELECT pages FROM book ORDER BY id") == [(0,), (5,)]


async def test_an_empty_table_needs_no_values(url: str) -> None:
    await start(shop_of(url, _TITLE))
    shop = shop_of(url, {**_TITLE, "pages": (Mapped[int], mapped_column)})

    refused = await refusal_of(shop)

    assert shlex.split(refused.command)[4:] == ["--allow", "BC105:book.pages"]


async def test_a_table_under_a_new_name_does_not_begin_empty(stored: str) -> None:
    shop = shop_of(stored, _TITLE, "volume")
    refused = await refusal_of(shop)

    await paste(shop, refused.command)
    await start(shop)

    assert rows_of(stored, "SELECT title FROM volume ORDER BY id") == [("Emma",), ("Dune",)]


async def test_a_table_that_is_another_one_is_created_beside_the_old_one(stored: str) -> None:
    shop = shop_of(stored, _TITLE, "volume")
    refused = await refusal_of(shop)

    await paste(shop, "fastapi-easy migrate apply MODULE:APP --allow DS109:volume")
    await start(shop)

    assert "--allow DS109:volume" in refused.notes[0]
    assert rows_of(stored, "SELECT count(*) FROM volume") == [(0,)]
    assert rows_of(stored, "SELECT count(*) FROM book") == [(2,)]


async def test_a_new_table_beside_an_empty_one_is_created(url: str) -> None:
    await start(shop_of(url, _TITLE))

    await start(shop_of(url, _TITLE, "volume"))

    assert rows_of(url, "SELECT count(*) FROM volume") == [(0,)]


async def test_a_start_tells_what_it_leaves_alone(stored: str, caplog: pytest.LogCaptureFixture) -> None:
    shop = shop_of(stored, {"title": (Mapped[str], lambda: mapped_column(unique=True))})

    with caplog.at_level(logging.WARNING, "fastapi_easy.migrations"):
        await start(shop)

    (message,) = caplog.messages
    assert "add unique book_title_key" in message
    assert "fastapi-easy migrate apply MODULE:APP --allow" in message


async def test_a_run_that_stands_still_is_named_at_start(stored: str) -> None:
    columns: Columns = {
        "name": (Mapped[str], mapped_column),
        "pages": (Mapped[int], mapped_column),
    }
    shop = shop_of(stored, columns)
    hints = read_hints(
        renames=["book.title=name"], fills=None, usings=None, drop_undeclared=False, online=True
    )
    async with open_migrations(shop) as migrations:
        _ = await migrations.apply(hints=hints, approvals=read_approvals(["dangerous"]))

    with pytest.raises(DeclarationError) as refused:
        await start(shop)

    assert refused.value.mistakes[-1] == (
        "database 'default': a migration that was begun has not ended; "
        "fastapi-easy migrate status MODULE:APP shows how far it is"
    )


async def test_what_others_have_added_stays_when_a_program_starts(
    stored: str, caplog: pytest.LogCaptureFixture
) -> None:
    change(stored, "CREATE INDEX by_hand ON book (lower(title))")
    shop = shop_of(stored, {**_TITLE, "isbn": (Mapped[str | None], mapped_column)})

    with caplog.at_level(logging.WARNING, "fastapi_easy.migrations"):
        await start(shop)

    assert rows_of(stored, "SELECT name FROM sqlite_master WHERE name = 'by_hand'") == [("by_hand",)]
    assert rows_of(stored, "SELECT isbn FROM book") == [(None,), (None,)]
    assert "drop index by_hand" in caplog.messages[0]


async def test_a_column_is_added_although_the_rest_of_the_table_waits(url: str) -> None:
    change(
        url,
        "CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT NOT NULL CHECK (title <> ''),"
        " twice TEXT AS (title || title))",
        "INSERT INTO book (title) VALUES ('Emma')",
    )
    shop = shop_of(url, {**_TITLE, "isbn": (Mapped[str | None], mapped_column)})

    await start(shop)

    assert rows_of(url, "SELECT title, twice, isbn FROM book") == [("Emma", "EmmaEmma", None)]


async def test_a_folder_that_cannot_be_written_is_named(stored: str) -> None:
    # Whoever runs the tests may be allowed to write everywhere: a file in the place of the folder stops everybody.
    locks = file_of(stored).with_name(f"{file_of(stored).name}-locks")
    locks.write_text("")
    shop = shop_of(stored, {**_TITLE, "isbn": (Mapped[str | None], mapped_column)})

    with pytest.raises(DeclarationError) as refused:
        await start(shop)

    (mistake,) = refused.value.mistakes
    assert mistake == (
        f"database 'default': this user cannot create files in {locks.parent}, which a migration has to: nothing was "
        "changed"
    )
