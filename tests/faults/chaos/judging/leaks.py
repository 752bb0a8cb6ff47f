"""Connections that servers still have when nothing runs any more, as the servers themselves see them."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg
import pymongo
import pymysql
import redis

from tests.faults.chaos.judging.oracle import Violation
from tests.faults.chaos.scene import LOCKS, Scene

QUIET_LIMIT: Final = 30.0
"""Seconds that what was begun may take to end once nobody asks for anything."""
MINE: Final = "chaos-oracle"
MONITORS: Final = {"mongo": 2}
"""Connections of a driver to a server that are not of its pool: it watches whether the server is there."""


def connections(server: str, url: str) -> int:
    """How many connections the server has to the database of the run, but this one."""
    match server:
        case "postgres":
            with psycopg.connect(url) as connection:
                found = connection.execute(
                    "SELECT count(*) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
                ).fetchone()
        case "mariadb":
            parts = urlsplit(url)
            with (
                contextlib.closing(
                    pymysql.connect(
                        host=parts.hostname,
                        port=parts.port or 0,
                        user=parts.username or "root",
                        database=parts.path.lstrip("/"),
                    )
                ) as connection,
                connection.cursor() as cursor,
            ):
                _ = cursor.execute(
                    "SELECT count(*) FROM information_schema.processlist "
                    "WHERE db = database() AND id <> connection_id()"
                )
                found = cursor.fetchone()
        case "mongo":
            found = (len(_mongo_connections(url)),)
        case _:
            with contextlib.closing(redis.Redis.from_url(url, client_name=MINE)) as store:
                found = (sum(each["name"] != MINE for each in store.client_list()),)
    return int(found[0]) if found else 0


def _mongo_connections(url: str) -> dict[int, str]:
    """What the server says of each connection, by its number."""
    with pymongo.MongoClient[dict[str, Any]](url, appname=MINE) as client:
        operations = client.admin.aggregate([{"$currentOp": {"allUsers": True, "idleConnections": True}}])
        return {
            each["connectionId"]: f"{each.get('desc')} from {each['client']}: "
            f"{next(iter(each.get('command', ())), 'idle')}, {each.get('secs_running', 0)} s"
            for each in operations
            if _is_of_others(each)
        }


def _is_of_others(operation: Mapping[str, Any]) -> bool:
    client = operation.get("clientMetadata", {})
    # A member of a replica set is connected with itself.
    is_own = client.get("driver", {}).get("name", "").startswith("NetworkInterfaceTL")
    return "client" in operation and not is_own and client.get("application", {}).get("name") != MINE


async def held(scene: Scene) -> AsyncIterator[Violation]:
    """What is in use though nobody asks for anything, or unknown to the pool that opened it."""
    known = {server: "locks" if server == LOCKS else server for server in scene.servers}
    until = time.monotonic() + QUIET_LIMIT
    # A relay that looks for messages, and a check of health, have a connection for a moment: a leak stays.
    always = await _held_now(scene, known)
    while always and time.monotonic() < until:
        await asyncio.sleep(0.5)
        now = await _held_now(scene, known)
        always = {place: violation for place, violation in now.items() if place in always}
    for each in always.values():
        yield each


async def _held_now(scene: Scene, known: Mapping[str, str]) -> dict[tuple[str, str], Violation]:
    found: dict[tuple[str, str], Violation] = {}
    opened = dict.fromkeys(scene.servers, 0)
    for worker in scene.workers:
        dependencies = (await worker.health("ready"))["dependencies"]
        for server, name in known.items():
            pool = dependencies.get(name, {}).get("pool")
            if pool is None:
                continue
            opened[server] += pool["open"] + MONITORS.get(server, 0)
            if pool["in_use"] or pool["waiting"] or pool["leaked"]:
                said = f"{worker.name} says of {name}: {pool}"
                found[worker.name, server] = Violation("a leaked connection", said)
    for server, number in opened.items():
        there = await asyncio.to_thread(connections, server, scene.urls[server])
        if there > number:
            told = (
                await asyncio.to_thread(_mongo_connections, scene.urls[server]) if server == "mongo" else {}
            )
            said = f"{server} has {there} connections, the pools say {number}; {'; '.join(told.values())}"
            found["", server] = Violation("a leaked connection", said)
    return found


async def left(scene: Scene) -> AsyncIterator[Violation]:
    """What is connected though every worker has ended."""
    for server in scene.servers:
        until = time.monotonic() + QUIET_LIMIT
        while there := await asyncio.to_thread(connections, server, scene.urls[server]):
            if time.monotonic() > until:
                yield Violation("a leaked connection", f"{server} has {there} after all workers have ended")
                break
            await asyncio.sleep(0.2)
