"""What a change is based on, and entities that come and go."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.interfaces.http.library import parameters_of
from tests.unit.interfaces.http.shop import Bench, bench


@pytest.fixture
async def shop() -> AsyncIterator[Bench]:
    async with bench() as opened:
        await opened.put("books", isbn="a", title="T")
        await opened.put("reviews", book_id=1, stars=1)
        _ = opened.published()
        yield opened


async def test_a_counted_version_is_the_tag(shop: Bench) -> None:
    first = await shop.client.get("/books/1")
    changed = await shop.client.patch("/books/1", json={"copies": 2}, headers={"If-Match": '"1"'})
    sold = await shop.client.post("/books/1/sell")

    assert (first.headers["etag"], first.json()["version"]) == ('"1"', 1)
    assert (changed.headers["etag"], changed.json()["version"]) == ('"2"', 2)
    assert (sold.headers["etag"], sold.json()["version"]) == ('"3"', 3)


async def test_not_modified_goes_by_the_counted_version(shop: Bench) -> None:
    assert (await shop.client.get("/books/1", headers={"If-None-Match": '"1"'})).status_code == 304
    assert (await shop.client.get("/books/1", headers={"If-None-Match": '"2"'})).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("tag", ['"7"', '"01"', '"x"', 'W/"1"', "nonsense"])
async def test_another_version_is_412_with_the_current_one(shop: Bench, method: str, tag: str) -> None:
    body = None if method == "DELETE" else {"isbn": "a", "title": "New"}

    stale = await shop.client.request(method, "/books/1", json=body, headers={"If-Match": tag})

    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    assert (stale.headers["etag"], stale.json()["current_version"]) == ('"1"', "1")
    assert (await shop.client.get("/books/1")).json()["title"] == "T"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_where_a_version_is_required_it_has_to_be_said(shop: Bench, method: str) -> None:
    body = None if method == "DELETE" else {"book_id": 1, "stars": 2}

    silent = await shop.client.request(method, "/reviews/1", json=body)
    tag = (await shop.client.get("/reviews/1")).headers["etag"]
    told = await shop.client.request(method, "/reviews/1", json=body, headers={"If-Match": tag})

    assert (silent.status_code, silent.json()["code"]) == (428, "precondition_required")
    assert told.status_code in {200, 204}


@pytest.mark.parametrize("tag", ['"7"', '"01"', 'W/"1"', "nonsense", '"7", "8"'])
async def test_an_action_is_performed_on_the_version_it_is_based_on(shop: Bench, tag: str) -> None:
    stale = await shop.client.post("/books/1/sell", headers={"If-Match": tag})
    fresh = await shop.client.post("/books/1/sell", headers={"If-Match": '"1"'})

    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    assert (stale.headers["etag"], stale.json()["current_version"]) == ('"1"', "1")
    assert (fresh.status_code, fresh.headers["etag"]) == (200, '"2"')


async def test_an_action_must_not_meet_a_version_that_is_unwanted(shop: Bench) -> None:
    met = await shop.client.post("/books/1/sell", headers={"If-None-Match": '"1"'})

    assert (met.status_code, met.json()["code"]) == (412, "stale")


async def test_an_action_has_to_say_a_version_where_one_is_required(shop: Bench) -> None:
    silent = await shop.client.post("/reviews/1/praise")
    any_ = await shop.client.post("/reviews/1/praise", headers={"If-Match": "*"})
    told = await shop.client.post("/reviews/1/praise", headers={"If-Match": any_.headers["etag"]})

    assert (silent.status_code, silent.json()["code"]) == (428, "precondition_required")
    assert (any_.status_code, any_.json()["stars"]) == (200, 5)
    assert told.status_code == 200


@pytest.mark.parametrize("tag", ['"1"', 'W/"2"', "nonsense", '"1", "7"', "W/"])
@pytest.mark.parametrize("path", ["/books/1/restore", "/books/1/purge"])
async def test_what_is_deleted_has_another_version_than_before(shop: Bench, path: str, tag: str) -> None:
    await shop.client.delete("/books/1")

    stale = await shop.client.post(path, headers={"If-Match": tag})

    assert (stale.status_code, stale.json()["code"]) == (412, "stale")
    assert (stale.headers["etag"], stale.json()["current_version"]) == ('"2"', "2")
    assert shop.published() == ["books.deleted"]


@pytest.mark.parametrize("tag", ['"2"', "*", '"1", "2"', '"2", "1"', '"1", W/"1", "2"'])
@pytest.mark.parametrize(("path", "status"), [("/books/1/restore", 200), ("/books/1/purge", 204)])
async def test_what_is_deleted_can_be_named_by_its_version(
    shop: Bench, path: str, status: int, tag: str
) -> None:
    missing = await shop.client.post(path, headers={"If-Match": tag})
    await shop.client.delete("/books/1")

    found = await shop.client.post(path, headers={"If-Match": tag})

    assert (missing.status_code, found.status_code) == (404, status)


async def test_any_version_can_be_required_too(shop: Bench) -> None:
    any_ = await shop.client.patch("/reviews/1", json={"stars": 2}, headers={"If-Match": "*"})

    assert (any_.status_code, any_.json()["stars"]) == (200, 2)


@pytest.mark.parametrize("name", ["version", "deleted_at"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/books"), ("PUT", "/books/1"), ("PATCH", "/books/1"), ("POST", "/books/upsert")],
)
async def test_what_the_store_keeps_is_not_written(shop: Bench, method: str, path: str, name: str) -> None:
    value = 9 if name == "version" else "2026-11-23T08:30:00Z"

    refused = await shop.client.request(method, path, json={"isbn": "b", "title": "T", name: value})

    assert [(each["pointer"], each["code"]) for each in refused.json()["errors"]] == [
        (f"/{name}", "extra_forbidden")
    ]


async def test_what_is_deleted_is_nowhere_until_it_is_restored(shop: Bench) -> None:
    await shop.put("authors", name="Ada")
    await shop.client.patch("/books/1", json={"author_id": 1})

    gone = await shop.client.delete("/books/1")

    assert gone.status_code == 204
    assert (await shop.client.get("/books/1")).status_code == 404
    assert (await shop.client.get("/books")).json()["items"] == []
    assert (await shop.client.get("/books/count")).json() == {"count": 0}
    assert (await shop.client.get("/authors/1?include=books")).json()["books"] == []
    assert (await shop.client.patch("/books/1", json={"copies": 3})).status_code == 404
    back = await shop.client.post("/books/1/restore")
    assert (back.status_code, back.json()["isbn"], back.headers["etag"]) == (200, "a", '"4"')
    assert (await shop.client.get("/books/1")).json() == back.json()
    assert shop.published() == [
        *("authors.created", "books.updated", "books.deleted", "books.restored"),
    ]


async def test_only_the_deleted_can_be_restored_or_purged(shop: Bench) -> None:
    for path in ("/books/1/restore", "/books/1/purge", "/books/9/restore", "/books/9/purge"):
        assert (await shop.client.post(path)).status_code == 404
    await shop.client.delete("/books/1")

    purged = await shop.client.post("/books/1/purge")

    assert (purged.status_code, purged.content) == (204, b"")
    assert (await shop.client.post("/books/1/restore")).status_code == 404
    assert shop.published() == ["books.deleted", "books.purged"]


async def test_a_deleted_value_can_be_used_again(shop: Bench) -> None:
    await shop.client.delete("/books/1")

    again = await shop.put("books", isbn="a", title="Again")

    assert again["id"] == 2
    taken = await shop.client.post("/books/1/restore")
    assert (taken.status_code, taken.json()["code"]) == (409, "already_exists")


@pytest.mark.parametrize("path", ["/books/1/restore", "/books/1/purge"])
async def test_nothing_is_sent_along(shop: Bench, path: str) -> None:
    body = await shop.client.post(path, json={"force": True})
    query = await shop.client.post(path, params={"force": "true"})

    assert (body.status_code, body.json()["errors"][0]["code"]) == (422, "no_body")
    assert (query.status_code, query.json()["code"]) == (400, "bad_query")
    assert (await shop.client.post(path, json={})).status_code == 404


async def test_what_is_not_offered_is_not_there(shop: Bench) -> None:
    paths = shop.app.openapi()["paths"]

    for path in ("/authors/1/restore", "/authors/1/purge"):
        assert (await shop.client.post(path)).status_code == 404
    assert (await shop.client.post("/authors/upsert", json={})).status_code == 405
    assert not {"/authors/{key}/restore", "/authors/{key}/purge", "/authors/upsert"} & paths.keys()
    assert {"/books/{key}/restore", "/books/{key}/purge", "/books/upsert", "/books/bulk"} <= paths.keys()


async def test_an_upsert_changes_or_creates(shop: Bench) -> None:
    changed = await shop.client.post("/books/upsert", json={"isbn": "a", "title": "New"})
    made = await shop.client.post("/books/upsert", json={"isbn": "b", "title": "Made"})

    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert "location" not in changed.headers
    assert (changed.json()["id"], changed.json()["title"]) == (1, "New")
    assert (made.status_code, made.headers["location"], made.headers["etag"]) == (201, "/books/2", '"1"')
    assert shop.published() == ["books.updated", "books.created"]


async def test_an_upsert_can_be_answered_in_short(shop: Bench) -> None:
    minimal = {"Prefer": "return=minimal"}

    changed = await shop.client.post("/books/upsert", json={"isbn": "a", "title": "New"}, headers=minimal)
    made = await shop.client.post("/books/upsert", json={"isbn": "b", "title": "Made"}, headers=minimal)

    assert [(each.status_code, each.content) for each in (changed, made)] == [(204, b""), (201, b"")]


async def test_an_upsert_is_validated_like_a_create(shop: Bench) -> None:
    refused = await shop.client.post("/books/upsert", json={"isbn": "a", "copies": "many"})

    assert {each["pointer"] for each in refused.json()["errors"]} == {"/title", "/copies"}


def test_the_document_tells_of_versions(shop: Bench) -> None:
    document = shop.app.openapi()
    paths = document["paths"]
    review, book = paths["/reviews/{key}"]["patch"], paths["/books/{key}"]["patch"]

    required = parameters_of(document, "/reviews/{key}", "patch")["If-Match"]
    assert required["required"] is True
    assert "required" not in parameters_of(document, "/books/{key}", "patch")["If-Match"]
    for path in ("/books/{key}/sell", "/books/{key}/restore", "/books/{key}/purge"):
        assert "required" not in parameters_of(document, path, "post")["If-Match"]
        assert "412" in paths[path]["post"]["responses"]
        assert "428" not in paths[path]["post"]["responses"]
    praise = paths["/reviews/{key}/praise"]["post"]
    assert parameters_of(document, "/reviews/{key}/praise", "post")["If-Match"] == required
    assert {"412", "428"} <= praise["responses"].keys()
    assert "428" in review["responses"]
    assert "428" not in book["responses"]
    schemas = shop.app.openapi()["components"]["schemas"]
    assert not {"version", "deleted_at"} & schemas["BookCreate"]["properties"].keys()
    assert {"version", "deleted_at"} <= schemas["Book"]["properties"].keys()
