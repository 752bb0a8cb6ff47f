"""The probes of `reliability.md` 6.2 that are the same on every store."""

import json
from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.counted_calls import counted_calls
from tests.unit.interfaces.http.library import BOOK, PLAIN, app_of, book_resource, client_of, shelf_resource

CALLS = 8_000
"""Calls within which a request is refused; 1966 were counted."""

JSON = {"Content-Type": "application/json"}
VALID = json.dumps(BOOK).encode()


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(app_of(book_resource(), shelf_resource())) as opened:
        yield opened


def with_member(member: bytes) -> bytes:
    return VALID[:-1] + b", " + member + b"}"


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        pytest.param(with_member(rb'"note": "a\u0000b"'), 422, "/note", id="NUL in text"),
        pytest.param(with_member(rb'"a\u0000b": 1'), 422, "", id="NUL in a name"),
        pytest.param(with_member(b'"pages": 2147483648'), 422, "/pages", id="32 bits and one"),
        pytest.param(with_member(b'"pages": 9223372036854775808'), 422, "/pages", id="64 bits and one"),
        pytest.param(with_member(b'"pages": ' + b"9" * 4000), 422, "/pages", id="4,000 digits"),
        pytest.param(with_member(b'"pages": ' + b"9" * 5000), 400, None, id="5,000 digits"),
        pytest.param(with_member(rb'"note": "\ud800"'), 422, "/note", id="a lone surrogate"),
        pytest.param(
            with_member(rb'"pages": "\ud800"'), 422, "/pages", id="a lone surrogate where no text is"
        ),
        pytest.param(with_member(rb'"nope": "\ud800"'), 422, "/nope", id="a lone surrogate where nothing is"),
        pytest.param(with_member(b'"rating": NaN'), 422, "/rating", id="NaN"),
        pytest.param(with_member(b'"pages": NaN'), 422, "/pages", id="NaN for an integer"),
        pytest.param(with_member(b'"rating": 1e999'), 422, "/rating", id="1e999"),
        pytest.param(with_member(b'"rating": -Infinity'), 422, "/rating", id="minus infinity"),
        pytest.param(with_member(b'"extra": [NaN]'), 422, "/extra/0", id="NaN in free JSON"),
        pytest.param(with_member(b'"title": "B"'), 422, "/title", id="a name twice"),
        pytest.param(with_member(b'"pages": true'), 422, "/pages", id="true for an integer"),
        pytest.param(with_member(b'"pages": "1"'), 422, "/pages", id="text for an integer"),
        pytest.param(with_member(b'"pages": 1.0'), 422, "/pages", id="a fraction for an integer"),
        pytest.param(with_member(b'"in_print": 1'), 422, "/in_print", id="a number for a truth"),
        pytest.param(with_member(b'"note": {"$ne": null}'), 422, "/note", id="an operator of MongoDB"),
        pytest.param(with_member(b'"$where": "1"'), 422, "/$where", id="a name of MongoDB"),
        pytest.param(b'{"title": "\xff"}', 400, None, id="not UTF-8"),
        pytest.param(VALID.decode().encode("utf-16"), 400, None, id="UTF-16"),
        pytest.param(b'{"extra":' + b"[" * 10_000 + b"]" * 10_000 + b"}", 400, None, id="10,000 deep"),
        pytest.param(b"[" * 10_000, 400, None, id="10,000 deep and open"),
        pytest.param(b"", 400, None, id="nothing"),
        pytest.param(b"null", 422, "", id="null"),
        pytest.param(b"[]", 422, "", id="a list"),
    ],
)
async def test_a_hostile_body_is_refused(
    client: httpx2.AsyncClient, body: bytes, status: int, pointer: str | None
) -> None:
    for method, path in (("POST", "/books"), ("POST", "/books/search")):
        refused = await client.request(method, path, content=body, headers=JSON)

        assert refused.status_code in {status, 400, 422}
        if path == "/books":
            assert refused.status_code == status
            assert pointer is None or [each["pointer"] for each in refused.json()["errors"]] == [pointer]
        assert refused.content.isascii()
        assert refused.headers["content-type"] == "application/problem+json"
    assert (await client.get("/books/count")).json() == {"count": 0}


async def test_depth_is_refused_in_no_time(client: httpx2.AsyncClient) -> None:
    with counted_calls() as counted:
        await client.post("/books", content=b"[" * 10_000 + b"]" * 10_000, headers=JSON)

    assert counted.calls < CALLS


@pytest.mark.parametrize(
    ("path", "statuses"),
    [
        pytest.param("/books/a%00b", {422}, id="NUL in a path"),
        pytest.param("/books/%ff", {422}, id="no UTF-8 in a path"),
        pytest.param("/books/9223372036854775808", {404, 422}, id="64 bits and one in a path"),
        pytest.param(
            "/books/99999999999999999999999999999999999999999", {404, 422}, id="41 digits in a path"
        ),
        pytest.param("/shelves/%00,1", {422}, id="NUL in half a key"),
        pytest.param("/books?title=a%00b", {422}, id="NUL in a filter"),
        pytest.param("/books?title=%ff", {400}, id="no UTF-8 in a filter"),
        pytest.param("/books?%ff=1", {400}, id="no UTF-8 in a name"),
        pytest.param("/books?%00=1", {400}, id="NUL in a name"),
        pytest.param("/books?limit=-1", {422}, id="a negative limit"),
        pytest.param(f"/books?limit={10**30}", {422}, id="a huge limit"),
        pytest.param(f"/books?offset={2**63}", {422}, id="64 bits and one to skip"),
        pytest.param("/books?pages=9223372036854775808", {422}, id="64 bits and one in a filter"),
        pytest.param("/books?rating=NaN", {422}, id="NaN in a filter"),
        pytest.param("/books?sort=id;drop table", {400}, id="SQL in sort"),
        pytest.param("/books?sort=(select 1)", {400}, id="a subquery in sort"),
        pytest.param("/books?sort=__class__", {400}, id="a dunder in sort"),
        pytest.param("/books?filter[a.b.c]=1", {400}, id="somebody else's grammar"),
        pytest.param("/books?where=" + "[" * 5000, {400}, id="a deep tree"),
        pytest.param('/books?where={"title":{"$ne":null}}', {400, 422}, id="an operator of MongoDB"),
    ],
)
async def test_a_hostile_path_is_refused(client: httpx2.AsyncClient, path: str, statuses: set[int]) -> None:
    refused = await client.get(path)

    assert refused.status_code in statuses
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.content.isascii()


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        pytest.param(None, 415, id="none"),
        pytest.param("text/plain", 415, id="text"),
        pytest.param("application/x-www-form-urlencoded", 415, id="a form"),
        pytest.param("application/json; charset=utf-16", 415, id="another charset"),
        pytest.param("application/json, application/json", 415, id="two"),
        pytest.param("application/merge-patch+json", 415, id="that of a patch"),
        pytest.param("application/json", 201, id="JSON"),
        pytest.param("Application/JSON ; Charset=UTF-8", 201, id="JSON, spelt otherwise"),
        pytest.param('application/json; charset="utf-8"', 201, id="a quoted charset"),
    ],
)
async def test_only_json_is_read(client: httpx2.AsyncClient, content_type: str | None, status: int) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}

    assert (await client.post("/books", content=VALID, headers=headers)).status_code == status


async def test_a_long_query_string_is_refused(client: httpx2.AsyncClient) -> None:
    refused = await client.get("/books?title=" + "x" * PLAIN.query_limit)

    assert (refused.status_code, refused.json()["code"]) == (414, "query_too_long")


async def test_no_answer_repeats_what_was_sent(client: httpx2.AsyncClient) -> None:
    mark = "zqjx"
    answers = [
        await client.post("/books", json={"title": mark * 30, "price": mark, "pages": mark, "colour": mark}),
        await client.get("/books", params={"pages": mark}),
        await client.get("/books", params={"sort": mark}),
        await client.post("/books", content=mark.encode(), headers=JSON),
    ]

    for answer in answers:
        problem = answer.json()
        assert answer.status_code >= 400
        assert mark not in json.dumps(problem["errors"]) + problem["detail"]
