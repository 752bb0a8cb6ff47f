"""Calls that others are in the way of, and what their callers and the metrics are told."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx2

from fastapi_easy.bootstrap import create_app
from tests.e2e.serving import client_of
from tests.faults.outages.parcels import post_at
from tests.faults.outages.rivals import TABLE, administer, mongo_rival, sql_rival
from tests.services.wanted import empty_database

LOCK_TIMEOUT: Final = 0.1
"""Seconds; MariaDB makes a whole one of it."""

_PLPGSQL: Final = "BEGIN RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001'; END"
_SIGNAL: Final = "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1020, MESSAGE_TEXT = 'Record has changed'"
_TRIGGER: Final = f"CREATE TRIGGER conflict BEFORE UPDATE ON {TABLE} FOR EACH ROW"

_RAISES: Final = {
    "postgres": (
        f"CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS $$ {_PLPGSQL} $$",
        f"{_TRIGGER} EXECUTE FUNCTION conflict()",
    ),
    "mariadb": (f"{_TRIGGER} {_SIGNAL}",),
}
"""What makes every change of a row conflict with another one, as a serializable transaction would."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the caller was told, and how many attempts the metrics count that were retried, and that were not."""

    status: int
    code: str
    has_retry_after: bool
    retried: int
    given_up: int


async def lock_wait_timeout(store: str) -> Told:
    """Change a row that a rival has locked."""
    with empty_database(store) as url:
        async with _serving(url) as client:
            with sql_rival(url) as rival:
                await rival.run(f"UPDATE {TABLE} SET weight = 9 WHERE id = 1")
                told = await _told(client, "lock_wait_timeout", lambda: _change(client))
                await rival.roll_back()
            return told


async def serialization_conflict(store: str) -> Told:
    """Change what a rival changes at the same time."""
    with empty_database(store) as url:
        async with _serving(url) as client:
            if store == "mongo":
                with mongo_rival(url, 1):
                    return await _told(client, "serialization_conflict", lambda: _change_many(client))
            administer(url, *_RAISES[store])
            return await _told(client, "serialization_conflict", lambda: _change(client))


@asynccontextmanager
async def _serving(url: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(create_app(post_at(url, lock_timeout=LOCK_TIMEOUT))) as client:
        client.timeout = httpx2.Timeout(60)
        for name in ("first", "second"):
            made = await client.post("/parcels", json={"name": name})
            assert made.status_code == 201
        yield client


async def _change(client: httpx2.AsyncClient) -> httpx2.Response:
    return await client.patch("/parcels/1", json={"weight": 1})


async def _change_many(client: httpx2.AsyncClient) -> httpx2.Response:
    items = [{"update": {"key": key, "set": {"weight": 1}}} for key in (1, 2)]
    return await client.post("/parcels/bulk", json={"atomic": True, "items": items})


async def _told(
    client: httpx2.AsyncClient, code: str, call: Callable[[], Awaitable[httpx2.Response]]
) -> Told:
    answer = await call()
    body: dict[str, Any] = answer.json()
    metrics = (await client.get("/metrics")).text
    retried, given_up = (_count(metrics, code, each) for each in ("yes", "no"))
    return Told(answer.status_code, str(body.get("code")), "retry-after" in answer.headers, retried, given_up)


def _count(metrics: str, reason: str, retried: str) -> int:
    labels = (
        f'fastapi_easy_failed_attempts_total{{database="default",reason="{reason}",retried="{retried}"}} '
    )
    return sum(
        int(float(each.removeprefix(labels))) for each in metrics.splitlines() if each.startswith(labels)
    )
