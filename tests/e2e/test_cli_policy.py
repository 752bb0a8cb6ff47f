"""`fastapi-easy policy`, run as an operator runs it."""

import json
import sqlite3
from pathlib import Path

import pytest

from tests.e2e.commands import call

SHOP = """
from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.policies import ANYONE, Where, allow, principal


class Pen(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    owner_id: int


class Shop(Container):
    pens = resource(
        Pen,
        policy=[
            allow("read", to=ANYONE, fields=["id"]),
            allow("update", to="owner", rows=Where("owner_id") == principal.id),
        ],
    )


app = create_app(Shop())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.py").write_text(SHOP)
    return tmp_path


def explain(folder: Path, caller: str, action: str, entity: str, *options: str) -> tuple[int, str]:
    file = {"FASTAPI_EASY_DATABASES__DEFAULT__URL": f"sqlite:///{folder / 'pens.sqlite3'}"}
    ended = call(folder, "policy", "explain", "shop:app", "--as", caller, *options, action, entity, **file)
    assert "Traceback" not in ended.stderr
    return ended.returncode, ended.stdout + ended.stderr


def test_an_entity_that_is_stored_is_explained_and_nothing_is_created(folder: Path) -> None:
    owner = ("--role", "owner", "--json")

    assert explain(folder, "user:7", "update", "pens/1") == (
        2,
        f"default: {folder / 'pens.sqlite3'} does not exist yet; the first start creates it\n",
    )
    assert not (folder / "pens.sqlite3").exists()
    with sqlite3.connect(folder / "pens.sqlite3") as database:
        database.execute("CREATE TABLE pen (id INTEGER NOT NULL PRIMARY KEY, owner_id INTEGER NOT NULL)")
        database.execute("INSERT INTO pen VALUES (1, 7)")
    database.close()

    code, told = explain(folder, "user:7", "update", "pens/1", *owner)
    assert (code, json.loads(told)["decision"]) == (0, "allowed")
    code, told = explain(folder, "user:8", "update", "pens/1", *owner)
    assert (code, json.loads(told)["decision"], json.loads(told)["rows"]) == (1, "hidden", "owner_id == 8")
    assert explain(folder, "user:8", "update", "pens/2", *owner) == (2, "there is no pens/2\n")


def test_the_matrix_of_a_program_is_printed(folder: Path) -> None:
    ended = call(folder, "policy", "matrix", "shop:Shop")

    lines = ended.stdout.splitlines()
    assert lines[0].split() == ["RESOURCE", "ACTION", "ANONYMOUS", "AUTHENTICATED", "owner"]
    assert ["pens", "get", "fields", "fields", "fields"] in [each.split() for each in lines]
    assert ["pens", "update", "no", "no", "rows", "and", "fields"] in [each.split() for each in lines]
    assert lines[-1] == "  pens update, owner: owner_id == principal.id"


def test_what_is_misspelt_is_said(folder: Path) -> None:
    assert explain(folder, "anonymous", "get", "pen") == (
        2,
        "there is no resource 'pen': did you mean 'pens'?\n",
    )
