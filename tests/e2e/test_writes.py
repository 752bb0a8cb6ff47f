"""Relations, versions, soft delete, upsert, bulk and dry runs over HTTP, the same on every store."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from fastapi_easy.bootstrap import create_app
from fastapi_easy.settings import Settings
from tests.e2e.library import Library
from tests.e2e.serving import client_of
from tests.e2e.stores import EVERY_STORE, empty_store

DRY = {"Prefer": "tx=rollback"}


@pytest.fixture(scope="module", params=EVERY_STORE)
async def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx2.AsyncClient]:
    with empty_store(request.param, tmp_path_factory.mktemp("library")) as url:
        library: Any = Library
        app = create_app(library(settings=Settings.model_validate({"databases": {"default": {"url": url}}})))
        async with client_of(app) as opened:
            yield opened


class Shelf:
    """The books of one test, which all have one mark in their ISBN."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client
        self.mark = uuid.uuid4().hex[:12]

    def book(self, number: Any, **more: Any) -> dict[str, Any]:
        """The body of a new book."""
        return {"isbn": f"{self.mark}-{number}", "title": f"Book {number}", **more}

    async def put(self, resource: str, **values: Any) -> Any:
        created = await self.client.post(f"/{resource}", json=values)
        assert created.status_code == 201, created.text
        return created.json()

    async def books(self, *numbers: Any, **more: Any) -> list[int]:
        """The keys of new books."""
        return [(await self.put("books", **self.book(number, **more)))["id"] for number in numbers]

    async def found(self, **query: Any) -> Any:
        """The page of this test's books."""
        query = {"isbn__startswith": self.mark, "sort": "isbn", "limit": 100, **query}
        page = await self.client.get("/books", params=query)
        assert page.status_code == 200, page.text
        return page.json()

    async def there(self) -> list[str]:
        """What the ISBNs of the books that are there end in."""
        return [each["isbn"].partition("-")[2] for each in (await self.found())["items"]]

    async def bulk(self, *items: Any, headers: Any = None, **more: Any) -> httpx2.Response:
        return await self.client.post("/books/bulk", json={"items": list(items), **more}, headers=headers)


@pytest.fixture
def shelf(client: httpx2.AsyncClient) -> Shelf:
    return Shelf(client)


async def test_related_entities_stand_beside_the_books(shelf: Shelf) -> None:
    ada = await shelf.put("authors", name="Ada", country="GB")
    first, second = await shelf.books("1", "2", author_id=ada["id"])
    (alone,) = await shelf.books("3")
    for stars in (2, 5, 4):
        _ = await shelf.put("reviews", book_id=first, stars=stars)

    page = await shelf.found(
        **{
            "include": "author,reviews",
            "fields": "id,author.name",
            "reviews.sort": "-stars",
            "reviews.limit": 2,
        }
    )

    best = [each["stars"] for each in page["items"][0].pop("reviews")]
    assert best == [5, 4]
    assert page["items"] == [
        {"id": first, "author": {"name": "Ada"}},
        {"id": second, "author": {"name": "Ada"}, "reviews": []},
        {"id": alone, "author": None, "reviews": []},
    ]
    one = await shelf.client.get(f"/books/{first}", params={"include": "author"})
    assert one.json()["author"] == {"id": ada["id"], "name": "Ada", "country": "GB"}
    assert "etag" not in one.headers


async def test_dangling_references_are_rejected(shelf: Shelf) -> None:
    ada = await shelf.put("authors", name="Ada")
    (book,) = await shelf.books("1", author_id=ada["id"])
    nobody = {"author_id": 2_000_000_000}

    created = await shelf.client.post("/books", json=shelf.book("2", **nobody))
    changed = await shelf.client.patch(f"/books/{book}", json=nobody)
    bulk = await shelf.bulk({"create": shelf.book("3")}, {"create": shelf.book("4", **nobody)})
    deleted = await shelf.client.delete(f"/authors/{ada['id']}")

    answers = [(each.status_code, each.json()) for each in (created, changed, bulk, deleted)]
    assert [(status, body["code"]) for status, body in answers] == [(409, "reference_broken")] * 4
    assert [body["errors"][0]["pointer"] for _, body in answers[:3]] == [
        "/author_id",
        "/author_id",
        "/items/1/create/author_id",
    ]
    assert answers[3][1]["detail"] == "Other entities still refer to this one."
    assert await shelf.there() == ["1"]


async def test_relations_filter_and_sort_without_repeating_books(shelf: Shelf) -> None:
    zoe = await shelf.put("authors", name="Zoe", country="FR")
    ada = await shelf.put("authors", name="Ada", country="GB")
    (of_zoe,) = await shelf.books("1", author_id=zoe["id"])
    (of_ada,) = await shelf.books("2", author_id=ada["id"])
    (alone,) = await shelf.books("3")
    for stars in (5, 5, 1):
        _ = await shelf.put("reviews", book_id=of_ada, stars=stars)

    async def ids(**query: Any) -> Any:
        page = await shelf.found(fields="id", count="exact", **query)
        assert page["total"] == len(page["items"])
        return [each["id"] for each in page["items"]]

    assert await ids(**{"reviews.stars__gte": 5}) == [of_ada]
    assert await ids(**{"author.country__in": ["FR", "GB"]}) == [of_zoe, of_ada]
    assert await ids(reviews__isnull="true") == [of_zoe, alone]
    assert await ids(sort="author.name") == [of_ada, of_zoe, alone]
    assert await ids(sort="-author.name") == [of_zoe, of_ada, alone]
    assert await ids(where='{"reviews": {"stars": 1}, "author": {"name__icontains": "AD"}}') == [of_ada]


async def test_a_walk_along_a_related_order_repeats_nothing(shelf: Shelf) -> None:
    authors = [(await shelf.put("authors", name=name))["id"] for name in ("B", "A", "A")]
    for number in range(9):
        _ = await shelf.books(number, author_id=[*authors, None][number % 4])
    whole = (await shelf.found(sort="-author.name", fields="id"))["items"]

    walked: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = await shelf.found(sort="-author.name", fields="id", limit=2, **cursor)
        walked += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert walked == whole
    assert len(whole) == 9


async def test_of_many_changes_of_one_version_one_is_made(shelf: Shelf) -> None:
    (key,) = await shelf.books("1")
    path, base = f"/books/{key}", {"If-Match": '"1"'}

    answers = await asyncio.gather(
        *(shelf.client.patch(path, json={"copies": n}, headers=base) for n in range(1, 9))
    )

    won = [each for each in answers if each.status_code == 200]
    lost = [each for each in answers if each.status_code == 412]
    assert (len(won), len(lost)) == (1, 7)
    assert {each.headers["etag"] for each in answers} == {'"2"'}
    assert (await shelf.client.get(path)).json() == won[0].json()
    assert (await shelf.client.get(path, headers={"If-None-Match": '"2"'})).status_code == 304


@pytest.mark.parametrize("tag", ['"7"', '"x"', "01", 'W/"1"', f'"{10**30}"'])
async def test_a_version_that_is_none_of_its_is_412(shelf: Shelf, tag: str) -> None:
    (key,) = await shelf.books("1")

    stale = await shelf.client.delete(f"/books/{key}", headers={"If-Match": tag})

    assert (stale.status_code, stale.json()["current_version"]) == (412, "1")


async def test_where_versions_are_required_they_have_to_be_said(shelf: Shelf) -> None:
    (key,) = await shelf.books("1")
    review = await shelf.put("reviews", book_id=key, stars=1)
    path = f"/reviews/{review['id']}"

    silent = await shelf.client.patch(path, json={"stars": 2})
    tag = (await shelf.client.get(path)).headers["etag"]
    told = await shelf.client.patch(path, json={"stars": 2}, headers={"If-Match": tag})
    again = await shelf.client.delete(path, headers={"If-Match": tag})

    assert [each.status_code for each in (silent, told, again)] == [428, 200, 412]


async def test_of_many_actions_on_one_version_one_is_performed(shelf: Shelf) -> None:
    (key,) = await shelf.books("1", copies=8)
    path = f"/books/{key}/lend"

    answers = await asyncio.gather(*(shelf.client.post(path, headers={"If-Match": '"1"'}) for _ in range(8)))

    assert Counter(each.status_code for each in answers) == {200: 1, 412: 7}
    assert {each.headers["etag"] for each in answers} == {'"2"'}
    assert (await shelf.client.get(f"/books/{key}")).json()["copies"] == 7


async def test_an_action_requires_a_version_where_versions_are_required(shelf: Shelf) -> None:
    (key,) = await shelf.books("1")
    review = await shelf.put("reviews", book_id=key, stars=1)
    path = f"/reviews/{review['id']}"
    tag = (await shelf.client.get(path)).headers["etag"]

    silent = await shelf.client.post(f"{path}/praise")
    told = await shelf.client.post(f"{path}/praise", headers={"If-Match": tag})
    again = await shelf.client.post(f"{path}/praise", headers={"If-Match": tag})

    assert [each.status_code for each in (silent, told, again)] == [428, 200, 412]


@pytest.mark.parametrize(("way", "status"), [("restore", 200), ("purge", 204)])
async def test_what_is_deleted_has_a_version_of_its_own(shelf: Shelf, way: str, status: int) -> None:
    (key,) = await shelf.books("1")
    await shelf.client.delete(f"/books/{key}", headers={"If-Match": '"1"'})
    path = f"/books/{key}/{way}"

    before = await shelf.client.post(path, headers={"If-Match": '"1"'})
    now = await shelf.client.post(path, headers={"If-Match": before.headers["etag"]})

    assert (before.status_code, before.json()["current_version"]) == (412, "2")
    assert now.status_code == status


async def test_what_is_deleted_is_nowhere_until_it_is_restored(shelf: Shelf) -> None:
    ada = await shelf.put("authors", name="Ada")
    (key,) = await shelf.books("1", author_id=ada["id"])
    review = await shelf.put("reviews", book_id=key, stars=3)

    assert (await shelf.client.delete(f"/books/{key}")).status_code == 204

    assert (await shelf.client.get(f"/books/{key}")).status_code == 404
    assert await shelf.there() == []
    author = await shelf.client.get(f"/authors/{ada['id']}?include=books")
    assert author.json()["books"] == []
    assert (await shelf.client.get(f"/reviews/{review['id']}?include=book")).json()["book"] is None
    count = await shelf.client.get("/books/count", params={"isbn__startswith": shelf.mark})
    assert count.json() == {"count": 0}
    back = await shelf.client.post(f"/books/{key}/restore")
    assert (back.status_code, back.json()["version"], back.headers["etag"]) == (200, 3, '"3"')
    assert await shelf.there() == ["1"]


async def test_a_deleted_value_can_be_used_again_and_then_not_restored(shelf: Shelf) -> None:
    (key,) = await shelf.books("1")
    await shelf.client.delete(f"/books/{key}")

    (other,) = await shelf.books("1")
    taken = await shelf.client.post(f"/books/{key}/restore")
    purged = await shelf.client.post(f"/books/{key}/purge")
    gone = await shelf.client.post(f"/books/{key}/restore")

    assert other != key
    assert [each.status_code for each in (taken, purged, gone)] == [409, 204, 404]
    assert taken.json()["errors"][0]["pointer"] == "/isbn"
    assert (await shelf.client.get(f"/books/{other}")).status_code == 200
    assert (await shelf.client.post(f"/books/{other}/purge")).status_code == 404


async def test_of_many_upserts_one_creates(shelf: Shelf) -> None:
    answers = await asyncio.gather(
        *(shelf.client.post("/books/upsert", json=shelf.book("1", copies=copies)) for copies in range(20))
    )

    assert Counter(each.status_code for each in answers) == {201: 1, 200: 19}
    assert len({each.json()["id"] for each in answers}) == 1
    assert await shelf.there() == ["1"]


async def test_a_bulk_makes_every_kind_of_change(shelf: Shelf) -> None:
    one, two = await shelf.books("1", "2", copies=1)

    answer = await shelf.bulk(
        {"create": shelf.book("3")},
        {"upsert": shelf.book("3", copies=5)},
        {"upsert": shelf.book("4", copies=9)},
        {"update": {"key": one, "set": {"copies": 2}, "if_match": '"1"'}},
        {"update": {"where": {"isbn__startswith": shelf.mark, "copies__lt": 5}, "set": {"copies": 3}}},
        {"delete": {"key": two}},
        {"delete": {"where": {"isbn": f"{shelf.mark}-4"}, "max_affected": 1}},
    )

    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert [each["status"] for each in results] == [201, 200, 201, 200, 200, 204, 200]
    assert [each.get("affected") for each in results] == [None, None, None, None, 2, None, 1]
    assert results[1]["entity"]["copies"] == 5
    assert results[3]["etag"] == '"2"'
    assert await shelf.there() == ["1", "3"]
    assert (await shelf.client.get(f"/books/{one}")).headers["etag"] == '"3"'


async def test_an_atomic_bulk_is_all_or_none(shelf: Shelf) -> None:
    (key,) = await shelf.books("1")

    refused = await shelf.bulk(
        {"delete": {"key": key}},
        {"create": shelf.book("2")},
        {"create": shelf.book("3")},
        {"create": shelf.book("2")},
        {"create": shelf.book("4")},
    )

    assert (refused.status_code, refused.json()["item"]) == (409, 3)
    assert refused.json()["errors"][0]["pointer"] == "/items/3/create/isbn"
    assert [each["status"] for each in refused.json()["results"]] == [424, 424, 424, 409, 424]
    assert await shelf.there() == ["1"]


async def test_each_item_for_itself(shelf: Shelf) -> None:
    (key,) = await shelf.books("1")

    answer = await shelf.bulk(
        {"create": shelf.book("2")},
        {"create": shelf.book("2")},
        {"create": {"isbn": ""}},
        {"update": {"key": key, "set": {"copies": 4}, "if_match": "8"}},
        {"delete": {"where": {"isbn__startswith": shelf.mark}, "max_affected": 1}},
        {"delete": {"key": key}},
        atomic=False,
    )

    assert answer.status_code == 207
    assert [each["status"] for each in answer.json()["results"]] == [201, 409, 422, 412, 413, 204]
    assert await shelf.there() == ["2"]


async def test_as_many_items_as_allowed(shelf: Shelf) -> None:
    items = [{"create": {**shelf.book(f"{n:04}"), "copies": n}} for n in range(1000)]

    answer = await shelf.bulk(*items, headers={"Prefer": "return=minimal"})
    more = await shelf.bulk(*items, {"delete": {"key": 1}})

    assert answer.status_code == 200, answer.text
    keys = [each["key"] for each in answer.json()["results"]]
    assert len(set(keys)) == 1000
    last = (await shelf.client.get(f"/books/{keys[999]}")).json()
    assert (last["isbn"], last["copies"]) == (f"{shelf.mark}-0999", 999)
    assert (more.status_code, more.json()["limit"]) == (413, 1000)
    where = {"isbn__startswith": shelf.mark}
    gone = await shelf.bulk({"delete": {"where": where}})
    assert gone.json() == {"results": [{"status": 200, "affected": 1000}]}


async def test_a_dry_run_reports_what_would_happen(shelf: Shelf) -> None:
    one, gone = await shelf.books("1", "2")
    await shelf.client.delete(f"/books/{gone}")
    client = shelf.client

    answers = [
        await client.post("/books", json=shelf.book("3"), headers=DRY),
        await client.post("/books/upsert", json=shelf.book("1", copies=2), headers=DRY),
        await client.put(f"/books/{one}", json=shelf.book("4"), headers=DRY),
        await client.patch(f"/books/{one}", json={"copies": 2}, headers=DRY),
        await client.delete(f"/books/{one}", headers=DRY),
        await client.post(f"/books/{gone}/restore", headers=DRY),
        await client.post(f"/books/{gone}/purge", headers=DRY),
        await shelf.bulk({"create": shelf.book("3")}, {"delete": {"key": one}}, headers=DRY),
    ]
    taken = await client.post("/books", json=shelf.book("1"), headers=DRY)

    assert [each.status_code for each in answers] == [201, 200, 200, 200, 204, 200, 204, 200]
    assert {each.headers["preference-applied"] for each in answers} == {"tx=rollback"}
    assert [each.headers["withheld-events"] for each in answers] == [
        *("books.created", "books.updated", "books.updated", "books.updated", "books.deleted"),
        *("books.restored", "books.purged", "books.created, books.deleted"),
    ]
    assert not any({"etag", "location"} & each.headers.keys() for each in answers)
    assert (taken.status_code, taken.json()["errors"][0]["pointer"]) == (409, "/isbn")
    assert await shelf.there() == ["1"]
    assert (await client.get(f"/books/{one}")).headers["etag"] == '"1"'
    assert (await client.post(f"/books/{gone}/restore")).status_code == 200
