"""Two PostgreSQL servers, one of which follows the other, and a load of writes while they change places."""

import asyncio
import contextlib
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

import httpx2
import psycopg
from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import DatabaseSettings, Settings
from tests.e2e.serving import client_of
from tests.services.postgres import POSTGRES, promote, start_standby
from tests.services.service import Service, Unavailable

Change: TypeAlias = Literal["killed", "read-only"]
"""How the primary goes: at once with all its connections, or as one that keeps them and takes no more writes."""

WRITING = "SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL"

QUIET = 20
"""Looks in a row at which nobody writes: each session hears of the setting when it is its turn."""

WRITERS = 8
AFTERWARDS = 20
"""Writes that the new primary has to take until the load ends."""


class Shipment(SQLModel, table=True):
    """Something that is written once."""

    __tablename__ = "failover_shipments"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=40)


class Harbour(Container):
    shipments = resource(Shipment)


@dataclass(frozen=True, slots=True)
class Pair:
    """A primary and its standby, for which each commit waits."""

    primary: Service
    standby: Service

    def url(self, driver: str) -> str:
        """Return the URL that names both, and asks for the one that takes writes."""
        hosts = ",".join(f"127.0.0.1:{urlsplit(each.url).port}" for each in (self.primary, self.standby))
        return f"postgresql+{driver}://postgres@{hosts}/postgres?target_session_attrs=read-write"

    def change(self, how: Change) -> None:
        """End the primary, or let it take no more writes; then promote the standby."""
        if how == "killed":
            assert self.primary.process is not None
            # What was not written out is gone, as with a power failure.
            self.primary.process.send_signal(signal.SIGQUIT)
            self.primary.process.wait(30)
        else:
            with psycopg.connect(self.primary.url, autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET default_transaction_read_only = on")
                connection.execute("SELECT pg_reload_conf()")
                # Whoever still waited for the standby would wait for good, or be told of a commit that it never got.
                quiet = 0
                while quiet < QUIET:
                    quiet = quiet + 1 if connection.execute(WRITING).fetchone() == (0,) else 0
                    time.sleep(0.01)
        promote(self.standby)


@contextlib.contextmanager
def paired() -> Iterator[Pair]:
    """A pair of servers.

    Raises:
        Unavailable: The machine has none to start.
    """
    program = POSTGRES.locate()
    if program is None:
        raise Unavailable("There is no PostgreSQL to start here: apt-get install postgresql.")
    primary = POSTGRES.start(program)
    try:
        standby = start_standby(primary)
        try:
            yield Pair(primary, standby)
        finally:
            standby.stop()
    finally:
        primary.stop()


@dataclass(slots=True)
class Load:
    """What writers were told, by the names that they wrote.

    Attributes:
        acknowledged: Written for certain.

        unknown: The answer to the commit was lost.

        answers: How often each status and code was answered.

        promoted_at: When the new primary had taken over, by the monotonic clock.

        changed_for: Seconds from the end of the old primary until then.

        longest_gap: Seconds without any write, at most.

        written_at: When the last write was acknowledged.

        afterwards: Writes that the new primary has taken.
    """

    acknowledged: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    answers: Counter[tuple[int, str]] = field(default_factory=Counter)
    promoted_at: float | None = None
    changed_for: float = 0.0
    longest_gap: float = 0.0
    written_at: float | None = None
    afterwards: int = 0

    async def write(self, client: httpx2.AsyncClient, writer: int) -> None:
        """Write one name after another; what was refused for certain is written again."""
        number = 0
        while self.afterwards < AFTERWARDS:
            number += 1
            name = f"{writer}-{number}"
            while not await self._is_told(client, name) and self.afterwards < AFTERWARDS:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def _is_told(self, client: httpx2.AsyncClient, name: str) -> bool:
        answer = await client.post("/shipments", json={"name": name})
        code = answer.json().get("code", "")
        self.answers[answer.status_code, code] += 1
        if answer.status_code == 201:
            now = time.monotonic()
            self.longest_gap = max(self.longest_gap, now - (self.written_at or now))
            self.written_at = now
            self.acknowledged.add(name)
            if self.promoted_at is not None:
                self.afterwards += 1
            return True
        if code == "outcome_unknown":
            self.unknown.add(name)
            return True
        return False

    def oracle(self, url: str) -> tuple[set[str], set[str]]:
        """Return which acknowledged names are lost on the server at *url*, and which are there more than once."""
        with psycopg.connect(url) as connection:
            rows = connection.execute("SELECT name FROM failover_shipments").fetchall()
        stored = Counter(name for (name,) in rows)
        return self.acknowledged - set(stored), {name for name, times in stored.items() if times > 1}


@contextlib.asynccontextmanager
async def harbour(url: str, **options: Any) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an application on the database at *url*."""
    database = DatabaseSettings.model_validate({"url": url, **options})
    async with client_of(create_app(Harbour(settings=Settings(databases={"default": database})))) as client:
        yield client


async def change_under_load(
    pair: Pair, driver: str, how: Change, *, before: int = 40, **options: Any
) -> Load:
    """Let the servers of *pair* change places while unique names are written, until the new primary takes them.

    Args:
        pair: The servers.

        driver: Of the application.

        how: The primary goes.

        before: Names that are written until then.

        options: Settings of the database.
    """
    load = Load()
    async with harbour(pair.url(driver), **options) as client, asyncio.TaskGroup() as tasks:
        for writer in range(WRITERS):
            _ = tasks.create_task(load.write(client, writer))
        while len(load.acknowledged) < before:  # noqa: ASYNC110 (writes have no event)
            await asyncio.sleep(0.01)
        begun = time.monotonic()
        await asyncio.to_thread(pair.change, how)
        load.promoted_at = time.monotonic()
        load.changed_for = load.promoted_at - begun
    return load
