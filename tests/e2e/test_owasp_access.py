"""The OWASP API Security Top 10 (2023) as far as it is about access: API1, API3 and API5, on every store."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import Request

from fastapi_easy.bootstrap import create_app
from fastapi_easy.domain import Principal
from tests.conformance import policy_entities as entities
from tests.conformance.policy_shop import EDITORS, opened_at, shop_of
from tests.e2e.serving import client_of
from tests.e2e.stores import EVERY_STORE, MONGO, empty_store

SHOPS = {
    "memory": shop_of(entities.GenreData, entities.AuthorData, entities.BookData),
    MONGO: shop_of(entities.GenreDocument, entities.AuthorDocument, entities.BookDocument),
}
TABLES = shop_of(entities.GenreTable, entities.AuthorTable, entities.BookTable)
CALLERS = {
    "ada": Principal(id="ada", roles=EDITORS),
    "eve": Principal(id="eve", roles=EDITORS),
    "bob": Principal(id="bob"),
}


class Shop:
    """The shop over HTTP, with an author and a book of Ada's and of Eve's.

    Attributes:
        book, author: Ada's.

        own: Eve's book.
    """

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client
        self.book: dict[str, Any] = {}
        self.author: dict[str, Any] = {}
        self.own: dict[str, Any] = {}
        self.etag = ""

    async def ask(self, who: str, method: str, path: str, **how: Any) -> httpx2.Response:
        headers = {"x-user": who, **how.pop("headers", {})}
        return await self._client.request(method, path, headers=headers, **how)

    async def fill(self) -> "Shop":
        for who in ("ada", "eve"):
            author = (await self.ask(who, "POST", "/authors", json={"name": f"by {who}"})).json()
            values = {"isbn": f"isbn {who}", "title": f"of {who}", "author_id": author["id"]}
            made = await self.ask(who, "POST", "/books", json=values)
            assert made.status_code == 201
            if who == "ada":
                self.author, self.book, self.etag = author, made.json(), made.headers["etag"]
            else:
                self.own = made.json()
        return self

    async def refused(self, who: str, method: str, path: str, **how: Any) -> tuple[int, Any]:
        """The status and the body, without what names the request itself."""
        answer = await self.ask(who, method, path, **how)
        body = answer.json() if answer.content else {}
        return answer.status_code, {
            name: body[name] for name in body if name not in {"instance", "correlation_id"}
        }


@pytest.fixture(params=[*EVERY_STORE, MONGO])
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    def caller_of(asked: Request) -> Principal | None:
        return CALLERS.get(asked.headers.get("x-user", ""))

    with empty_store(request.param, tmp_path) as url:
        app = create_app(opened_at(SHOPS.get(request.param, TABLES), url), principal=caller_of)
        async with client_of(app) as client:
            yield await Shop(client).fill()


async def test_api1_an_object_of_somebody_else_is_none(shop: Shop) -> None:
    book = shop.book
    whole = {"isbn": "taken over", "title": "taken over", "author_id": shop.own["author_id"]}
    tag = {"if-match": shop.etag}
    attempts: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "", {}),
        ("GET", "", {"headers": {"if-none-match": shop.etag}}),
        ("GET", "?include=author", {}),
        ("PUT", "", {"json": whole}),
        ("PUT", "", {"json": whole, "headers": tag}),
        ("PATCH", "", {"json": {"title": "taken over"}}),
        ("PATCH", "", {"json": {"title": "taken over"}, "headers": {"prefer": "tx=rollback"}}),
        ("DELETE", "", {}),
        ("DELETE", "", {"headers": tag}),
        ("POST", "/retitle", {"json": {"title": "taken over"}}),
        ("POST", "/restore", {}),
        ("POST", "/purge", {}),
    ]
    for method, path, how in attempts:
        theirs = await shop.refused("eve", method, f"/books/{book['id']}{path}", **how)
        missing = await shop.refused("eve", method, f"/books/999{path}", **how)
        assert theirs == missing, (method, path, how)
        assert theirs[0] == 404, (method, path, how)

    def change(key: int) -> list[Any]:
        return [{"update": {"key": key, "set": {"title": "x"}}}, {"delete": {"key": key}}]

    for atomic in (True, False):
        bodies = [{"items": change(key), "atomic": atomic} for key in (book["id"], 999)]
        theirs, missing = [await shop.refused("eve", "POST", "/books/bulk", json=body) for body in bodies]
        assert theirs == missing
    by_value = {"items": [{"delete": {"where": {"isbn": book["isbn"]}}}]}
    assert (await shop.ask("eve", "POST", "/books/bulk", json=by_value)).json()["results"][0]["affected"] == 0

    for query in (
        "owner=ada",
        f"isbn={book['isbn']}",
        f"author.id={shop.author['id']}",
        "author.name=by ada",
    ):
        assert (await shop.ask("eve", "GET", f"/books?{query}")).json()["items"] == []
        assert (await shop.ask("eve", "GET", f"/books/count?{query}")).json() == {"count": 0}
        assert (await shop.ask("eve", "GET", f"/books/export?{query}")).text == ""
    _ = (await shop.ask("ada", "POST", "/books", json={**whole, "author_id": shop.author["id"]})).json()
    cursor = (await shop.ask("ada", "GET", "/books?limit=1")).json()["next_cursor"]
    for query in ("sort=title", "sort=-title", f"limit=1&cursor={cursor}"):
        listed = (await shop.ask("eve", "GET", f"/books?{query}")).json()
        assert {item["owner"] for item in listed["items"]} <= {"eve"}
    assert (await shop.ask("eve", "GET", "/books?sort=author.name")).status_code == 403

    refers = {"isbn": "new", "title": "new", "author_id": shop.author["id"]}
    theirs = await shop.refused("eve", "POST", "/books", json=refers)
    assert theirs == await shop.refused("eve", "POST", "/books", json={**refers, "author_id": 999})
    assert theirs[0] == 409
    assert (await shop.ask("ada", "GET", f"/books/{book['id']}")).json() == book


async def test_api3_nobody_sets_or_reads_what_is_not_theirs_to(shop: Shop) -> None:
    own = f"/books/{shop.own['id']}"
    forged: list[dict[str, Any]] = [
        {"id": 77},
        {"owner": "ada"},
        {"version": 9},
        {"deleted_at": None},
        {"is_admin": True},
        {"__class__": "Book"},
        {"$set": {"owner": "ada"}},
        {"author": {"name": "new"}},
    ]
    for extra in forged:
        values = {"isbn": "i", "title": "t", "author_id": shop.own["author_id"], **extra}
        for method, path, body in (("POST", "/books", values), ("PATCH", own, extra), ("PUT", own, values)):
            answer = await shop.ask("eve", method, path, json=body)
            assert answer.status_code == 422, (method, extra)
            assert answer.json()["errors"][0]["code"] == "extra_forbidden", (method, extra)
    for method, path in (("PATCH", own), ("PUT", own)):
        whole = {"isbn": "i", "title": "t", "author_id": shop.own["author_id"]} if method == "PUT" else {}
        assert (await shop.ask("eve", method, path, json={**whole, "rank": 5})).status_code == 403
    assert (await shop.ask("eve", "GET", own)).json() == shop.own

    assert "cost" not in shop.own
    for query, status in (
        ("fields=cost", 403),
        ("sort=cost", 403),
        ("cost__gt=1", 403),
        ("fields=password_hash", 400),
        ("sort=password_hash", 400),
        ("include=author.secret", 400),
    ):
        answer = await shop.ask("eve", "GET", f"/books?{query}")
        assert answer.status_code == status, query
        assert "5000" not in answer.text
    assert (await shop.ask("eve", "GET", "/books/aggregate?total=max:cost")).status_code == 403
    assert "cost" not in (await shop.ask("eve", "GET", "/books/export")).text
    nothing = await shop.ask("eve", "PATCH", own, json={})
    assert "cost" not in nothing.json()


async def test_api5_who_may_not_has_no_way_around(shop: Shop) -> None:
    own, body = f"/books/{shop.book['id']}", {"title": "x"}
    whole = {"isbn": "i", "title": "t", "author_id": shop.author["id"]}
    for method, path, how in (
        ("POST", "/books", {"json": whole}),
        ("PATCH", own, {"json": body}),
        ("PUT", own, {"json": whole}),
        ("DELETE", own, {}),
        ("POST", f"{own}/purge", {}),
        ("POST", f"{own}/retitle", {"json": body}),
        ("POST", "/books/bulk", {"json": {"items": [{"delete": {"key": shop.book["id"]}}]}}),
        ("POST", "/books/import", {"content": b"{}", "headers": {"content-type": "application/x-ndjson"}}),
        ("GET", "/books/export", {}),
        ("GET", "/books", {}),
    ):
        answer = await shop.ask("bob", method, path, **how)
        assert answer.status_code == 403, (method, path)
    for name in ("x-http-method-override", "x-http-method", "x-method-override"):
        answer = await shop.ask("ada", "GET", own, headers={name: "DELETE"})
        assert (answer.status_code, answer.json()) == (200, shop.book)
    traced = await shop.ask("bob", "TRACE", own)
    assert (traced.status_code, "GET" in traced.headers["allow"]) == (405, True)
    for path in ("//books", "/%62ooks", "/books;", "/books/;", f"{own};x=1", f"/.{own}", f"//{own}"):
        # A relative URL that begins with two slashes would name another host.
        answer = await shop.ask("bob", "GET", f"http://shop.test{path}")
        assert answer.status_code in {403, 404, 422}, path
    assert (await shop.ask("ada", "GET", own)).json() == shop.book
