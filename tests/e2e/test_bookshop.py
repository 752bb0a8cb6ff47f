"""The bookshop over HTTP, the same on every store; the environment may choose one."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from examples.bookshop.app import bookshop
from tests.e2e.serving import client_of
from tests.e2e.stores import CHOSEN, empty_store, store_names

BOOK = {"isbn": "9780000000001", "title": "Ada", "author_id": 1, "price": "12.50"}


@pytest.fixture(scope="module", params=store_names())
async def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx2.AsyncClient]:
    with empty_store(request.param, tmp_path_factory.mktemp("bookshop")) as url:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv(CHOSEN, url)
            app = bookshop()
        async with client_of(app) as opened:
            yield opened


@pytest.fixture
async def author(client: httpx2.AsyncClient) -> int:
    return int((await client.get("/authors", params={"limit": 1})).json()["items"][0]["id"])


@pytest.fixture
async def book(client: httpx2.AsyncClient, author: int) -> AsyncIterator[dict[str, Any]]:
    created = await client.post("/books", json={**BOOK, "isbn": _isbn(), "author_id": author})
    yield {**created.json(), "etag": created.headers["etag"]}
    await client.delete(created.headers["location"])


def _isbn() -> str:
    return str(uuid.uuid4().int)[:12]


async def test_create_answers_201_with_location_and_etag(client: httpx2.AsyncClient, author: int) -> None:
    created = await client.post("/books", json={**BOOK, "author_id": author})

    assert created.status_code == 201
    found = await client.get(created.headers["location"])
    assert (found.status_code, found.json()) == (200, created.json())
    assert found.headers["etag"] == created.headers["etag"]
    assert created.json()["price"] == "12.50"
    assert created.json()["added_at"].endswith("Z")
    assert (await client.delete(created.headers["location"])).status_code == 204
    assert (await client.get(created.headers["location"])).status_code == 404


async def test_a_duplicate_is_409_and_names_the_field(
    client: httpx2.AsyncClient, book: dict[str, Any]
) -> None:
    again = await client.post("/books", json={**BOOK, "isbn": book["isbn"], "author_id": book["author_id"]})

    assert again.status_code == 409
    assert again.headers["content-type"] == "application/problem+json"
    assert again.json()["code"] == "already_exists"
    assert "isbn" in again.text


async def test_a_bad_body_is_422_with_pointers(client: httpx2.AsyncClient) -> None:
    refused = await client.post("/books", json={"isbn": "x", "title": "", "price": -1, "nope": 1})

    assert refused.status_code == 422
    pointers = {error["pointer"] for error in refused.json()["errors"]}
    assert pointers == {"/isbn", "/title", "/price", "/author_id", "/nope"}


async def test_a_body_is_read_strictly(client: httpx2.AsyncClient, author: int) -> None:
    refused = await client.post(
        "/books", json={**BOOK, "author_id": str(author), "stock": 1.0, "in_print": 1}
    )

    assert refused.status_code == 422
    assert {error["pointer"] for error in refused.json()["errors"]} == {"/author_id", "/stock", "/in_print"}


async def test_an_unknown_parameter_is_400_with_a_suggestion(client: httpx2.AsyncClient) -> None:
    refused = await client.get("/books", params={"prise__gte": 5})

    assert refused.status_code == 400
    assert refused.json()["code"] == "bad_query"
    assert "price__gte" in refused.text


async def test_a_reference_to_nothing_is_409_and_names_the_field(client: httpx2.AsyncClient) -> None:
    refused = await client.post("/books", json={**BOOK, "isbn": _isbn(), "author_id": 999_999})

    assert (refused.status_code, refused.json()["code"]) == (409, "reference_broken")


async def test_what_others_refer_to_cannot_be_deleted(
    client: httpx2.AsyncClient, book: dict[str, Any]
) -> None:
    refused = await client.delete(f"/authors/{book['author_id']}")

    assert (refused.status_code, refused.json()["code"]) == (409, "reference_broken")


@pytest.mark.parametrize(
    "sort",
    ["price", "-price", "rating", "-rating,title", "title", "-published", "binding_free", "-added_at,-id"],
)
@pytest.mark.parametrize("condition", [{}, {"price__gte": "7"}, {"rating__isnull": "false"}])
async def test_a_cursor_walk_loses_and_repeats_nothing(
    client: httpx2.AsyncClient, sort: str, condition: dict[str, str]
) -> None:
    if sort == "binding_free":
        sort = "id"
    whole = (await client.get("/books", params={**condition, "sort": sort, "limit": 100})).json()["items"]

    walked: list[dict[str, Any]] = []
    parameters = {**condition, "sort": sort, "limit": "3"}
    for _ in range(20):
        page = await client.get("/books", params=parameters)
        assert page.status_code == 200, page.text
        walked += page.json()["items"]
        if page.json()["next_cursor"] is None:
            break
        parameters["cursor"] = page.json()["next_cursor"]

    assert walked == whole
    assert len(whole) >= 8


async def test_a_cursor_serves_only_its_own_query(client: httpx2.AsyncClient) -> None:
    cursor = (await client.get("/books", params={"sort": "price", "limit": 2})).json()["next_cursor"]

    other = await client.get("/books", params={"sort": "-price", "limit": 2, "cursor": cursor})

    assert (other.status_code, other.json()["code"]) == (400, "bad_query")


async def test_totals_are_counted_when_asked_for(client: httpx2.AsyncClient) -> None:
    plain = (await client.get("/books", params={"limit": 2})).json()
    counted = (await client.get("/books", params={"limit": 2, "count": "exact"})).json()
    alone = (await client.get("/books/count")).json()

    assert plain["total"] is None
    assert counted["total"] == alone["count"] >= 14


async def test_the_grammar_says_the_same_in_parameters_where_and_search(client: httpx2.AsyncClient) -> None:
    tree = {"and": [{"price__lt": 10}, {"not": {"rating__isnull": True}}]}

    by_parameters = await client.get(
        "/books", params={"price__lt": "10", "rating__isnull": "false", "sort": "id"}
    )
    by_where = await client.get(
        "/books", params={"where": httpx2.Response(200, json=tree).text, "sort": "id"}
    )
    by_search = await client.post("/books/search", json={"where": tree, "sort": "id"})

    assert by_parameters.json()["items"]
    assert by_parameters.json() == by_where.json() == by_search.json()


async def test_words_are_searched_in_every_searchable_field(client: httpx2.AsyncClient) -> None:
    found = await client.get("/books", params={"q": "AND punish"})

    assert [each["title"] for each in found.json()["items"]] == ["Crime and Punishment"]


async def test_fields_choose_what_an_answer_holds(client: httpx2.AsyncClient, book: dict[str, Any]) -> None:
    page = await client.get("/books", params={"fields": "title,price", "limit": 1})
    one = await client.get(f"/books/{book['id']}", params={"fields": "title"})

    assert set(page.json()["items"][0]) == {"title", "price"}
    assert one.json() == {"title": book["title"]}
    assert one.headers["etag"] == book["etag"]


async def test_a_patch_tells_null_from_unset(client: httpx2.AsyncClient, book: dict[str, Any]) -> None:
    first = await client.patch(f"/books/{book['id']}", json={"rating": 4.5, "published": "2020-02-29"})
    second = await client.patch(f"/books/{book['id']}", json={"rating": None})
    refused = await client.patch(f"/books/{book['id']}", json={"title": None})

    assert (first.json()["rating"], first.json()["published"]) == (4.5, "2020-02-29")
    assert (second.json()["rating"], second.json()["published"]) == (None, "2020-02-29")
    assert refused.status_code == 422


async def test_put_resets_what_it_leaves_out(client: httpx2.AsyncClient, book: dict[str, Any]) -> None:
    await client.patch(f"/books/{book['id']}", json={"rating": 1.5, "stock": 7})

    replaced = await client.put(
        f"/books/{book['id']}", json={"title": "Grace", "author_id": book["author_id"], "price": "1.00"}
    )

    assert replaced.status_code == 200
    assert (
        replaced.json() | {"title": "Grace", "rating": None, "stock": 0, "price": "1.00"} == replaced.json()
    )
    assert (await client.put("/books/999999", json=dict(BOOK, isbn=_isbn()) | {})).status_code in {404, 422}


async def test_hidden_fields_neither_leave_nor_enter(
    client: httpx2.AsyncClient, book: dict[str, Any]
) -> None:
    written = await client.patch(f"/books/{book['id']}", json={"supplier_note": "secret"})
    filtered = await client.get("/books", params={"supplier_note": "secret"})

    assert "supplier_note" not in book
    assert written.status_code == 422
    assert filtered.status_code == 400


async def test_a_field_fixed_at_creation_cannot_be_changed(
    client: httpx2.AsyncClient, book: dict[str, Any]
) -> None:
    refused = await client.patch(f"/books/{book['id']}", json={"isbn": _isbn()})

    assert refused.status_code == 422


async def test_a_stale_change_is_refused(client: httpx2.AsyncClient, book: dict[str, Any]) -> None:
    path = f"/books/{book['id']}"
    fresh = await client.patch(path, json={"stock": 3}, headers={"If-Match": book["etag"]})
    stale = await client.patch(path, json={"stock": 4}, headers={"If-Match": book["etag"]})
    unchanged = await client.get(path, headers={"If-None-Match": fresh.headers["etag"]})

    assert fresh.status_code == 200
    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    assert unchanged.status_code == 304


async def test_an_action_changes_its_order(client: httpx2.AsyncClient) -> None:
    order = await client.post("/orders", json={"customer": "Barbara"})

    shipped = await client.post(f"{order.headers['location']}/ship", json={})
    cancelled = await client.post(f"{order.headers['location']}/cancel", json={"reason": "too slow"})

    assert (shipped.status_code, shipped.json()["detail"]) == (409, "Only a paid order is shipped.")
    assert cancelled.status_code == 200
    assert (cancelled.json()["status"], cancelled.json()["note"]) == ("cancelled", "too slow")


async def test_composite_keys_are_one_segment_of_the_path(
    client: httpx2.AsyncClient, book: dict[str, Any]
) -> None:
    order = (await client.post("/orders", json={"customer": "Barbara"})).json()["id"]
    line = {"order_id": order, "number": 1, "book_id": book["id"], "quantity": 2, "unit_price": "12.50"}

    created = await client.post("/order_lines", json=line)
    changed = await client.patch(created.headers["location"], json={"quantity": 3})
    gone = await client.delete(created.headers["location"])

    assert created.headers["location"].endswith(f"/order_lines/{order},1")
    assert changed.json() == line | {"quantity": 3}
    assert gone.status_code == 204


async def test_times_keep_their_microseconds_and_come_back_in_utc(client: httpx2.AsyncClient) -> None:
    created = await client.post(
        "/orders", json={"customer": "Kurt", "placed_at": "2026-03-01T01:02:03.456789+02:00"}
    )

    assert created.json()["placed_at"] == "2026-02-28T23:02:03.456789Z"


async def test_text_is_compared_byte_for_byte(client: httpx2.AsyncClient) -> None:
    exact = await client.get("/books", params={"title": "Emma"})
    other_case = await client.get("/books", params={"title": "emma"})
    wildcard = await client.get("/books", params={"title__contains": "%"})
    any_case = await client.get("/books", params={"title__iexact": "EMMA"})

    assert [len(each.json()["items"]) for each in (exact, other_case, wildcard, any_case)] == [1, 0, 0, 1]


async def test_the_documentation_describes_every_route(client: httpx2.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()

    assert document["openapi"].startswith("3.1")
    assert document["paths"]["/books"]["post"]["operationId"] == "create_book"
    assert {"list_orders", "cancel_order", "search_authors"} <= {
        operation["operationId"] for path in document["paths"].values() for operation in path.values()
    }


async def test_health_tells_that_the_store_answers(client: httpx2.AsyncClient) -> None:
    ready = await client.get("/health/ready")

    assert (await client.get("/health/live")).status_code == 200
    assert ready.status_code == 200
    assert "default" in ready.text
