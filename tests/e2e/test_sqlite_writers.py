"""Writers of a SQLite file wait for one another, and readers wait for nobody."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import Settings
from tests.e2e.serving import client_of

POOL = 3
WRITERS = 12


class QueuedNote(SQLModel, table=True):
    """A note."""

    id: int | None = Field(default=None, primary_key=True)
    words: str


class Shop(Container):
    """Notes."""

    notes = resource(QueuedNote)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "notes.db"


@pytest.fixture
async def client(file: Path) -> AsyncIterator[httpx2.AsyncClient]:
    shop: Any = Shop
    chosen = {"url": f"sqlite:///{file}", "pool_size": POOL}
    app = create_app(shop(settings=Settings.model_validate({"databases": {"default": chosen}})))
    async with client_of(app) as opened:
        yield opened


async def waiting(client: httpx2.AsyncClient) -> int:
    """How many calls wait for a connection, or for their turn."""
    pool = (await client.get("/health/ready")).json()["dependencies"]["default"]["pool"]
    return int(pool["waiting"])


async def write_all(client: httpx2.AsyncClient, kind: str) -> list[asyncio.Task[httpx2.Response]]:
    """Begin twelve writes, and wait until all of them but one are in the queue."""
    path, body = {
        "creates": ("/notes", {"words": "one"}),
        "units of work": ("/notes/bulk", {"items": [{"create": {"words": "one"}}] * 2}),
    }[kind]
    begun = [asyncio.create_task(client.post(path, json=body)) for _ in range(WRITERS)]
    async with asyncio.timeout(20):
        while await waiting(client) < WRITERS - 1:  # noqa: ASYNC110 - it can only be asked for
            await asyncio.sleep(0.01)
    return begun


@pytest.mark.parametrize("kind", ["creates", "units of work"])
async def test_reads_are_answered_while_all_writers_wait_for_another_process(
    client: httpx2.AsyncClient, file: Path, kind: str
) -> None:
    assert (await client.post("/notes", json={"words": "zero"})).status_code == 201
    # Closed in the thread of the test, which made it; another process would do the same.
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        _ = other.execute("BEGIN IMMEDIATE")
        begun = await write_all(client, kind)

        reads = [await client.get("/notes/1") for _ in range(3 * POOL)]
        together = await asyncio.gather(*(client.get("/notes") for _ in range(POOL - 1)))
        _ = other.execute("COMMIT")
        written = await asyncio.gather(*begun)

    assert [each.status_code for each in [*reads, *together]] == [200] * (4 * POOL - 1)
    assert {each.status_code for each in written} <= {200, 201}, [each.text for each in written]
    counted = (await client.get("/notes?count=exact&limit=1")).json()["total"]
    assert counted == 1 + WRITERS * (1 if kind == "creates" else 2)
    assert await waiting(client) == 0
