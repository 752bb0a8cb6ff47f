"""A disk that fills up under writes: its own answer, nothing lost and nothing half done, and writes again with room.

The disks are file systems in memory, which only root may make.
"""

import asyncio
import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pymysql
from sqlalchemy import make_url
from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import Settings
from tests.e2e.serving import client_of
from tests.faults.report.figure import Figure
from tests.services.obtain import obtain
from tests.services.scratch import drop_scratch_database, scratch_database

FAULT = "Full disk"
SMALL, LARGE = 16, 64
"""Megabytes of a disk before and after somebody has made room."""
CONTENT = secrets.token_urlsafe(5_000)
"""What no server makes smaller, of a size that MariaDB keeps within the row: it ends itself without the room to take
back what is beside a row."""
WRITERS = 4


class MeasuredCrate(SQLModel, table=True):
    """Something that takes room."""

    id: int | None = Field(default=None, primary_key=True)
    content: str = Field(max_length=8_000)


class Depot(Container):
    """Crates."""

    crates = resource(MeasuredCrate)


async def measured() -> list[Figure]:
    """Return what becomes of writes while a disk is full, and afterwards."""
    if os.geteuid() != 0:
        return [
            Figure(FAULT, "measured by root, who may make small disks", "-", "not root", "root", met=False)
        ]
    found: list[Figure] = []
    for server, disk in (("SQLite", _sqlite), ("PostgreSQL", _postgres), ("MariaDB", _mariadb)):
        with disk() as (url, folder):
            found += await _filled(server, url, folder)
    return found


async def _filled(server: str, url: str, folder: Path) -> list[Figure]:
    depot: Any = Depot
    chosen = {"url": url, "migrations": "auto"}
    app = create_app(depot(settings=Settings.model_validate({"databases": {"default": chosen}})))
    async with client_of(app) as client:
        kept: set[int] = set()
        refusals = await asyncio.gather(*(_fill(client, kept) for _ in range(WRITERS)))
        bulk = await client.post(
            "/crates/bulk", json={"items": [{"create": {"content": CONTENT}}] * 20, "atomic": True}
        )
        refusals = [*refusals, _told(bulk)]
        stored = await _stored(client)
        ready = (await client.get("/health/ready")).status_code
        _resize(folder, LARGE)
        again = await client.post("/crates", json={"content": CONTENT})
    wanted = "507 storage_full"
    told = sorted(set(refusals))
    differ = len(kept ^ stored)
    return [
        Figure(FAULT, "answers to writes without room", server, ", ".join(told), wanted, told == [wanted]),
        Figure(
            FAULT,
            f"entities lost or half written, of {len(kept)} that were answered 201",
            server,
            str(differ),
            "0",
            differ == 0 and bool(kept),
        ),
        Figure(FAULT, "readiness meanwhile", server, str(ready), "200", ready == 200),
        Figure(
            FAULT,
            "a write once there is room",
            server,
            str(again.status_code),
            "201",
            again.status_code == 201,
        ),
    ]


async def _fill(client: httpx2.AsyncClient, kept: set[int]) -> str:
    """Create crates until one is refused, and return what was said then."""
    while True:
        answer = await client.post("/crates", json={"content": CONTENT})
        if answer.status_code != 201:
            return _told(answer)
        kept.add(answer.json()["id"])


def _told(answer: httpx2.Response) -> str:
    return f"{answer.status_code} {answer.json().get('code', '')}"


async def _stored(client: httpx2.AsyncClient) -> set[int]:
    """The keys of the crates that are stored as they were sent."""
    found: set[int] = set()
    path = "/crates?limit=100&sort=id"
    cursor: str | None = ""
    while cursor is not None:
        page = (await client.get(path + cursor)).json()
        found |= {each["id"] for each in page["items"] if each["content"] == CONTENT}
        cursor = None if page["next_cursor"] is None else f"&cursor={page['next_cursor']}"
    return found


@contextmanager
def _sqlite() -> Iterator[tuple[str, Path]]:
    with tempfile.TemporaryDirectory(prefix="fastapi-easy-disk-") as name, _disk(Path(name), os.geteuid()):
        yield f"sqlite:///{name}/depot.db", Path(name)


@contextmanager
def _postgres() -> Iterator[tuple[str, Path]]:
    service = obtain("postgres")
    url = scratch_database(service)
    name = str(make_url(url).database)
    with psycopg.connect(service.url, autocommit=True) as connection:
        data = Path(str(connection.execute("SHOW data_directory").fetchone()[0]))  # type: ignore[index]
        folder = data / f"small_{name}"
        folder.mkdir()
        with _disk(folder, data.stat().st_uid):
            try:
                _ = connection.execute(f"CREATE TABLESPACE {name} LOCATION '{folder}'")
                _ = connection.execute(f'ALTER DATABASE "{name}" SET TABLESPACE {name}')
                yield url, folder
            finally:
                drop_scratch_database(service, url)
                _ = connection.execute(f"DROP TABLESPACE {name}")
        folder.rmdir()


@contextmanager
def _mariadb() -> Iterator[tuple[str, Path]]:
    service = obtain("mariadb")
    url = scratch_database(service)
    place = make_url(service.url)
    with (
        contextlib.closing(
            pymysql.connect(
                host=str(place.host),
                port=place.port or 3306,
                user=str(place.username),
                password=place.password or "",
            )
        ) as connection,
        connection.cursor() as cursor,
    ):
        _ = cursor.execute("SELECT @@datadir")
        folder = Path(cursor.fetchone()[0]) / str(make_url(url).database)
        owner = folder.stat().st_uid
        options = (folder / "db.opt").read_bytes()
        with _disk(folder, owner):
            _ = (folder / "db.opt").write_bytes(options)
            os.chown(folder / "db.opt", owner, -1)
            try:
                yield url, folder
            finally:
                _ = cursor.execute(
                    f"DROP TABLE IF EXISTS `{make_url(url).database}`.`{MeasuredCrate.__tablename__}`"
                )
        drop_scratch_database(service, url)


@contextmanager
def _disk(folder: Path, owner: int) -> Iterator[None]:
    """A small file system at *folder*, which belongs to *owner*."""
    _mount("-t", "tmpfs", "-o", f"size={SMALL}m,mode=700,uid={owner}", "tmpfs", str(folder))
    try:
        yield
    finally:
        _ = subprocess.run([str(shutil.which("umount")), str(folder)], check=True)


def _resize(folder: Path, megabytes: int) -> None:
    _mount("-o", f"remount,size={megabytes}m", str(folder))


def _mount(*arguments: str) -> None:
    _ = subprocess.run([str(shutil.which("mount")), *arguments], check=True)
