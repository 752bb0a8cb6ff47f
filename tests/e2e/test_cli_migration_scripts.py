"""Migration scripts through the installed command, as a user works with them."""

import asyncio
import importlib
import itertools
import json
import sqlite3
import sys
from contextlib import closing

import pytest

from fastapi_easy.__main__ import main
from fastapi_easy.domain.migration_required import MigrationRequired
from tests.e2e.commands import call

_NUMBERS = itertools.count()

SHOP = """
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "books"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200), index=True)


class Shop(Container):
    books = resource(Book)


app = create_app(Shop())
"""
ISBN = "\n    isbn: Mapped[str | None] = mapped_column(String(13))\n\n\nclass Shop"


class Program:
    """A program in a folder, with its database and its scripts."""

    def __init__(self, folder, monkeypatch, capsys):
        self.folder = folder
        self.database = folder / "shop.db"
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        monkeypatch.chdir(folder)
        monkeypatch.setenv("FASTAPI_EASY_DATABASES__DEFAULT__URL", f"sqlite:///{self.database}")
        monkeypatch.syspath_prepend(str(folder))
        self.declare(SHOP)

    def declare(self, text):
        # Of another name each time, since Python imports a module once.
        self.module = f"shop_{next(_NUMBERS)}"
        (self.folder / f"{self.module}.py").write_text(text)

    def migrate(self, command, *arguments, code=0, app=True):
        """Call the command in this process, which has imported everything already."""
        target = [f"{self.module}:app"] if app else []
        self._monkeypatch.setattr(sys, "argv", ["fastapi-easy", "migrate", command, *target, *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = self._capsys.readouterr()
        assert (ended.value.code or 0) == code, printed
        return printed.out

    def start(self):
        app = importlib.import_module(self.module).app

        async def start():
            async with app.router.lifespan_context(app):
                pass

        asyncio.run(start())

    def ask(self, question):
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(question).fetchall()

    @property
    def script(self):
        (found,) = (self.folder / "migrations/versions").glob("*.py")
        return found

    @property
    def revision(self):
        return self.script.name.partition("_")[0]


@pytest.fixture
def program(tmp_path, monkeypatch, capsys):
    return Program(tmp_path, monkeypatch, capsys)


def test_the_installed_command_makes_a_script_and_applies_it(tmp_path):
    (tmp_path / "shop.py").write_text(SHOP)
    at = {"FASTAPI_EASY_DATABASES__DEFAULT__URL": f"sqlite:///{tmp_path / 'shop.db'}"}

    made = call(tmp_path, "migrate", "make", "shop:app", "-m", "first tables", "--json", **at)
    applied = call(tmp_path, "migrate", "apply", "shop:app", "--yes", "--json", **at)

    file = json.loads(made.stdout)["file"]
    assert (tmp_path / file).is_file()
    assert (applied.returncode, json.loads(applied.stdout)["state"]) == (0, "applied")


def test_a_script_is_made_linted_and_applied_when_the_program_starts(program):
    made = json.loads(program.migrate("make", "-m", "first tables", "--json"))
    revision = program.revision
    assert made["file"] == f"migrations/versions/{revision}_first_tables.py"
    assert [each["summary"] for each in made["plan"]["steps"]] == [
        "create table alembic_version",
        "create table books",
        "create index ix_books_title on books (title)",
        f"record revision {revision}",
    ]
    linted = program.migrate("lint", "--script", made["file"], "--server", "sqlite", app=False)
    assert linted == "2 steps, 0 findings.\n"
    program.migrate("plan", code=2)

    program.start()

    assert program.ask("SELECT version_num FROM alembic_version") == [(revision,)]
    program.migrate("status", "--check")
    program.migrate("plan")


def test_a_class_without_a_script_is_said_and_keeps_the_program_from_starting(program):
    program.migrate("make", "-m", "first tables")
    program.migrate("apply", "--yes")
    program.declare(SHOP.replace("\n\n\nclass Shop", ISBN))

    assert "write one for what is left (make): add column isbn" in program.migrate("plan")
    program.migrate("status", "--check", code=6)
    with pytest.raises(MigrationRequired):
        program.start()
    program.migrate("make", "-m", "isbn")
    program.start()
    assert program.ask("SELECT name FROM pragma_table_info('books')") == [("id",), ("title",), ("isbn",)]
    program.migrate("rollback", "--yes", "--allow", "destructive", "--allow", "dangerous")
    assert program.ask("SELECT name FROM pragma_table_info('books')") == [("id",), ("title",)]


def test_tables_of_an_older_program_are_adopted_and_carried_on(program):
    program.migrate("make", "-m", "first tables")
    with closing(sqlite3.connect(program.database)) as connection:
        connection.execute(
            "CREATE TABLE books (id INTEGER NOT NULL PRIMARY KEY, title VARCHAR(200) NOT NULL)"
        )
        connection.execute("CREATE INDEX ix_books_title ON books (title)")
    program.migrate("apply", "--yes", code=6)

    program.migrate("baseline", "--revision", program.revision[:6], "--yes")

    assert program.ask("SELECT version_num FROM alembic_version") == [(program.revision,)]
    program.migrate("status", "--check")
    program.migrate("baseline", "--revision", "ffff", "--yes", code=1)


def test_an_edited_script_is_refused_where_it_was_applied(program):
    program.migrate("make", "-m", "first tables")
    program.migrate("apply", "--yes")
    program.script.write_text(program.script.read_text().replace("length=200", "length=300"))

    program.migrate("plan", code=6)
    program.migrate("apply", "--yes", code=6)


def test_an_empty_database_gets_every_script_at_start_whatever_they_drop(program):
    program.migrate("make", "-m", "first tables")
    old = "op.create_table('old', sa.Column('id', sa.Integer(), primary_key=True))\n    op.drop_table('old')"
    text = program.script.read_text()
    program.script.write_text(text.replace("\n\n\ndef downgrade", f"\n    {old}\n\n\ndef downgrade", 1))

    program.start()

    assert program.ask("SELECT name FROM sqlite_master WHERE name IN ('books', 'old')") == [("books",)]
    program.migrate("status", "--check")


def test_at_start_a_script_is_applied_wholly_or_not_at_all(program):
    program.migrate("make", "-m", "first tables")
    program.migrate("apply", "--yes")
    first = program.revision
    program.declare(SHOP.replace("\n\n\nclass Shop", ISBN))
    program.migrate("make", "-m", "isbn")
    second = next((program.folder / "migrations/versions").glob("*_isbn.py"))
    text = second.read_text()
    second.write_text(
        text.replace("\n\n\ndef downgrade", "\n    op.execute('DELETE FROM books')\n\n\ndef downgrade", 1)
    )

    with pytest.raises(MigrationRequired):
        program.start()

    assert program.ask("SELECT version_num FROM alembic_version") == [(first,)]
    assert program.ask("SELECT name FROM pragma_table_info('books')") == [("id",), ("title",)]


def test_findings_of_a_script_name_the_line_that_they_are_about(program):
    program.migrate("make", "-m", "first tables")
    text = program.script.read_text().replace(
        "\n\n\ndef downgrade", "\n    op.drop_table('old')\n\n\ndef downgrade", 1
    )
    program.script.write_text(text)
    line = next(at for at, each in enumerate(text.splitlines(), 1) if "'old'" in each)

    name = str(program.script.relative_to(program.folder))
    printed = program.migrate("lint", "--script", name, "--format", "github", code=3, app=False)

    assert f"::error file={name},line={line},title=DS101" in printed
