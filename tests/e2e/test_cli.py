"""The command line: what it looks at and what it says."""

import contextlib
import json
import sqlite3
import subprocess
import sys

import pytest

from tests.e2e.commands import COMMAND, MODULE, SECRET, call, program_in
from tests.thorough import one_in

HELP = 300_000
"""Calls of `--help` with all its imports; 225,622 were counted."""
STORED = """
from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource


class Pen(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    colour: str


class Shop(Container):
    pens = resource(Pen)


app = create_app(Shop())
"""


@pytest.fixture
def folder(tmp_path):
    return program_in(tmp_path)


def test_help_is_there_at_once():
    program = """
import contextlib, io, sys
from tests.counted_calls import counted_calls
from tests.thorough import one_in

sys.argv = ["fastapi-easy", "--help"]
said = io.StringIO()
with counted_calls() as counted, contextlib.suppress(SystemExit), contextlib.redirect_stdout(said):
    from fastapi_easy.__main__ import main
    main()
assert "migrate" in said.getvalue()
print(counted.calls)
"""
    calls = int(subprocess.check_output([sys.executable, "-c", program], text=True))

    assert calls <= HELP


def test_the_command_line_alone_imports_no_framework():
    heavy = ["dependency_injector", "fastapi", "pydantic", "rich", "sqlalchemy", "starlette", "uvicorn"]
    program = f"import sys, fastapi_easy.__main__; print([each for each in {heavy} if each in sys.modules])"

    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "[]\n"


def test_is_a_module_too(tmp_path):
    assert (
        call(tmp_path, "--version", command=MODULE).stdout
        == call(tmp_path, "--version", command=COMMAND).stdout
    )


def test_finds_the_program_in_another_folder(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")

    assert call(elsewhere, "routes", "shop:app").returncode == 2
    assert call(elsewhere, "routes", "shop:app", "--app-dir", str(folder)).returncode == 0


@pytest.mark.parametrize(
    ("command", "target", "said"),
    [
        ("run", "nowhere:app", "there is no module 'nowhere'"),
        ("run", "shop:Book", "shop:Book is the class Book, not a FastAPI app"),
        ("routes", "shop:ap", "shop has no 'ap': did you mean 'app'?"),
        ("doctor", "shop.py", "write the module, shop:app"),
    ],
)
def test_refuses_targets_that_are_no_apps(folder, command, target, said):
    ended = call(folder, command, target)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("target", one_in(2, ["shop:app", "shop:Shop", "shop:make"], first=1))
def test_lists_the_routes_of_apps_and_containers(folder, target):
    ended = call(folder, "routes", target, "--json")

    assert ended.returncode == 0
    routes = json.loads(ended.stdout)
    assert {"method": "GET", "path": "/books", "name": "list_books", "resource": "books"} in routes
    assert {"method": "PATCH", "path": "/books/{key}", "name": "update_book", "resource": "books"} in routes
    own = [each for each in routes if each["path"] == "/who"]
    assert [each["resource"] for each in own] == ([] if target == "shop:Shop" else [""])


@pytest.mark.parametrize("target", one_in(2, ["shop:app", "shop:Shop"]))
def test_the_doctor_finds_nothing(folder, target):
    ended = call(folder, "doctor", target, **SECRET)

    assert ended.returncode == 0, ended.stdout
    assert "books: Book" in ended.stdout
    assert "No problems found." in ended.stdout
    assert "hush" not in ended.stdout


def test_the_doctor_says_where_settings_come_from(folder):
    (folder / "fastapi-easy.toml").write_text('[http]\ntitle = "Shop"\n')

    found = json.loads(call(folder, "doctor", "shop:app", "--json", FASTAPI_EASY_HTTP__PREFIX="/api").stdout)

    settings = {each["name"]: (each["value"], each["source"]) for each in found["settings"]}
    assert settings["http.prefix"] == ("/api", "environment")
    assert settings["http.title"] == ("Shop", "file")
    assert settings["http.docs"] == ("yes", "default")


def test_the_doctor_lists_every_mistake_and_looks_at_the_rest(folder):
    ended = call(folder, "doctor", "mistaken:app", "--json")

    assert ended.returncode == 1
    checks = json.loads(ended.stdout)["checks"]
    assert [each["area"] for each in checks if each["state"] == "wrong"] == ["declaration", "declaration"]
    assert [each["state"] for each in checks if each["area"] == "database"] == ["ok"]


def test_the_doctor_finds_unknown_settings(folder):
    ended = call(folder, "doctor", "shop:app", FASTAPI_EASY_HTPP__PREFIX="/x")

    assert ended.returncode == 1
    assert "FASTAPI_EASY_HTPP__PREFIX is not a setting" in ended.stdout


def test_the_doctor_finds_a_database_that_is_down(folder):
    url = "postgresql://me:hush@127.0.0.1:1/x"

    ended = call(folder, "doctor", "shop:app", "--json", FASTAPI_EASY_DATABASES__DEFAULT__URL=url)

    assert ended.returncode == 1, ended.stderr
    found = json.loads(ended.stdout)
    (database,) = [each for each in found["checks"] if each["area"] == "database"]
    assert (database["state"], database["database"], database["technology"]) == (
        "wrong",
        "default",
        "PostgreSQL",
    )
    assert "does not answer" in database["sentence"]
    assert "hush" not in ended.stdout


def test_the_doctor_makes_no_files(folder):
    before = sorted(each.name for each in folder.glob("*.*"))

    ended = call(folder, "doctor", "shop:app", FASTAPI_EASY_DATABASES__DEFAULT__URL="sqlite:///app.sqlite3")

    assert sorted(each.name for each in folder.glob("*.*")) == before
    assert "the first start creates it" in ended.stdout


def test_the_doctor_compares_tables_and_makes_none(folder):
    (folder / "stored.py").write_text(STORED)
    (folder / "app.sqlite3").touch()
    url = {"FASTAPI_EASY_DATABASES__DEFAULT__URL": "sqlite:///app.sqlite3"}

    missing = call(folder, "doctor", "stored:app", **url)
    with contextlib.closing(sqlite3.connect(folder / "app.sqlite3")) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
        connection.execute("CREATE TABLE pen (id INTEGER PRIMARY KEY)")
    different = call(folder, "doctor", "stored:app", **url)

    assert (missing.returncode, tables) == (0, []), missing.stdout
    assert "the next start" in missing.stdout
    assert different.returncode == 1
    assert "add column colour" in different.stdout
