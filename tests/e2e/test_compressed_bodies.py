"""Compressed request bodies at every door that reads one: understood, limited, and refused with a word for it."""

import gzip
import json
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import Settings
from tests.e2e.serving import client_of

LIMIT = 20_000
LINES = 3_000


@dataclass
class PackedNote:
    """A note."""

    words: str
    id: int | None = None


class Shop(Container):
    """Notes."""

    notes = resource(PackedNote)


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with opened() as made:
        yield made


def opened(**http: object) -> Any:
    """A client of the shop, with these settings of HTTP."""
    shop: Any = Shop
    settings = Settings.model_validate(
        {"databases": {"default": {"url": "memory://"}}, "http": {"body_limit": LIMIT, **http}}
    )
    return client_of(create_app(shop(settings=settings)))


def packed(coding: str, body: bytes, media_type: str = "application/json") -> dict[str, Any]:
    """What to send *body* with, compressed."""
    pack: Callable[[bytes], bytes] = gzip.compress if coding == "gzip" else zlib.compress
    return {"content": pack(body), "headers": {"content-type": media_type, "content-encoding": coding}}


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_every_reader_of_bodies_understands_compressed_ones(
    client: httpx2.AsyncClient, coding: str
) -> None:
    def sent(document: object) -> dict[str, Any]:
        return packed(coding, json.dumps(document).encode())

    answers = [
        await client.post("/notes", **sent({"words": "one"})),
        await client.put("/notes/1", **sent({"words": "two"})),
        await client.patch("/notes/1", **sent({"words": "three"})),
        await client.post("/notes/bulk", **sent({"items": [{"create": {"words": "five"}}]})),
        await client.post("/notes/search", **sent({"where": {"words": "three"}})),
    ]
    lines = b"".join(b'{"words": "line %d"}\n' % number for number in range(LINES))
    imported = await client.post("/notes/import", **packed(coding, lines, "application/x-ndjson"))

    assert [each.status_code for each in answers] == [201, 200, 200, 200, 200], [
        each.text for each in answers
    ]
    assert [each["words"] for each in answers[-1].json()["items"]] == ["three"]
    assert (imported.status_code, imported.json()["created"]) == (200, LINES), imported.text
    assert (await client.get("/notes?count=exact&limit=1")).json()["total"] == 2 + LINES


async def test_other_codings_are_415_and_told_which_are_understood(client: httpx2.AsyncClient) -> None:
    answers = [
        await client.post(path, content=b"{}", headers={"content-type": kind, "content-encoding": encoding})
        for encoding in ("br", "zstd", "gzip, gzip", "deflate, gzip")
        for path, kind in (
            ("/notes", "application/json"),
            ("/notes/bulk", "application/json"),
            ("/notes/import", "application/x-ndjson"),
        )
    ]

    assert {(each.status_code, each.json()["code"]) for each in answers} == {(415, "unsupported_media_type")}
    assert {each.headers["accept-encoding"] for each in answers} == {"gzip, deflate"}


async def test_a_broken_body_is_400(client: httpx2.AsyncClient) -> None:
    sent = packed("gzip", b'{"words": "one"}')
    broken = [{**sent, "content": content} for content in (b"plain", sent["content"][:-3], b"")]

    answers = [await client.post("/notes", **each) for each in broken]

    assert [(each.status_code, each.json()["code"]) for each in answers] == [(400, "malformed_body")] * 3
    assert (await client.get("/notes")).json()["items"] == []


async def test_a_body_that_expands_beyond_its_limit_is_413(client: httpx2.AsyncClient) -> None:
    answers = [
        await client.post(path, **packed("gzip", json.dumps({"words": "x" * (10 * LIMIT)}).encode()))
        for path in ("/notes", "/notes/bulk")
    ]

    assert [(each.status_code, each.json()["code"]) for each in answers] == [(413, "too_large")] * 2
    assert answers[0].json()["limit"] == LIMIT
    assert (await client.get("/notes")).json()["items"] == []


@pytest.mark.parametrize("limits", [{}, {"import_limit": 5 * LIMIT}], ids=["by ratio", "by the setting"])
async def test_an_import_that_expands_beyond_its_limit_stops_and_says_where(limits: dict[str, int]) -> None:
    # As good as empty lines, of which none is one line too long.
    lines = b'{"words": "one"}\n' + (b" " * 99 + b"\n") * 200_000

    async with opened(**limits) as client:
        answer = await client.post("/notes/import", **packed("gzip", lines, "application/x-ndjson"))
        kept = (await client.get("/notes?count=exact")).json()["total"]

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large"), answer.text
    assert "The expanded body is larger" in answer.json()["detail"]
    assert answer.json()["created"] == kept
    assert answer.headers["connection"] == "close"


async def test_an_import_that_breaks_off_says_which_lines_are_in(client: httpx2.AsyncClient) -> None:
    lines = b"".join(b'{"words": "line %d"}\n' % number for number in range(LINES))
    sent = packed("gzip", lines, "application/x-ndjson")

    answer = await client.post("/notes/import", **{**sent, "content": sent["content"][:-20]})

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body"), answer.text
    assert answer.json()["created"] == (await client.get("/notes?count=exact")).json()["total"]
    assert answer.json()["next_line"] == answer.json()["created"] + 1


async def test_a_compressed_body_keeps_what_else_is_said_of_a_request(client: httpx2.AsyncClient) -> None:
    sent = packed("gzip", b'{"words": "one"}')
    keyed = {**sent, "headers": {**sent["headers"], "idempotency-key": "packed"}}

    first = await client.post("/notes", **keyed)
    again = await client.post("/notes", json={"words": "one"}, headers={"idempotency-key": "packed"})

    assert (first.status_code, again.status_code) == (201, 201), again.text
    assert again.headers["idempotent-replayed"] == "true"
