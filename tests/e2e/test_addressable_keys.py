"""Keys with the characters of paths: every one that is accepted can be reached, on every store."""

import json
import sqlite3
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import Failure, Fault, Invalid
from fastapi_easy.settings import Settings
from tests.e2e.serving import client_of
from tests.e2e.stores import EVERY_STORE, empty_store

REACHABLE = (
    *(
        "a/b",
        "/",
        "//",
        "a/",
        "..a",
        "...",
        "./",
        "../",
        "a/../b",
        "%2e",
        "%2E%2e",
        "%2F",
        "%",
        "?",
        "#",
        "+",
    ),
    *(";", "a;b=c", "&=", " ", "a b", "\n", "a\r\nb", "\t", "\x01", "\x7f", "\\", "~", "~1", ",", "a,b"),
    *("count", "search", "export", "import", "bulk", "upsert", "aggregate", "restore", "x/restore", "{key}"),
    *("é", "e\u0301", "😀", "\u2028", "x" * 200),
)
UNREACHABLE = ("", ".", "..")
IN_JSON_ONLY = ("a\x00b", "\ud800")


class File(SQLModel, table=True):
    """A file, whose key is a text."""

    __tablename__ = "keyed_file"

    path: str = Field(primary_key=True, max_length=200)
    size: int = 0


class Pair(SQLModel, table=True):
    """An entity whose key has two texts."""

    __tablename__ = "keyed_pair"

    left: str = Field(primary_key=True, max_length=60)
    right: str = Field(primary_key=True, max_length=60)


class Empty(SQLModel, table=True):
    """An entity whose key is empty unless somebody gives it."""

    __tablename__ = "keyed_empty"

    path: str = Field(default="", primary_key=True, max_length=60)


class Dotted(SQLModel, table=True):
    """An entity whose key is a dot unless somebody gives it."""

    __tablename__ = "keyed_dotted"

    path: str = Field(default_factory=lambda: ".", primary_key=True, max_length=60)


class Shop(Container):
    """Files and pairs, and what has odd keys by default."""

    files = resource(File, upsert=("path",))
    pairs = resource(Pair)
    empties = resource(Empty)
    dotteds = resource(Dotted)


def shop_at(url: str) -> Any:
    shop: Any = Shop
    return shop(settings=Settings.model_validate({"databases": {"default": {"url": url}}}))


@pytest.fixture(scope="module", params=EVERY_STORE)
async def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx2.AsyncClient]:
    with empty_store(request.param, tmp_path_factory.mktemp("keys")) as url:
        async with client_of(create_app(shop_at(url))) as opened:
            yield opened


async def reached(client: httpx2.AsyncClient, created: httpx2.Response, body: Any) -> bool:
    """Whether the entity at the location of *created* can be read, changed and deleted."""
    where = created.headers["location"]
    read, deleted = await client.get(where), await client.delete(where)
    return (read.status_code, read.json(), deleted.status_code) == (200, body, 204)


async def test_every_key_that_is_accepted_is_reached(client: httpx2.AsyncClient) -> None:
    missed = []
    for path in REACHABLE:
        body = {"path": path, "size": 1}
        if not await reached(client, await client.post("/files", json=body), body):
            missed.append(path)

    assert missed == []


async def test_every_part_of_a_composite_key_is_reached(client: httpx2.AsyncClient) -> None:
    parts = (*UNREACHABLE, ",", "~", "/", "count")
    bodies = [
        {"left": left, "right": right}
        for part in parts
        for left, right in ((part, "x"), ("x", part), (part, part))
    ]

    missed = [
        body for body in bodies if not await reached(client, await client.post("/pairs", json=body), body)
    ]

    assert missed == []


@pytest.mark.parametrize("path", [*UNREACHABLE, *IN_JSON_ONLY], ids=repr)
async def test_a_key_that_no_path_can_name_is_refused(client: httpx2.AsyncClient, path: str) -> None:
    def post(where: str, document: Any, kind: str = "application/json") -> Any:
        return client.post(where, content=json.dumps(document), headers={"content-type": kind})

    answers = {
        "/path": await post("/files", {"path": path}),
        "/path ": await post("/files/upsert", {"path": path}),
        "/items/0/create/path": await post("/files/bulk", {"items": [{"create": {"path": path}}]}),
        "/items/0/upsert/path": await post("/files/bulk", {"items": [{"upsert": {"path": path}}]}),
    }
    imported = await post("/files/import", {"path": path}, "application/x-ndjson")

    code = "key_not_addressable" if path in UNREACHABLE else "string_unicode"
    for pointer, answer in answers.items():
        assert answer.status_code == 422, answer.text
        assert [(each["pointer"], each["code"]) for each in answer.json()["errors"]] == [
            (pointer.strip(), code)
        ]
    assert (imported.json()["created"], imported.json()["failed"]) == (0, 1)
    assert code in imported.text
    assert (await client.get("/files")).json()["items"] == []


@pytest.mark.parametrize("path", ["/empties", "/dotteds"])
async def test_a_default_that_no_path_can_name_is_no_key(client: httpx2.AsyncClient, path: str) -> None:
    created = await client.post(path, json={})
    bulk = await client.post(f"{path}/bulk", json={"items": [{"create": {}}, {"create": {}}]})
    given = await client.post(path, json={"path": "given"})

    assert [each["code"] for each in created.json()["errors"]] == ["key_not_addressable"], created.text
    assert bulk.status_code == 422, bulk.text
    assert (await client.get(path)).json()["items"] == [{"path": "given"}]
    assert (await client.delete(given.headers["location"])).status_code == 204


async def test_a_key_that_is_there_already_is_found_by_filters_and_changed_in_bulk(tmp_path: Any) -> None:
    with empty_store("sqlite", tmp_path) as url:
        async with open_kernel(shop_at(url)) as kernel, kernel.unit_of_work() as work:
            refused = [
                await work.repository("files").add({"path": "."}),
                await work.repository("files").add_all([{"path": "a"}, {"path": ".."}]),
                await work.entities("files").save(File(path="")),
                await work.as_system().repository("files").add({"path": ""}),
            ]
        with sqlite3.connect(url.removeprefix("sqlite:///")) as database:
            _ = database.execute("INSERT INTO keyed_file VALUES ('.', 1)")
        async with client_of(create_app(shop_at(url))) as client:
            found = await client.get("/files", params={"path": "."})
            changed = await client.post(
                "/files/bulk", json={"items": [{"update": {"key": ".", "set": {"size": 2}}}]}
            )
            removed = await client.post("/files/bulk", json={"items": [{"delete": {"key": "."}}]})

    fault = Fault(
        "/path", "Must not be empty, '.' or '..': no path leads to such a key", "key_not_addressable"
    )
    assert refused == [Failure(Invalid((fault,)))] * 4
    assert found.json()["items"] == [{"path": ".", "size": 1}]
    assert changed.json()["results"][0]["entity"] == {"path": ".", "size": 2}
    assert removed.json()["results"] == [{"status": 204, "key": "."}]
