"""The commands below `migrate`, run as a user runs them."""

import contextlib
import json
import shlex
import sqlite3

import pytest

from fastapi_easy.application.migrations.plan_document import write_plan
from tests.e2e.commands import call, program_in
from tests.thorough import only_when_thorough
from tests.unit.application.migrations.sample_plans import PLAN


@pytest.fixture
def folder(tmp_path):
    return program_in(tmp_path)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        pytest.param("shop:app", "there is nothing to migrate in memory, which keeps no schema", id="memory"),
        pytest.param(
            "shop:Shop", "there is nothing to migrate in memory", id="container", marks=only_when_thorough
        ),
        pytest.param("shop:closed", "shop:closed was not created from a container", id="no container"),
        pytest.param("shop:none", "shop has no 'none'", id="no such name", marks=only_when_thorough),
        pytest.param(
            "shoop:app", "there is no module 'shoop'", id="no such module", marks=only_when_thorough
        ),
        pytest.param("mistaken:app", "2 mistakes in the declarations", id="mistakes"),
    ],
)
def test_what_cannot_be_migrated_ends_with_one_and_a_sentence(folder, target, said):
    result = call(folder, "migrate", "plan", target)

    assert (result.returncode, result.stdout) == (1, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_database_that_nobody_uses_ends_with_one(folder):
    result = call(folder, "migrate", "status", "shop:app", "--database", "archive", "--json")

    assert (result.returncode, json.loads(result.stdout)["exit_code"]) == (1, 1)
    assert "no resource lives in database 'archive'" in result.stderr


def test_a_plan_can_be_linted_without_an_application(tmp_path):
    (tmp_path / "plan.json").write_text(write_plan(PLAN, indent=2))

    result = call(tmp_path, "migrate", "lint", "--plan", "plan.json", "--format", "github")

    assert result.returncode == 3
    assert result.stdout.startswith("::error file=plan.json,line=")


BOOKS = """
from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource


class Book(SQLModel, table=True):
    __tablename__ = "books"

    id: int | None = Field(default=None, primary_key=True)
    {fields}


class Shop(Container):
    books = resource(Book)


app = create_app(Shop())
"""


class Shop:
    """A program whose class changes, and its SQLite file."""

    def __init__(self, folder):
        self.folder = folder
        self.url = f"sqlite:///{folder}/shop.sqlite3"

    def declare(self, *fields):
        (self.folder / "shop.py").write_text(BOOKS.format(fields="\n    ".join(fields)))

    def migrate(self, command, *options):
        url = {"FASTAPI_EASY_DATABASES__DEFAULT__URL": self.url}
        return call(self.folder, "migrate", command, "shop:app", *options, **url)

    def columns(self):
        with contextlib.closing(sqlite3.connect(self.folder / "shop.sqlite3")) as connection:
            return [row[1] for row in connection.execute("PRAGMA table_info(books)")]

    def execute(self, sql):
        with contextlib.closing(sqlite3.connect(self.folder / "shop.sqlite3")) as connection:
            connection.executescript(sql)


def test_a_file_is_migrated_with_the_commands_that_are_printed(tmp_path):
    shop = Shop(tmp_path)
    shop.declare("title: str")

    assert (shop.migrate("apply", "--yes").returncode, shop.columns()) == (0, ["id", "title"])

    shop.execute("INSERT INTO books (title) VALUES ('Emma')")
    shop.declare("name: str", "isbn: str | None = None")
    renaming = last_command(shop.migrate("plan"), "migrate plan")
    assert renaming == ["--rename", "books.title=name"]
    applying = last_command(shop.migrate("plan", *renaming), "migrate apply")
    applied = shop.migrate("apply", "--yes", *applying)
    assert (applied.returncode, shop.columns()) == (0, ["id", "name", "isbn"])
    assert [line.split("  ")[0] for line in applied.stderr.splitlines()] == ["1/2", "2/2"]

    assert (shop.migrate("rollback", "--yes").returncode, shop.columns()) == (0, ["id", "title"])
    assert shop.migrate("status", "--check").returncode == 2


def last_command(result, beginning):
    """The options of the last command that was printed and begins so."""
    (line,) = (each for each in result.stdout.splitlines() if each.startswith(f"  fastapi-easy {beginning} "))
    return shlex.split(line)[4:]


def test_a_script_for_people_is_what_is_executed(tmp_path):
    shop = Shop(tmp_path)
    shop.declare("title: str", "year: int = 0")

    script = shop.migrate("plan", "--sql")
    shop.execute(script.stdout)

    assert (script.returncode, shop.migrate("plan").returncode) == (2, 0)


def test_a_plan_of_another_schema_is_refused(tmp_path):
    shop = Shop(tmp_path)
    shop.declare("title: str")
    (tmp_path / "plan.json").write_text(shop.migrate("plan", "--json").stdout)
    shop.execute("CREATE TABLE shelf (id INTEGER PRIMARY KEY)")

    refused = shop.migrate("apply", "--yes", "--plan", "plan.json")

    assert (refused.returncode, shop.columns()) == (6, [])
