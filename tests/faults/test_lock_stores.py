"""Locks while their store restarts, loses connections or does not answer, and while the application's pool is empty."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import time
import uuid

import psycopg
import pymongo
import pymysql
import pytest
import redis
from returns.result import Success
from sqlalchemy import make_url

from fastapi_easy.application.locks.lock_manager import LockManager
from fastapi_easy.domain import LeaseLost, LockUnavailable
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.locks.mongo import MongoLeaseStore
from fastapi_easy.infrastructure.persistence.mongo.connection import MongoDatabase
from fastapi_easy.infrastructure.persistence.mongo.driver.options import ConnectionOptions as MongoOptions
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.relational.options import ConnectionOptions
from fastapi_easy.testing.conformance.locks.lease_suite import eventually
from tests.faults.processes import locks_at
from tests.services.obtain import RECIPES
from tests.services.service import Unavailable, await_ready
from tests.services.wanted import required

MOST_CONNECTIONS = 3


@pytest.fixture
def lock():
    return f"fault:{uuid.uuid4().hex}"


@contextlib.asynccontextmanager
async def locks_of(url):
    locks = locks_at(url)
    yield locks
    await locks.aclose()


def others_on_postgres(url):
    """The sessions in the database at *url*, but for this one."""
    with psycopg.connect(url, autocommit=True) as connection:
        asked = (
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return [pid for (pid,) in connection.execute(asked).fetchall()]


def cut_on_postgres(url):
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@contextlib.contextmanager
def root_of_mariadb(url):
    parts = make_url(url)
    with (
        contextlib.closing(
            pymysql.connect(host=parts.host, port=parts.port, user=parts.username, autocommit=True)
        ) as connection,
        connection.cursor() as cursor,
    ):
        yield parts.database, cursor


def others_on_mariadb(url):
    with root_of_mariadb(url) as (database, cursor):
        cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", (database,))
        return [number for (number,) in cursor.fetchall()]


def cut_on_mariadb(url):
    with root_of_mariadb(url) as (_, cursor):
        for number in others_on_mariadb(url):
            cursor.execute(f"KILL CONNECTION {int(number)}")


def others_on_redis(url):
    with contextlib.closing(redis.Redis.from_url(url)) as root:
        mine = root.client_id()
        place = root.connection_pool.connection_kwargs["db"]
        return [
            each["id"] for each in root.client_list() if int(each["db"]) == place and int(each["id"]) != mine
        ]


def cut_on_redis(url):
    with contextlib.closing(redis.Redis.from_url(url)) as root:
        for number in others_on_redis(url):
            root.client_kill_filter(_id=number)


SESSIONS = {
    "postgres": (others_on_postgres, cut_on_postgres),
    "mariadb": (others_on_mariadb, cut_on_mariadb),
}
SERVERS = {**SESSIONS, "redis": (others_on_redis, cut_on_redis)}


@pytest.mark.parametrize("server", SERVERS)
async def test_two_hundred_locks_need_three_connections(server, request, lock):
    url, (others, _) = request.getfixturevalue(f"{server}_url"), SERVERS[server]
    known = len(await asyncio.to_thread(others, url))

    # Not all at once: on a busy machine the last of two hundred would wait too long for a connection.
    beginning = asyncio.Semaphore(20)

    async def hold_a_while(number, gate):
        if number >= 200:
            async with locks.hold(f"{lock}:{number % 200}", ttl=20, wait=120) as lease:
                lease.check()
            return
        scope = locks.hold(f"{lock}:{number}", ttl=20, wait=120)
        async with beginning:
            lease = await scope.__aenter__()
        try:
            await gate.wait()
            lease.check()
        finally:
            await scope.__aexit__(None, None, None)

    async with locks_of(url) as locks:
        gate = asyncio.Event()
        tasks = [asyncio.ensure_future(hold_a_while(number, gate)) for number in range(220)]
        await eventually(lambda: locks.held == 200, 120)
        # Long enough for each to be renewed.
        await asyncio.sleep(7)
        connections = len(await asyncio.to_thread(others, url)) - known
        gate.set()
        _ = await asyncio.gather(*tasks)

    print(f"\n{server}: 200 locks held and 20 waited for on {connections} connections")
    assert 1 <= connections <= MOST_CONNECTIONS


async def test_two_hundred_locks_in_mongo_need_two_connections_besides_those_that_watch_the_server(
    mongo_url, lock
):
    called = f"locks-{uuid.uuid4().hex[:12]}"

    def connections():
        asked = [
            {"$currentOp": {"idleConnections": True, "allUsers": True}},
            {"$match": {"clientMetadata.application.name": called}},
        ]
        with pymongo.MongoClient(mongo_url) as root:
            return len(list(root.admin.aggregate(asked)))

    async def hold_a_while(number, gate):
        async with locks.hold(f"{lock}:{number}", ttl=20, wait=120) as lease:
            await gate.wait()
            lease.check()

    async with locks_of(f"{mongo_url}&appName={called}") as locks:
        gate = asyncio.Event()
        tasks = [asyncio.ensure_future(hold_a_while(number, gate)) for number in range(200)]
        await eventually(lambda: locks.held == 200, 120)
        # Long enough for each to be renewed.
        await asyncio.sleep(7)
        counted, pool = await asyncio.to_thread(connections), locks.store.pool
        gate.set()
        _ = await asyncio.gather(*tasks)

    print(f"\nmongo: 200 locks held on {pool.open} connections, {counted} with those that watch the server")
    assert 1 <= pool.open <= 2
    assert counted <= 2 + 2


@pytest.mark.parametrize("server", SERVERS)
async def test_a_lease_outlives_the_connections_it_was_granted_on(server, request, lock):
    url, (_, cut) = request.getfixturevalue(f"{server}_url"), SERVERS[server]
    async with locks_of(url) as locks, locks.hold(lock, ttl=1.5) as lease:
        token = lease.token
        for _ in range(3):
            await asyncio.to_thread(cut, url)
            await asyncio.sleep(0.7)
            lease.check()
        (held,) = (await locks.inspect(lock)).unwrap()

    assert held.token == token


@pytest.mark.parametrize("server", SESSIONS)
async def test_a_lock_of_a_session_is_lost_with_its_connection(server, request, lock):
    url, (_, cut) = request.getfixturevalue(f"{server}_url"), SESSIONS[server]
    async with locks_of(f"session+{url}") as locks:
        begun = 0.0

        async def work():
            nonlocal begun
            async with locks.hold(lock, ttl=3):
                await asyncio.to_thread(cut, url)
                begun = time.monotonic()
                await asyncio.sleep(300)

        with pytest.raises(LeaseLost):
            await work()
        # Left alone, the work would have taken minutes.
        assert time.monotonic() - begun <= 60

        async with locks.hold(lock, wait=30):
            pass


@pytest.mark.parametrize("server", SESSIONS)
async def test_locks_go_on_while_the_pool_of_the_application_is_empty(server, request, lock):
    url = request.getfixturevalue(f"{server}_url")
    database = SqlAlchemyDatabase("default", url, ConnectionOptions(pool_size=1, pool_timeout=0.2))
    taken = await database.executor.pool.check_out()
    try:
        async with locks_of(url) as locks:
            async with locks.hold(lock, ttl=0.6) as lease:
                await asyncio.sleep(1.0)
                lease.check()
            async with locks.hold(lock, wait=0):
                pass
    finally:
        database.executor.pool.check_in(taken)
        await database.close()


async def test_locks_go_on_while_the_pool_of_an_application_on_mongo_is_empty(mongo_url, lock):
    database = MongoDatabase("default", mongo_url, MongoOptions(pool_size=1, pool_timeout=0.2))
    locks = LockManager(MongoLeaseStore(mongo_url, database), SystemClock())
    taken = asyncio.ensure_future(database.client.call(lambda: asyncio.sleep(1.5)))
    async with locks.hold(lock, ttl=0.6) as lease:
        await asyncio.sleep(1.0)
        lease.check()
        assert (database.pool.in_use, taken.done()) == (1, False)
    await taken
    await locks.aclose()
    await database.close()


@contextlib.contextmanager
def own_server(name):
    """A server that the test may do with as it likes."""
    recipe = RECIPES[name]
    program = recipe.locate()
    if program is None:
        (pytest.fail if required() else pytest.skip)(f"There is no program of {name} to start.")
    try:
        service = recipe.start(program)
    except Unavailable as reason:
        pytest.skip(str(reason))
    try:
        yield service
    finally:
        service.stop()


def crash_and_restart(service):
    """End the server without any order, and start it anew on the same files."""
    command = service.process.args
    if service.name == "postgres":
        # Its children have to end too.
        (postmaster, *_) = (service.folder / "data" / "postmaster.pid").read_text().splitlines()
        os.kill(int(postmaster), signal.SIGQUIT)
    else:
        service.process.kill()
    service.process.wait(10)
    service.process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=service.folder,
    )
    await_ready(service, lambda: RECIPES[service.name].answers(service.url))


@pytest.mark.parametrize(("server", "ttl"), [("postgres", 8), ("mariadb", 12), ("mongo", 24)])
async def test_a_lease_outlives_a_crash_of_the_server(server, ttl, lock):
    with own_server(server) as service:
        url = service.url
        async with locks_of(url) as locks, locks_of(url) as others:
            async with locks.hold(lock, ttl=ttl) as lease:
                await asyncio.sleep(1.2)  # some of them write without waiting for the disk
                await asyncio.to_thread(crash_and_restart, service)
                crashed = lease.remaining
                await eventually(lambda: lease.remaining > crashed, ttl)
                (held,) = (await others.inspect(lock)).unwrap()
                lease.check()

            assert held.token == lease.token
            async with others.hold(lock, wait=1) as after:
                assert after.token > lease.token


@pytest.mark.parametrize("server", SESSIONS)
async def test_a_lock_of_a_session_does_not_outlive_a_crash_of_the_server(server, lock):
    with own_server(server) as service:
        async with (
            locks_of(f"session+{service.url}") as sessions,
            sessions.hold(lock, on_lost="event") as session,
        ):
            await asyncio.to_thread(crash_and_restart, service)
            async with asyncio.timeout(60):
                await session.lost.wait()


async def test_a_redis_that_may_forget_leases_says_so():
    recipe = RECIPES["redis"]
    program = recipe.locate()
    if program is None:
        (pytest.fail if required() else pytest.skip)("There is no program of Redis to start.")
    service = recipe.start(program)
    try:
        with contextlib.closing(redis.Redis.from_url(service.url)) as root:
            async with locks_of(service.url) as locks:
                assert await locks.check() == Success(())
                root.config_set("maxmemory", "100mb")
                root.config_set("maxmemory-policy", "allkeys-lru")
                (sentence,) = (await locks.check()).unwrap()
    finally:
        service.stop()

    assert "allkeys-lru" in sentence


@pytest.mark.parametrize(
    "scheme", ["postgresql", "mysql", "redis", "mongodb", "session+postgresql", "session+mysql"]
)
async def test_a_store_that_is_not_there_is_unavailable_within_moments(scheme, lock):
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    begun = time.monotonic()
    user = "" if scheme in {"redis", "mongodb"} else "root@"
    async with locks_of(f"{scheme}://{user}127.0.0.1:{port}/0") as locks:
        with pytest.raises(LockUnavailable):
            async with locks.hold(lock, wait=0):
                pass
        seconds = time.monotonic() - begun

    assert seconds <= 4
