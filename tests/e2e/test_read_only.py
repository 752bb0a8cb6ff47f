"""A database that may only be read, and a user who lacks a privilege: a clear word, and reads go on."""

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import String, make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import Settings
from tests.e2e.prepared_database import database_with, execute
from tests.e2e.serving import client_of

FILL = "INSERT INTO guarded_note (id, words) VALUES (1, 'one')"


class Base(DeclarativeBase):
    """The tables of this module."""


class Note(Base):
    """A note."""

    __tablename__ = "guarded_note"

    id: Mapped[int] = mapped_column(primary_key=True)
    words: Mapped[str | None] = mapped_column(String(40))


class Shop(Container):
    """Notes."""

    notes = resource(Note)


async def client_at(url: str) -> AsyncIterator[httpx2.AsyncClient]:
    shop: Any = Shop
    app = create_app(
        shop(settings=Settings.model_validate({"databases": {"default": {"url": url, "migrations": "off"}}}))
    )
    async with client_of(app) as opened:
        yield opened


@pytest.fixture(params=["sqlite", "sqlite, by its permissions", "postgres+asyncpg", "postgres+psycopg"])
async def reader(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    store, _, by_permissions = request.param.partition(", ")
    if by_permissions and os.geteuid() == 0:
        pytest.skip("root may write every file")
    async with database_with(store, tmp_path, Base, FILL) as url:
        database, protected = str(make_url(url).database), url
        if by_permissions:
            _ = await asyncio.to_thread(Path(database).chmod, 0o400)
        elif store == "sqlite":
            protected = f"sqlite:///file:{database}?mode=ro&uri=true"
        else:
            await execute(url, Base, [f'ALTER DATABASE "{database}" SET default_transaction_read_only = on'])
        async for client in client_at(protected):
            yield client


async def writes_of(client: httpx2.AsyncClient) -> list[httpx2.Response]:
    return [
        await client.post("/notes", json={"words": "two"}),
        await client.put("/notes/1", json={"words": "two"}),
        await client.patch("/notes/1", json={"words": "two"}),
        await client.delete("/notes/1"),
        await client.post("/notes/bulk", json={"items": [{"create": {}}, {"create": {}}]}),
    ]


async def test_a_store_that_is_read_only_refuses_changes_and_answers_reads(
    reader: httpx2.AsyncClient,
) -> None:
    # More often than a circuit breaker would take for silence.
    answers = [each for _ in range(4) for each in await writes_of(reader)]

    assert {(each.status_code, each.json()["code"]) for each in answers} == {(503, "unavailable")}
    assert all("The store is read-only at the moment" in each.json()["detail"] for each in answers)
    assert (await reader.get("/notes")).json()["items"] == [{"id": 1, "words": "one"}]
    ready = (await reader.get("/health/ready")).json()
    assert ready["status"] == "ready"
    assert ready["dependencies"]["default"]["read_only"] is True
    assert ready["dependencies"]["default"].get("breaker", {}).get("opened", 0) == 0


@pytest.mark.parametrize(
    "store", ["postgres+asyncpg", "postgres+psycopg", "mariadb+asyncmy", "mariadb+aiomysql"]
)
async def test_a_user_of_the_database_without_a_privilege_is_refused(store: str, tmp_path: Path) -> None:
    user = f"reader_{uuid.uuid4().hex[:12]}"
    is_postgres = store.startswith("postgres")
    create = f"CREATE ROLE {user} LOGIN" if is_postgres else f"CREATE USER {user}"
    drop = [f"DROP OWNED BY {user}", f"DROP ROLE {user}"] if is_postgres else [f"DROP USER {user}"]
    async with database_with(
        store, tmp_path, Base, FILL, create, f"GRANT SELECT ON guarded_note TO {user}"
    ) as url:
        try:
            own = make_url(url).set(username=user, password=None).render_as_string(hide_password=False)
            async for client in client_at(own):
                answers = await writes_of(client)
                read = await client.get("/notes/1")
                imported = await client.post(
                    "/notes/import",
                    content=json.dumps({"words": "two"}),
                    headers={"content-type": "application/x-ndjson"},
                )
        finally:
            await execute(url, Base, drop)

    assert {(each.status_code, each.json()["code"]) for each in answers} == {(403, "forbidden")}
    assert read.json() == {"id": 1, "words": "one"}
    assert (imported.json()["failed"], imported.json()["errors"][0]["problem"]["code"]) == (1, "forbidden")
