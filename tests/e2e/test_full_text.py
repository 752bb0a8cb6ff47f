"""Full text where it is declared: the same words on every store, found by an index that the schema has for them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import DeclarationError, FullText, QueryRules
from fastapi_easy.domain.migrations.policy import MigrationPolicy
from fastapi_easy.settings import DatabaseSettings, Settings
from tests.e2e.serving import client_of
from tests.e2e.stores import EVERY_STORE, MONGO, empty_store


class Base(DeclarativeBase):
    """The class below."""


class Page(Base):
    """What is written."""

    __tablename__ = "pages"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    title: Mapped[str]
    body: Mapped[str | None]


class Note(BaseModel):
    """The same, as a document."""

    id: int
    title: str
    body: str | None = None


ROWS = (
    ("The Cat sat", "on a mat; snake_case here"),
    ("A dog", None),
    ("ÉTÉ à Zürich", "x@example.com 3.14 e-mail <b>bold</b>"),
    ("Concatenate", "don't stop the dogs"),
    ("ΣΊΣΥΦΟΣ", "漢字 big cats"),
)

FOUND = {
    "cat": [1],
    "CAT  mat": [1],
    "cat dog": [],
    "the": [1, 4],
    "a": [1, 2],
    "the dogs": [4],
    "été": [3],
    "ete": [],
    "zÜRICH": [3],
    "example": [3],
    "x@example.com": [3],
    "14": [3],
    "mail": [3],
    "bold": [3],
    "don't": [4],
    "t": [4],
    "snake_case": [1],
    "concat": [],
    "漢字": [5],
    "σίσυφοσ": [5],
    # Nothing in it is syntax: only words are looked for.
    "+cat -mat": [1],
    "cat*": [1],
    '"cat" (mat)': [1],
    '"cat sat"': [1],
    "cat OR dog": [],
    "title:cat": [],
    "NEAR(cat, 2)": [],
    "cat & !mat": [1],
    "' OR 1=1 --": [],
    "{$ne: 1}": [],
    "cat\\": [1],
    "'": [1, 2, 3, 4, 5],
    " ": [1, 2, 3, 4, 5],
}


def _container(
    store: str, search: Any, url: str, policy: MigrationPolicy = MigrationPolicy.AUTO
) -> Container:
    entity: type[Any] = Note if store == MONGO else Page
    kind: Any = type("Site", (Container,), {"pages": resource(entity, query=QueryRules(search=search))})
    database = DatabaseSettings.model_validate({"url": url, "migrations": policy})
    made: Container = kind(settings=Settings(databases={"default": database}))
    return made


@asynccontextmanager
async def serving(
    store: str, search: Any, url: str, policy: MigrationPolicy = MigrationPolicy.AUTO
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the site."""
    async with client_of(create_app(_container(store, search, url, policy))) as client:
        yield client


async def _fill(client: httpx2.AsyncClient) -> None:
    items = [
        {"create": {"id": key, "title": title, "body": body}}
        for key, (title, body) in enumerate(ROWS, start=1)
    ]
    answer = await client.post("/pages/bulk", json={"items": items})
    assert answer.status_code == 200, answer.text


async def _found(client: httpx2.AsyncClient, q: str, **others: Any) -> list[int]:
    answer = await client.get("/pages", params={"q": q, "sort": "id", **others})
    assert answer.status_code == 200, (q, answer.text)
    return [each["id"] for each in answer.json()["items"]]


SEARCH = FullText("title", "body")


@pytest.mark.parametrize("store", [*EVERY_STORE, MONGO])
async def test_every_store_finds_the_same_words(store: str, tmp_path: Path) -> None:
    with empty_store(store, tmp_path) as url:
        async with serving(store, SEARCH, url) as client:
            await _fill(client)

            found = {q: await _found(client, q) for q in FOUND}

            assert found == FOUND
            # A second start finds nothing to complain of, and what was changed.
            _ = await client.patch("/pages/2", json={"body": "and a cat"})
            _ = await client.patch("/pages/1", json={"title": "The mouse"})
            assert (await client.delete("/pages/4")).status_code == 204
        async with serving(store, SEARCH, url, MigrationPolicy.CHECK) as client:
            if store == "memory":
                return
            assert (await client.get("/health/ready")).status_code == 200
            assert [await _found(client, q) for q in ("cat", "mouse", "dogs", "dog")] == [[2], [1], [], [2]]
            await _is_a_condition_like_others(client)


async def _is_a_condition_like_others(client: httpx2.AsyncClient) -> None:
    _ = [
        await client.post("/pages", json={"id": key, "title": "a fox", "body": f"{key}"})
        for key in range(10, 17)
    ]
    assert (await client.get("/pages/count", params={"q": "fox", "id__gt": 12})).json() == {"count": 4}
    where = '{"or": [{"id": 11}, {"title__contains": "mouse"}]}'
    assert await _found(client, "fox", where=where) == [11]
    seen: list[int] = []
    params: dict[str, Any] = {"q": "fox", "sort": "-id", "limit": 3}
    while True:
        page = (await client.get("/pages", params=params)).json()
        seen += [each["id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert seen == list(range(16, 9, -1))
    totals = await client.get("/pages/aggregate", params={"q": "fox", "total": "count,max:id"})
    assert totals.json()["items"][0]["totals"] == {"count": 7, "max:id": 16}
