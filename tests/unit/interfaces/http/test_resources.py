"""What each endpoint answers, as a caller sees it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from fastapi_easy.domain import READ_ONLY
from tests.unit.interfaces.http.library import (
    BOOK,
    EVERYTHING,
    READABLE,
    app_of,
    book_resource,
    client_of,
    shelf_resource,
)


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(app_of(book_resource(), shelf_resource())) as opened:
        yield opened


@pytest.fixture
async def book(client: httpx2.AsyncClient) -> dict[str, Any]:
    created = await client.post("/books", json=EVERYTHING)
    return {"etag": created.headers["etag"], "path": created.headers["location"], "json": created.json()}


def code_of(response: httpx2.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["correlation_id"] == response.headers["x-correlation-id"]
    assert problem["type"] == f"/problems/{problem['code']}"
    assert response.content.isascii()
    return response.status_code, problem["code"]


def pointers_of(response: httpx2.Response) -> list[tuple[str, str]]:
    assert response.status_code == 422
    return [(fault["in"], fault["pointer"]) for fault in response.json()["errors"]]


async def test_create_answers_201_with_location_and_etag(client: httpx2.AsyncClient) -> None:
    created = await client.post("/books", json=EVERYTHING)

    assert (created.status_code, created.headers["location"]) == (201, "/books/1")
    assert created.json() == {"id": 1, **EVERYTHING}
    found = await client.get("/books/1")
    assert (found.status_code, found.json()) == (200, created.json())
    assert found.headers["etag"] == created.headers["etag"]
    assert found.headers["cache-control"] == "private, no-cache"


async def test_what_is_left_out_takes_its_default(client: httpx2.AsyncClient) -> None:
    created = (await client.post("/books", json=BOOK)).json()

    assert (created["pages"], created["in_print"], created["colour"], created["tags"]) == (1, True, "red", [])
    assert created["note"] is None


async def test_minimal_answers_are_empty(client: httpx2.AsyncClient, book: dict[str, Any]) -> None:
    minimal = {"Prefer": 'respond-async, return="minimal"'}

    created = await client.post("/books", json=BOOK, headers=minimal)
    changed = await client.patch(book["path"], json={"note": "x"}, headers=minimal)

    assert (created.status_code, created.content) == (201, b"")
    assert created.headers["location"] == "/books/2"
    assert (changed.status_code, changed.content) == (204, b"")
    for answer in (created, changed):
        assert answer.headers["preference-applied"] == "return=minimal"
        assert answer.headers["etag"]


async def test_a_duplicate_is_409_and_names_the_field(
    client: httpx2.AsyncClient, book: dict[str, Any]
) -> None:
    again = await client.post("/books", json=EVERYTHING)

    assert code_of(again) == (409, "already_exists")
    assert [fault["pointer"] for fault in again.json()["errors"]] == ["/title"]


async def test_what_is_not_there_is_404(client: httpx2.AsyncClient) -> None:
    for method, body in (("GET", None), ("DELETE", None), ("PATCH", {"note": "x"}), ("PUT", BOOK)):
        assert code_of(await client.request(method, "/books/9", json=body)) == (404, "not_found")


async def test_put_never_creates_and_resets_what_it_leaves_out(
    client: httpx2.AsyncClient, book: dict[str, Any]
) -> None:
    replaced = await client.put(book["path"], json=BOOK)

    assert replaced.status_code == 200
    assert replaced.json()["note"] is None
    assert replaced.json()["colour"] == "red"
    assert pointers_of(await client.put(book["path"], json={"title": "x"})) == [("body", "/price")]


async def test_patch_tells_unset_from_null(client: httpx2.AsyncClient, book: dict[str, Any]) -> None:
    headers = {"Content-Type": "application/merge-patch+json; charset=UTF-8"}
    emptied = await client.patch(book["path"], content=b'{"note": null}', headers=headers)

    assert emptied.json() == {**book["json"], "note": None}
    assert (await client.patch(book["path"], json={})).json() == emptied.json()
    assert pointers_of(await client.patch(book["path"], json={"title": None})) == [("body", "/title")]


async def test_delete_answers_204_once(client: httpx2.AsyncClient, book: dict[str, Any]) -> None:
    assert (await client.delete(book["path"])).status_code == 204
    assert code_of(await client.delete(book["path"])) == (404, "not_found")


async def test_fields_outside_the_write_model_are_named(client: httpx2.AsyncClient) -> None:
    refused = await client.post("/books", json={**BOOK, "id": 1, "secret": "x", "nope": {}})

    assert pointers_of(refused) == [("body", "/id"), ("body", "/secret"), ("body", "/nope")]
    assert {fault["code"] for fault in refused.json()["errors"]} == {"extra_forbidden"}


async def test_fields_project_without_changing_the_etag(
    client: httpx2.AsyncClient, book: dict[str, Any]
) -> None:
    one = await client.get(book["path"], params={"fields": "price,id"})
    page = await client.get("/books", params={"fields": "title"})

    assert one.content == b'{"price":"12.50","id":1}'
    assert one.headers["etag"] == book["etag"]
    assert page.json()["items"] == [{"title": "Everything"}]
    assert code_of(await client.get(book["path"], params={"fields": "secret"})) == (400, "bad_query")
    assert code_of(await client.get(book["path"], params={"limit": "1"})) == (400, "bad_query")


async def test_head_is_get_without_a_body(client: httpx2.AsyncClient, book: dict[str, Any]) -> None:
    head, get = await client.head(book["path"]), await client.get(book["path"])

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(get.content))
    assert head.headers["etag"] == get.headers["etag"]
    assert (await client.head("/books")).status_code == 200


async def test_a_walk_follows_link_and_cursor(client: httpx2.AsyncClient) -> None:
    for number in range(5):
        await client.post("/books", json={**BOOK, "title": f"{number}", "price": number})

    page = await client.get("/books", params={"limit": 2, "sort": "-price", "count": "exact"})
    titles = [each["title"] for each in page.json()["items"]]
    while "next" in page.links:
        page = await client.get(page.links["next"]["url"])
        titles += [each["title"] for each in page.json()["items"]]

    assert titles == ["4", "3", "2", "1", "0"]
    assert page.json()["total"] == 5
    assert page.json()["next_cursor"] is None
    assert page.links["first"]["url"] == "/books?limit=2&sort=-price&count=exact"


async def test_lists_searches_and_counts_speak_one_grammar(client: httpx2.AsyncClient) -> None:
    for number in range(3):
        await client.post("/books", json={**BOOK, "title": f"Title {number}", "price": number})

    listed = await client.get("/books", params={"price__gte": "1", "sort": "price"})
    searched = await client.post("/books/search", json={"where": {"price__gte": "1"}, "sort": ["price"]})
    counted = await client.get("/books/count", params={"price__gte": "1"})

    assert [each["price"] for each in listed.json()["items"]] == ["1.00", "2.00"]
    assert searched.content == listed.content
    assert counted.content == b'{"count":2}'


@pytest.mark.parametrize(
    ("path", "suggestion"),
    [
        pytest.param("/books?titel=x", "title", id="unknown parameter"),
        pytest.param("/books?price__gtee=1", "price__gte", id="unknown operator"),
        pytest.param("/books?sort=prise", "price", id="unknown field to sort by"),
        pytest.param("/books?secret=x", None, id="a hidden field"),
        pytest.param("/books/count?limit=1", None, id="a page of a count"),
        pytest.param("/books/1?title=x", None, id="a filter of one"),
        pytest.param("/books?cursor=nonsense", None, id="a forged cursor"),
        pytest.param("/books?where=nonsense", None, id="no JSON"),
    ],
)
async def test_a_query_that_is_not_understood_is_400(
    client: httpx2.AsyncClient, path: str, suggestion: str | None
) -> None:
    refused = await client.get(path)

    assert code_of(refused) == (400, "bad_query")
    assert refused.json().get("suggestion") == suggestion or suggestion is None
    assert refused.json()["errors"][0]["in"] == "query"


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
async def test_parameters_are_never_ignored(
    client: httpx2.AsyncClient, book: dict[str, Any], method: str
) -> None:
    path = "/books" if method == "POST" else book["path"]

    refused = await client.request(method, f"{path}?dry_run=1", json=None if method == "DELETE" else BOOK)

    assert code_of(refused) == (400, "bad_query")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=-1", "limit=1000", "offset=-1", "limit=x", "price__gt=x"]
)
async def test_a_value_out_of_range_is_422(client: httpx2.AsyncClient, query: str) -> None:
    assert code_of(await client.get(f"/books?{query}")) == (422, "invalid")


async def test_composite_keys_are_one_segment(client: httpx2.AsyncClient) -> None:
    created = await client.post("/shelves", json={"room": "a,b/c", "number": 3})

    found = await client.get(created.headers["location"])
    assert (found.status_code, found.json()["room"]) == (200, "a,b/c")
    assert code_of(await client.get("/shelves/alone")) == (422, "invalid")


async def test_actions_answer_the_read_model_or_nothing(
    client: httpx2.AsyncClient, book: dict[str, Any]
) -> None:
    lent = await client.post(f"{book['path']}/lend", json={"to": "Barbara"})
    burnt = await client.post(f"{book['path']}/burn")

    assert lent.json() == {**book["json"], "note": "Barbara"}
    assert list(lent.json()) == list(READABLE)
    assert lent.headers["etag"]
    assert (burnt.status_code, burnt.content) == (204, b"")
    assert code_of(await client.post(f"{book['path']}/burn", json={})) == (404, "not_found")
    assert pointers_of(await client.post(f"{book['path']}/lend", json={"to": ""})) == [("body", "/to")]
    assert pointers_of(await client.post(f"{book['path']}/lend", json={"to": "x", "nope": 1})) == [
        ("body", "/nope")
    ]
    assert code_of(await client.post(f"{book['path']}/lend")) == (415, "unsupported_media_type")


async def test_only_offered_operations_are_served() -> None:
    readonly = book_resource(operations=frozenset(READ_ONLY), actions={})
    async with client_of(app_of(readonly)) as client:
        refused = [await client.post("/books", json=BOOK), await client.delete("/books/1")]
        document = (await client.get("/openapi.json")).json()

    assert [code_of(each) for each in refused] == [(405, "method_not_allowed")] * 2
    assert [each.headers["allow"] for each in refused] == ["GET, HEAD, OPTIONS"] * 2
    assert set(document["paths"]["/books"]) == {"get"}


async def test_correlation_ids_are_taken_over_when_they_are_fit(client: httpx2.AsyncClient) -> None:
    for name in ("X-Correlation-ID", "X-Request-ID"):
        assert (await client.get("/books", headers={name: "abc-1"})).headers["x-correlation-id"] == "abc-1"
    for unfit in ("x" * 129, "a\tb", b"\xff\xfe", ""):
        answer = await client.get("/books", headers={"X-Correlation-ID": unfit})
        assert len(answer.headers["x-correlation-id"]) == 32
    assert (await client.get("/nowhere")).headers["x-correlation-id"]


async def test_idempotency_keys_have_a_shape(client: httpx2.AsyncClient) -> None:
    accepted = await client.post("/books", json=BOOK, headers={"Idempotency-Key": "abc"})
    refused = await client.post("/books", json=BOOK, headers={"Idempotency-Key": "x" * 256})

    assert accepted.status_code == 201
    assert pointers_of(refused) == [("header", "/idempotency-key")]
