"""Imports: what is taken in, from where on, how much of it, and what is told of the rest."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpx2
import pytest
from starlette.types import Message

from fastapi_easy.domain import Operation
from fastapi_easy.interfaces.http.options import HttpOptions
from tests.unit.interfaces.http.library import BOOK, app_of, book_resource, client_of

NDJSON = {"content-type": "application/x-ndjson"}
CSV = {"content-type": "text/csv"}


def lines_of(titles: Iterable[str]) -> str:
    return "".join(json.dumps({**BOOK, "title": title}) + "\n" for title in titles)


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(app_of(book_resource())) as opened:
        yield opened


async def titles(client: httpx2.AsyncClient) -> list[str]:
    return [item["title"] for item in (await client.get("/books?limit=100&sort=id")).json()["items"]]


async def test_a_line_is_read_as_a_body_of_create(client: httpx2.AsyncClient) -> None:
    wrong = {"title": "x", "price": 1.5, "pages": "7", "id": 5, "secret": "s"}

    single = await client.post("/books", json=wrong)
    line = await client.post("/books/import?mode=create", content=json.dumps(wrong), headers=NDJSON)

    (error,) = line.json()["errors"]
    assert error["problem"]["errors"] == single.json()["errors"]
    assert "instance" not in error["problem"]


@pytest.mark.parametrize(
    ("from_line", "expected"),
    [("1", ["a", "b", "c"]), ("2", ["b", "c"]), ("3", ["b", "c"]), ("5", []), ("9", [])],
)
async def test_lines_before_from_line_are_skipped_and_blank_ones_count(
    client: httpx2.AsyncClient, from_line: str, expected: list[str]
) -> None:
    body = lines_of("a") + "\n" + lines_of("bc")

    answer = await client.post(f"/books/import?from_line={from_line}", content=body, headers=NDJSON)

    assert await titles(client) == expected
    assert answer.json()["next_line"] == max(5, int(from_line)) if expected else int(from_line)


@pytest.mark.parametrize("first_part", [1, 3, 5])
async def test_a_byte_order_mark_is_no_part_of_the_first_line(
    client: httpx2.AsyncClient, first_part: int
) -> None:
    body = b"\xef\xbb\xbf" + lines_of("ab").encode()

    async def parts() -> AsyncIterator[bytes]:
        yield body[:first_part]
        yield body[first_part:]

    answer = await client.post("/books/import", content=parts(), headers=NDJSON)

    assert (answer.status_code, await titles(client)) == (200, ["a", "b"])


async def test_the_first_line_of_csv_is_read_wherever_one_begins(client: httpx2.AsyncClient) -> None:
    body = 'title,price\n"a\na",1\nb,2\n\nc,3\n'

    answer = await client.post("/books/import?from_line=3", content=body, headers=CSV)

    assert (answer.json()["created"], answer.json()["next_line"]) == (2, 7)
    assert await titles(client) == ["b", "c"]


async def test_lines_of_csv_that_fail_have_the_number_they_begin_on(client: httpx2.AsyncClient) -> None:
    body = 'title,price,note\na,1,"x\r\ny"\r\nb,much,\r\n"c\nc",1\nd,"1" 2,\ne,1,\n'

    answer = await client.post("/books/import", content=body, headers=CSV)

    told = answer.json()
    assert (answer.status_code, told["created"]) == (207, 2)
    assert [(each["line"], each["problem"]["errors"][0]["code"]) for each in told["errors"]] == [
        (4, "decimal_parsing"),
        (5, "csv_cells"),
        (7, "csv_record"),
    ]


@pytest.mark.parametrize(
    ("header", "pointers"),
    [
        ("id,title", ["/id"]),
        ("title,titel,title", ["/titel", "/title"]),
        ("title,", ["/"]),
        ('title,"x', [""]),
        ("title;price", [""]),
        ("titel\tprice", [""]),
        ("title;", [""]),
        ("title,secret", ["/secret"]),
    ],
)
async def test_a_first_line_that_names_no_fields_is_refused_at_once(
    client: httpx2.AsyncClient, header: str, pointers: list[str]
) -> None:
    refused = await client.post("/books/import?mode=create", content=f"{header}\na,1\n", headers=CSV)

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    assert [each["pointer"] for each in refused.json()["errors"]] == pointers


@pytest.mark.parametrize("body", [b"", b"\n\n"])
async def test_csv_needs_a_first_line(client: httpx2.AsyncClient, body: bytes) -> None:
    assert (await client.post("/books/import", content=body, headers=CSV)).status_code == 422


async def test_nothing_is_imported_from_nothing(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/books/import", content=b"", headers=NDJSON)

    assert (answer.status_code, answer.json()) == (
        200,
        {"created": 0, "updated": 0, "failed": 0, "next_line": 1, "errors": []},
    )


async def test_too_many_failures_end_it_and_tell_where_to_go_on(client: httpx2.AsyncClient) -> None:
    body = lines_of(["a", "", "", "b"]) + lines_of(f"t{number}" for number in range(600))

    answer = await client.post("/books/import?max_failures=1", content=body, headers=NDJSON)

    told = answer.json()
    assert (answer.status_code, told["code"], told["type"]) == (
        422,
        "too_many_failures",
        "/problems/too_many_failures",
    )
    assert (told["created"], told["failed"], told["next_line"]) == (498, 2, 501)
    assert [(each["line"], each["problem"]["code"]) for each in told["errors"]] == [
        (2, "invalid"),
        (3, "invalid"),
    ]
    assert all({"pointer", "in", "message", "code"} <= each.keys() for each in told["errors"])


@pytest.mark.parametrize(
    ("query", "status", "name"),
    [
        ("nope=1", 400, "nope"),
        ("upsert=true", 400, "upsert"),
        ("from_line=1&from_line=2", 400, "from_line"),
        ("from_line=0", 422, "from_line"),
        ("from_line=-1", 422, "from_line"),
        ("from_line=" + "9" * 30, 422, "from_line"),
        ("max_failures=1001", 422, "max_failures"),
        ("max_failures=x", 422, "max_failures"),
    ],
)
async def test_parameters_are_read_strictly(
    client: httpx2.AsyncClient, query: str, status: int, name: str
) -> None:
    refused = await client.post(f"/books/import?{query}", content=lines_of("a"), headers=NDJSON)

    assert refused.status_code == status
    assert refused.json()["errors"][0]["pointer"] == f"/{name}"
    assert await titles(client) == []


@pytest.mark.parametrize("wish", ["true", "yes"])
async def test_upsert_is_there_where_it_is_offered(wish: str) -> None:
    resource = book_resource(upsert_by=("title",), operations=frozenset(Operation))
    async with client_of(app_of(resource)) as client:
        await client.post("/books", json={**BOOK, "title": "a"})
        answer = await client.post(f"/books/import?upsert={wish}", content=lines_of("ab"), headers=NDJSON)

    if wish == "true":
        assert (answer.json()["created"], answer.json()["updated"]) == (1, 1)
    else:
        assert answer.status_code == 422


@pytest.mark.parametrize("content_type", ["application/json", "text/csv; charset=latin-1", ""])
async def test_other_media_types_are_415(client: httpx2.AsyncClient, content_type: str) -> None:
    refused = await client.post("/books/import", content=b"x", headers={"content-type": content_type})

    assert refused.status_code == 415


@pytest.mark.parametrize("longest", [200, 100])
async def test_a_line_that_is_too_long_fails_alone(longest: int) -> None:
    app = app_of(book_resource(), options=HttpOptions(import_line_limit=longest))
    body = lines_of("a") + json.dumps({**BOOK, "title": "b", "note": "x" * 100}) + "\n" + lines_of("c")

    async with client_of(app) as client:
        answer = await client.post("/books/import", content=body, headers=NDJSON)

    if longest == 100:
        assert [(each["line"], each["problem"]["code"]) for each in answer.json()["errors"]] == [
            (2, "too_large")
        ]
        assert answer.json()["errors"][0]["problem"]["limit"] == 100
    else:
        assert answer.json()["created"] == 3


async def test_other_bodies_limit_does_not_count_here() -> None:
    app = app_of(book_resource(), options=HttpOptions(body_limit=100))

    async with client_of(app) as client:
        answer = await client.post("/books/import", content=lines_of("abcdef"), headers=NDJSON)
        refused = await client.post("/books", json={**BOOK, "note": "x" * 100})

    assert (answer.status_code, answer.json()["created"]) == (200, 6)
    assert refused.status_code == 413


async def test_its_own_limit_ends_it_with_what_was_taken() -> None:
    app = app_of(book_resource(), options=HttpOptions(import_limit=100))

    async def body() -> AsyncIterator[bytes]:
        yield lines_of("ab").encode()
        yield lines_of("cdef").encode()

    async with client_of(app) as client:
        refused = await client.post("/books/import", content=body(), headers=NDJSON)

    assert (refused.status_code, refused.json()["code"], refused.json()["limit"]) == (413, "too_large", 100)
    assert (refused.json()["created"], refused.json()["next_line"]) == (2, 3)
    assert refused.headers["connection"] == "close"


async def imported(receive: Any, options: HttpOptions | None = None) -> tuple[list[Message], Any]:
    """What is sent to a caller whose body *receive* gives, and the app."""
    app = app_of(book_resource(), options=options or HttpOptions())
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/books/import",
        "raw_path": b"/books/import",
        "query_string": b"",
        "headers": [(b"content-type", b"application/x-ndjson"), (b"transfer-encoding", b"chunked")],
        "root_path": "",
    }
    await app(scope, receive, send)
    return sent, app


async def test_a_pause_that_is_too_long_ends_it_with_what_was_taken() -> None:
    parts = iter([lines_of("ab").encode() + b'{"title": "half'])

    async def receive() -> Message:
        part = next(parts, None)
        if part is None:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": part, "more_body": True}

    sent, app = await imported(receive, HttpOptions(body_idle_timeout=0.05))

    told = json.loads(sent[1]["body"])
    assert (sent[0]["status"], told["code"], told["created"], told["next_line"]) == (
        408,
        "request_timeout",
        2,
        3,
    )
    async with client_of(app) as client:
        assert await titles(client) == ["a", "b"]


async def test_who_hangs_up_leaves_whole_chunks_and_gets_no_answer() -> None:
    messages = iter(
        [
            {
                "type": "http.request",
                "body": lines_of(f"t{number}" for number in range(750)).encode(),
                "more_body": True,
            },
            {"type": "http.disconnect"},
        ]
    )

    async def receive() -> Message:
        return next(messages)

    sent, app = await imported(receive)

    assert sent == []
    async with client_of(app) as client:
        assert (await client.get("/books/count")).json() == {"count": 500}


async def test_a_dry_run_keeps_no_events(client: httpx2.AsyncClient) -> None:
    headers = {**NDJSON, "prefer": "tx=rollback"}

    answer = await client.post("/books/import", content=lines_of("ab"), headers=headers)

    assert answer.headers["preference-applied"] == "tx=rollback"
    assert "withheld-events" not in answer.headers
    assert await titles(client) == []
