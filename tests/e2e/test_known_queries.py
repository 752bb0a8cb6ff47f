"""A query string that came before says the same as the first time, and many of them take no more memory."""

from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.interfaces.http.requests import known_queries
from tests.e2e.overriding import MEMORY


@dataclass
class Shelf:
    """Where books stand."""

    name: str
    room: int = 0
    id: int | None = None


class Library(Container):
    """Shelves."""

    shelves = resource(Shelf)


@pytest.fixture
async def client() -> Any:
    app = create_app(Library(settings=MEMORY))
    transport = httpx2.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://test") as made,
    ):
        for number in range(6):
            _ = await made.post("/shelves", json={"name": f"shelf {number}", "room": number % 2})
        yield made


async def names(client: Any, query: str) -> list[str]:
    answer = await client.get(f"/shelves?{query}")
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in answer.json()["items"]]


async def test_the_same_text_is_the_same_query_of_what_is_stored_by_then(client: Any) -> None:
    first = await names(client, "room=1&sort=-id")
    _ = await client.post("/shelves", json={"name": "shelf 7", "room": 1})

    assert first == ["shelf 5", "shelf 3", "shelf 1"]
    assert await names(client, "room=1&sort=-id") == ["shelf 7", *first]
    assert await names(client, "room=1&sort=-id") == ["shelf 7", *first]


async def test_each_page_of_a_walk_leads_to_the_next(client: Any) -> None:
    walked: list[str] = []
    for _ in range(2):
        walked, path = [], "/shelves?limit=2"
        while path:
            answer = await client.get(path)
            walked += [each["name"] for each in answer.json()["items"]]
            link = answer.links.get("next")
            path = link["url"] if link else ""

    assert walked == [f"shelf {number}" for number in range(6)]


async def test_a_mistake_is_told_each_time(client: Any) -> None:
    answers = [await client.get("/shelves?romm=1") for _ in range(3)]

    assert [(each.status_code, each.json()["code"]) for each in answers] == [(400, "bad_query")] * 3


async def test_no_more_than_so_many_are_kept(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_queries, "_MAX_QUERIES", 3)

    for _ in range(2):
        for room in range(9):
            assert len(await names(client, f"room={room}")) == (3 if room < 2 else 0)
