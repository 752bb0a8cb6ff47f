"""Writers of a SQLite file that wait for another process: readers wait for nobody."""

import asyncio
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import Settings
from tests.e2e.serving import client_of
from tests.faults.report.figure import Figure

FAULT = "SQLite with blocked writers"
WRITERS = 24
READS = 300
HELD = 2.0
"""Seconds at least for which another process writes."""


class MeasuredNote(SQLModel, table=True):
    """A note."""

    id: int | None = Field(default=None, primary_key=True)
    words: str


class Shop(Container):
    """Notes."""

    notes = resource(MeasuredNote)


async def measured() -> list[Figure]:
    """Return how reads fare while more writers wait than there are connections."""
    with tempfile.TemporaryDirectory(prefix="fastapi-easy-readers-") as folder:
        file = Path(folder) / "notes.db"
        shop: Any = Shop
        settings = Settings.model_validate({"databases": {"default": {"url": f"sqlite:///{file}"}}})
        async with client_of(create_app(shop(settings=settings))) as client:
            assert (await client.post("/notes", json={"words": "zero"})).status_code == 201
            with closing(sqlite3.connect(file, isolation_level=None)) as other:
                _ = other.execute("BEGIN IMMEDIATE")
                began = time.monotonic()
                writers = [
                    asyncio.create_task(client.post("/notes", json={"words": "one"})) for _ in range(WRITERS)
                ]
                answered, slowest = await _read(client)
                await asyncio.sleep(HELD - (time.monotonic() - began))
                _ = other.execute("COMMIT")
                written = [each.status_code for each in await asyncio.gather(*writers)]
                seconds = time.monotonic() - began
    done = written.count(201)
    blocked = f"while {WRITERS} writers wait on a pool of 10"
    return [
        Figure(
            FAULT,
            f"reads answered {blocked}",
            "SQLite",
            f"{answered} of {READS}",
            str(READS),
            answered == READS,
        ),
        Figure(
            FAULT,
            f"slowest read {blocked}",
            "SQLite",
            f"{slowest * 1000:.0f} ms",
            "<= 500 ms",
            slowest <= 0.5,
        ),
        Figure(
            FAULT,
            "writers that are served after all",
            "SQLite",
            f"{done} of {WRITERS}",
            str(WRITERS),
            done == WRITERS,
        ),
        Figure(
            FAULT,
            f"until the last is, of {HELD:g} s that the other one writes",
            "SQLite",
            f"{seconds:.1f} s",
            "<= 5 s",
            seconds <= 5,
        ),
    ]


async def _read(client: httpx2.AsyncClient) -> tuple[int, float]:
    """How many reads were answered, and how long the slowest took."""
    answered, slowest = 0, 0.0
    for _ in range(READS):
        began = time.monotonic()
        answered += (await client.get("/notes/1")).status_code == 200
        slowest = max(slowest, time.monotonic() - began)
    return answered, slowest
