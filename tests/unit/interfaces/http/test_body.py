"""How much of a body is read, how long it is waited for, and that nobody is told who is gone."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, Request
from starlette.types import Message

from fastapi_easy.interfaces.http.options import HttpOptions
from tests.unit.interfaces.http.library import BOOK, app_of, book_resource, client_of

SMALL = HttpOptions(body_limit=100)
JSON = {"Content-Type": "application/json"}


def own(app: FastAPI) -> FastAPI:
    @app.post("/own")
    async def echo(request: Request) -> int:
        return len(await request.body())

    @app.post("/own/model")
    async def model(body: dict[str, int]) -> int:
        return len(body)

    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(own(app_of(book_resource(), options=SMALL))) as opened:
        yield opened


async def parts(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b" " * 30


@pytest.mark.parametrize("path", ["/books", "/own", "/own/model"])
async def test_a_declared_length_beyond_the_limit_is_413(client: httpx2.AsyncClient, path: str) -> None:
    refused = await client.post(path, content=b" " * 101, headers=JSON)

    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
    assert refused.json()["limit"] == 100


@pytest.mark.parametrize("path", ["/books", "/own", "/own/model"])
async def test_real_bytes_beyond_the_limit_are_413(client: httpx2.AsyncClient, path: str) -> None:
    refused = await client.post(path, content=parts(4), headers=JSON)

    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")


async def test_a_body_may_come_in_parts(client: httpx2.AsyncClient) -> None:
    async def book() -> AsyncIterator[bytes]:
        yield b'{"title": '
        yield b'"Ada", "price": '
        yield b"1}"

    assert (await client.post("/books", content=book(), headers=JSON)).status_code == 201
    assert (await client.post("/own", content=parts(3))).json() == 90


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(HttpOptions(body_idle_timeout=0.02), id="nothing for too long"),
        pytest.param(HttpOptions(body_timeout=0.05, body_idle_timeout=0.04), id="too long in all"),
    ],
)
async def test_a_slow_body_is_408(options: HttpOptions) -> None:
    async def slow() -> Message:
        await asyncio.sleep(0.03)
        return {"type": "http.request", "body": b" ", "more_body": True}

    sent = await _call(app_of(book_resource(), options=options), slow)

    assert sent[0]["status"] == 408


async def test_who_hung_up_is_not_answered() -> None:
    async def gone() -> Message:
        return {"type": "http.disconnect"}

    assert await _call(app_of(book_resource()), gone) == []


async def _call(app: FastAPI, receive: Any) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"transfer-encoding", b"chunked")]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/books",
        "raw_path": b"/books",
        "query_string": b"",
        "headers": headers,
        "root_path": "",
    }
    await app(scope, receive, send)
    return sent


async def test_within_the_limit_nothing_changes(client: httpx2.AsyncClient) -> None:
    assert (await client.post("/books", json=BOOK)).status_code == 201
    assert (await client.post("/own/model", json={"a": 1})).json() == 1
