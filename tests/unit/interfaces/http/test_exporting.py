"""Exports: formats, refusals, and what happens when somebody goes away in the middle."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx2
import pytest
from pydantic import BaseModel, computed_field
from starlette.types import Message

from fastapi_easy.domain import Query, Row, Schemas
from fastapi_easy.domain.ports.repository import StreamBroken
from fastapi_easy.interfaces.http.operations.export_endpoint import PART
from fastapi_easy.interfaces.http.options import HttpOptions
from tests.unit.interfaces.http.library import (
    BOOK,
    EVERYTHING,
    READABLE,
    VALUES,
    app_of,
    book_resource,
    client_of,
    kernel_of,
)

CHUNK = 50
"""Rows that the store gives at a time."""


class Endless:
    """A repository whose stream has many rows, may break, and tells when it was closed."""

    def __init__(self, rows: int = 10**9, *, breaks: bool = False) -> None:
        self._rows = rows
        self._breaks = breaks
        self.sent = 0
        self.closed = False

    async def stream(self, query: Query, *, chunk: int = 500) -> AsyncIterator[Sequence[Row]]:
        try:
            for start in range(0, self._rows, CHUNK):
                rows = [Row({"id": number, **VALUES}) for number in range(start, start + CHUNK)]
                self.sent += len(rows)
                yield rows
            if self._breaks:
                raise StreamBroken("main")
        finally:
            self.closed = True


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(app_of(book_resource())) as opened:
        await opened.post("/books", json=EVERYTHING)
        await opened.post("/books", json=BOOK)
        yield opened


async def test_a_line_is_what_a_read_answers(client: httpx2.AsyncClient) -> None:
    exported = await client.get("/books/export")

    assert [json.loads(line) for line in exported.text.splitlines()] == [
        (await client.get(f"/books/{key}")).json() for key in (1, 2)
    ]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        pytest.param(None, "application/x-ndjson", id="none"),
        pytest.param("*/*", "application/x-ndjson", id="anything"),
        pytest.param("text/csv", "text/csv", id="CSV"),
        pytest.param("text/*", "text/csv", id="any text"),
        pytest.param("application/x-ndjson;q=0.2, text/csv;q=0.3", "text/csv", id="weights"),
        pytest.param("text/csv;q=0, */*;q=0.1", "application/x-ndjson", id="anything but CSV"),
        pytest.param("text/html, TEXT/CSV ; q=0.5", "text/csv", id="upper case"),
        pytest.param("text/csv;q=much", "text/csv", id="a weight that is none"),
    ],
)
async def test_accept_chooses_the_format(
    client: httpx2.AsyncClient, accept: str | None, expected: str
) -> None:
    exported = await client.get("/books/export", headers={} if accept is None else {"accept": accept})

    assert exported.headers["content-type"].split(";")[0] == expected
    assert exported.headers["vary"] == "accept"


async def test_as_goes_before_accept(client: httpx2.AsyncClient) -> None:
    exported = await client.get("/books/export?as=ndjson", headers={"accept": "text/csv"})

    assert exported.headers["content-type"] == "application/x-ndjson"


async def test_what_cannot_be_accepted_is_406(client: httpx2.AsyncClient) -> None:
    refused = await client.get("/books/export", headers={"accept": "application/json, text/csv;q=0"})

    assert (refused.status_code, refused.json()["code"]) == (406, "not_acceptable")


@pytest.mark.parametrize(
    "query",
    [
        "limit=5",
        "offset=1",
        "cursor=x",
        "count=exact",
        "include=x",
        "as=xml",
        "as=csv&as=csv",
        "nope=1",
        "x.limit=1",
    ],
)
async def test_what_says_nothing_about_an_export_is_refused(client: httpx2.AsyncClient, query: str) -> None:
    refused = await client.get(f"/books/export?{query}")

    assert (refused.status_code, refused.json()["code"]) == (400, "bad_query")
    assert refused.json()["parameter"] == query.partition("=")[0]


async def test_the_first_record_names_the_fields_of_a_model_of_ones_own() -> None:
    class Shown(BaseModel):
        id: int
        title: str

        @computed_field  # type: ignore[prop-decorator]
        @property
        def shout(self) -> str:
            return self.title.upper()

    async with client_of(app_of(book_resource(schemas=Schemas(read=Shown)))) as client:
        await client.post("/books", json=BOOK)
        exported = await client.get("/books/export?as=csv")

    assert exported.text == "id,title,shout\r\n1,Ada,ADA\r\n"


async def test_a_hidden_field_never_leaves(client: httpx2.AsyncClient) -> None:
    exported = await client.get("/books/export?as=csv")

    assert exported.text.splitlines()[0] == ",".join(READABLE)
    assert (await client.get("/books/export?fields=secret")).status_code == 400


async def test_no_operation_no_path() -> None:
    async with client_of(app_of(book_resource(operations=frozenset()))) as client:
        assert (await client.get("/books/export")).status_code == 405


async def exported(
    repository: Endless, *, options: HttpOptions | None = None, takes: int = 10**9, gone_after: int = 10**9
) -> list[Message]:
    """What is sent to a caller who takes some parts at once and no more, or hangs up after some."""
    kernel: Any = kernel_of(book_resource(), repository=repository)  # type: ignore[arg-type]
    app = app_of(kernel=kernel, options=options or HttpOptions())
    sent: list[Message] = []
    gone = asyncio.Event()

    async def receive() -> Message:
        if not sent:
            await asyncio.sleep(0)
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if len(sent) >= takes:
            await asyncio.sleep(60)
        sent.append(message)
        if len(sent) >= gone_after:
            gone.set()

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": "/books/export",
        "raw_path": b"/books/export",
        "query_string": b"",
        "headers": [],
        "root_path": "",
    }
    try:
        await app(scope, receive, send)
    finally:
        repository.messages = sent  # type: ignore[attr-defined]
    return sent


async def test_rows_are_sent_many_at_a_time() -> None:
    sent = await exported(Endless(1000))

    bodies = [message["body"] for message in sent[1:]]
    assert len(bodies) < 20
    assert all(len(body) == PART for body in bodies[:-2])
    assert sum(body.count(b"\n") for body in bodies) == 1000
    assert "more_body" not in sent[-1]


async def test_a_stream_that_breaks_has_no_proper_end(caplog: pytest.LogCaptureFixture) -> None:
    repository: Any = Endless(1000, breaks=True)

    with caplog.at_level(logging.ERROR, "fastapi_easy.http"), pytest.raises(StreamBroken):
        await exported(repository)

    assert len(repository.messages) > 2
    assert all(message.get("more_body") for message in repository.messages[1:])
    assert "broke off" in caplog.text
    assert repository.closed


async def test_a_stream_that_breaks_at_once_is_a_problem() -> None:
    sent = await exported(Endless(0, breaks=True))

    assert sent[0]["status"] == 503
    assert json.loads(sent[1]["body"])["code"] == "unavailable"


async def test_nothing_is_read_for_a_caller_who_is_gone() -> None:
    repository = Endless()

    sent = await exported(repository, gone_after=5)

    assert len(sent) == 5
    assert repository.closed
    assert repository.sent < 2000


async def test_a_caller_who_takes_nothing_is_not_waited_for_for_ever(
    caplog: pytest.LogCaptureFixture,
) -> None:
    repository = Endless()

    with caplog.at_level(logging.ERROR, "fastapi_easy.http"), pytest.raises(TimeoutError):
        await exported(repository, options=HttpOptions(export_patience=0.05), takes=3)

    assert repository.closed
    assert "not taken in time" in caplog.text


async def test_a_cancelled_export_closes_the_rows() -> None:
    repository = Endless()
    task = asyncio.ensure_future(exported(repository, takes=3))
    await asyncio.sleep(0.05)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert repository.closed


async def test_head_asks_the_store_and_sends_nothing() -> None:
    repository: Any = Endless(10)
    kernel: Any = kernel_of(book_resource(), repository=repository)
    async with client_of(app_of(kernel=kernel)) as client:
        told = await client.head("/books/export")

    assert (told.status_code, told.content) == (200, b"")
    assert repository.closed
