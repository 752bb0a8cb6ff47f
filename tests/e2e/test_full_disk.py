"""A disk without room: a clear word, nothing half done, reads go on, and so do writes once there is room again.

SQLite, whose files may have so many pages at most.
`tests.faults.report --only full_disk` fills the disks of servers.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import Engine, String, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import Settings
from tests.e2e.serving import client_of

PAGES = 160
LARGE = "x" * 30_000


class Base(DeclarativeBase):
    """The tables of this module."""


class Crate(Base):
    """Something that takes room."""

    __tablename__ = "stored_crate"

    id: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[str] = mapped_column(String(50_000))


class Depot(Container):
    """Crates."""

    crates = resource(Crate)


@pytest.fixture
def small_disk() -> Iterator[None]:
    """Let no file of SQLite have more than so many pages."""

    def limit(connection: Any, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count = {PAGES}")
        cursor.close()

    event.listen(Engine, "connect", limit)
    yield
    event.remove(Engine, "connect", limit)


@pytest.fixture
async def client(small_disk: None, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    depot: Any = Depot
    url = f"sqlite:///{tmp_path / 'depot.db'}"
    app = create_app(depot(settings=Settings.model_validate({"databases": {"default": {"url": url}}})))
    async with client_of(app) as opened:
        yield opened


async def fill(client: httpx2.AsyncClient) -> httpx2.Response:
    """Create crates until one is refused, and return the refusal."""
    for _ in range(PAGES):
        answer = await client.post("/crates", json={"content": LARGE})
        if answer.status_code != 201:
            return answer
    raise AssertionError("there was room for all of them")


async def stored(client: httpx2.AsyncClient) -> list[tuple[int, int]]:
    """The keys of the crates, and how much is in each."""
    answer = await client.get("/crates?sort=id&limit=100")
    assert answer.status_code == 200, answer.text
    return [(each["id"], len(each["content"])) for each in answer.json()["items"]]


async def test_a_full_disk_has_its_own_answer(client: httpx2.AsyncClient) -> None:
    refused = await fill(client)

    assert refused.status_code == 507, refused.text
    assert (refused.json()["code"], refused.json()["detail"]) == (
        "storage_full",
        "The store has no room left for the change; nothing was changed.",
    )
    assert "retry-after" not in refused.headers
    assert (await client.get("/health/ready")).json()["status"] == "ready"


async def test_nothing_is_half_done_when_the_disk_is_full(client: httpx2.AsyncClient) -> None:
    _ = await fill(client)
    before = await stored(client)

    answers = [
        await client.patch("/crates/1", json={"content": LARGE + LARGE[:20_000]}),
        await client.put("/crates/2", json={"content": LARGE + LARGE[:20_000]}),
        await client.post("/crates/bulk", json={"items": [{"create": {"content": LARGE}}] * 3}),
    ]

    assert [each.json()["code"] for each in answers] == ["storage_full"] * 3
    assert await stored(client) == before


async def test_an_import_stops_at_a_full_disk_and_says_where_to_go_on(client: httpx2.AsyncClient) -> None:
    _ = await fill(client)
    before = await stored(client)
    lines = b"".join(b'{"content": "%s"}\n' % LARGE.encode() for _ in range(3))

    answer = await client.post(
        "/crates/import", content=lines, headers={"content-type": "application/x-ndjson"}
    )

    assert answer.status_code == 507, answer.text
    assert (answer.json()["code"], answer.json()["next_line"]) == ("storage_full", 1)
    assert await stored(client) == before


async def test_the_same_call_works_once_there_is_room(client: httpx2.AsyncClient) -> None:
    _ = await fill(client)
    before = await stored(client)
    retried: dict[str, Any] = {"json": {"content": LARGE}, "headers": {"idempotency-key": "one-crate"}}
    assert (await client.post("/crates", **retried)).json()["code"] == "storage_full"

    # The answer is kept with the idempotency key, and takes as much again.
    removed = [await client.delete(f"/crates/{number}") for number in (1, 2, 3)]
    created = await client.post("/crates", **retried)

    assert [each.status_code for each in removed] == [204] * 3
    assert created.status_code == 201, created.text
    assert "idempotent-replayed" not in created.headers
    assert await stored(client) == [*before[3:], (created.json()["id"], len(LARGE))]
