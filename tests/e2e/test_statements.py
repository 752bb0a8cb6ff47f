"""How many statements reach the database: the same for one entity and for a hundred."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from fastapi_easy.bootstrap import create_app
from fastapi_easy.domain import Capability
from fastapi_easy.settings import Settings
from tests.e2e.library import Library
from tests.e2e.serving import client_of
from tests.e2e.stores import SQL_STORES, empty_store
from tests.e2e.wiretap import overheard

PAGES = (1, 2, 10, 100)


@dataclass
class Tap:
    """A shop with a hundred books, and what it says to its database."""

    client: httpx2.AsyncClient
    said: list[str]
    returns: bool
    is_mariadb: bool

    async def statements(
        self, method: str, path: str, body: Any = None, *, if_match: str | None = None
    ) -> list[str]:
        """What is said for one request, without what begins a transaction and makes it durable."""
        self.said.clear()
        headers = {} if if_match is None else {"if-match": if_match}
        answer = await self.client.request(method, path, json=body, headers=headers)
        assert answer.is_success, answer.text
        self.commits = sum(1 for each in self.said if each == "COMMIT")
        return [each for each in self.said if not each.startswith(("BEGIN", "START", "COMMIT"))]


def new_book() -> dict[str, Any]:
    return {"isbn": uuid.uuid4().hex, "title": "T", "author_id": 1}


@pytest.fixture(scope="module", params=SQL_STORES)
async def tap(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tap]:
    with empty_store(request.param, tmp_path_factory.mktemp("tapped")) as own:
        async with overheard(own) as (url, said):
            library: Any = Library
            settings = Settings.model_validate({"databases": {"default": {"url": url}}})
            app = create_app(library(settings=settings))
            async with client_of(app) as client:
                database = app.state.container.databases.providers["default"]()
                returns = Capability.RETURNING in database.capabilities
                tapped = Tap(client, said, returns, is_mariadb=request.param == "mariadb")
                await _fill(client)
                yield tapped


async def _fill(client: httpx2.AsyncClient) -> None:
    for name in ("Ada", "Zoe"):
        assert (await client.post("/authors", json={"name": name})).status_code == 201
    books = [{"create": {**new_book(), "author_id": number % 2 + 1}} for number in range(100)]
    keys = [
        each["key"] for each in (await client.post("/books/bulk", json={"items": books})).json()["results"]
    ]
    reviews = [{"create": {"book_id": key, "stars": stars}} for key in keys for stars in (1, 5)]
    assert (await client.post("/reviews/bulk", json={"items": reviews})).status_code == 200
    # What is found out about the database once.
    for path in ("/books?include=author,reviews", "/books/1"):
        assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize("limit", PAGES)
async def test_each_include_is_one_statement_whatever_the_page(tap: Tap, limit: int) -> None:
    said = await tap.statements("GET", f"/books?include=author,reviews&limit={limit}")

    assert len(said) == 3, said
    assert all(each.startswith(("SELECT", "WITH")) for each in said)


@pytest.mark.parametrize("limit", PAGES)
async def test_an_include_of_an_include_is_one_more(tap: Tap, limit: int) -> None:
    said = await tap.statements("GET", f"/authors?include=books.reviews&limit={limit}&books.limit={limit}")

    assert len(said) == 3, said


async def test_a_plain_list_and_a_plain_read_are_one_statement(tap: Tap) -> None:
    assert len(await tap.statements("GET", "/books?limit=100")) == 1
    assert len(await tap.statements("GET", "/books?reviews.stars__gte=5&sort=author.name&limit=100")) == 1
    assert len(await tap.statements("GET", "/books?limit=100&count=exact")) == 1
    assert len(await tap.statements("GET", "/books/1")) == 1
    assert len(await tap.statements("GET", "/books/1?include=author,reviews")) == 3


async def test_a_create_is_one_statement_where_the_store_returns_what_it_stored(tap: Tap) -> None:
    said = await tap.statements("POST", "/books", new_book())

    assert len(said) == (1 if tap.returns else 2), said
    # A statement that stands alone needs none.
    assert tap.commits == (0 if tap.returns else 1)


async def test_a_change_is_one_statement_where_the_store_returns_what_it_stored(tap: Tap) -> None:
    created = (await tap.client.post("/books", json=new_book())).json()
    path, version = f"/books/{created['id']}", f'"{created["version"]}"'

    plain = await tap.statements("PATCH", f"/authors/{created['author_id']}", {"country": "FR"})
    plain_commits = tap.commits
    guarded = await tap.statements("PATCH", path, {"title": "Changed"}, if_match=version)

    # MariaDB answers what it inserts, but not what it updates.
    expected = (1, 0) if tap.returns and not tap.is_mariadb else (2, 1)
    assert (len(plain), plain_commits) == expected, plain
    assert (len(guarded), tap.commits) == expected, guarded


async def test_many_creates_take_few_statements(tap: Tap) -> None:
    few = await tap.statements("POST", "/books/bulk", {"items": [{"create": new_book()} for _ in range(2)]})
    many = await tap.statements("POST", "/books/bulk", {"items": [{"create": new_book()} for _ in range(50)]})

    assert tap.commits == 1
    if tap.returns:
        assert (len(few), len(many)) == (1, 1)
