"""PostgreSQL behind PgBouncer in transaction mode: ten connections share three sessions, and nobody notices."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from returns.result import Failure, Success
from sqlalchemy import text

from fastapi_easy.bootstrap import create_app
from fastapi_easy.composition.leases import open_session_locks
from fastapi_easy.domain import DeclarationError, Unsupported
from fastapi_easy.domain.locks.lease import Acquired
from fastapi_easy.domain.locks.renewal import Renewal
from fastapi_easy.events import open_relay
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.persistence.sqlalchemy import ConnectionOptions, SqlAlchemyDatabase
from fastapi_easy.migrations import open_migrations
from fastapi_easy.settings import DatabaseSettings, Settings
from tests.e2e.outage import Post
from tests.e2e.relayed import depot
from tests.e2e.serving import client_of
from tests.faults.pooled import found_in_sessions, trips
from tests.services.pgbouncer import PGBOUNCER, POOL_SIZE, start_before
from tests.services.service import with_database
from tests.services.wanted import empty_database

DRIVERS = ["asyncpg", "psycopg"]
CALLS = 30


@pytest.fixture
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with empty_database("pgbouncer") as address:
        yield address.replace("postgresql://", f"postgresql+{getattr(request, 'param', 'asyncpg')}://")


def post(url: str, **options: Any) -> Any:
    database = DatabaseSettings.model_validate({"url": url, "queue_time": 10, "pool_timeout": 10, **options})
    return Post(settings=Settings(databases={"default": database}))


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize(("server", "is_shared"), [("postgres", False), ("pgbouncer", True)])
async def test_a_pooler_is_found_with_the_first_connection(
    driver: str, server: str, is_shared: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="fastapi_easy.connections")
    with empty_database(server) as plain:
        database = SqlAlchemyDatabase("default", plain.replace("postgresql://", f"postgresql+{driver}://"))
        checked = await database.check()
        await database.close()

    assert checked == Success(None)
    assert database.executor.sessions.are_shared == is_shared
    assert caplog.text.count("a connection pooler stands before the database") == is_shared


async def test_a_pooler_that_gives_each_connection_a_session_of_its_own_may_be_named() -> None:
    program = PGBOUNCER.locate()
    if program is None:
        pytest.skip("PgBouncer in another mode is started where its program is: apt-get install pgbouncer")
    with empty_database("postgres") as direct:
        pooler = start_before(program, direct, pool_mode="session")
        try:
            url = with_database(pooler.url, direct.rpartition("/")[2])
            locks = open_session_locks(f"{url}?pooler=session", SystemClock())
            taken = (await locks.try_acquire("report", "me", 5)).unwrap()
            assert isinstance(taken, Acquired)
            found = await locks.renew([Renewal("report", "me", taken.token, 5)])
            await locks.close()
        finally:
            pooler.stop()

    assert found == Success([True])


@pytest.mark.parametrize("url", DRIVERS, indirect=True)
async def test_calls_side_by_side_are_answered_and_leave_nothing_to_other_clients(url: str) -> None:
    async with client_of(create_app(post(url))) as client:
        written = await asyncio.gather(
            *[client.post("/parcels", json={"name": f"parcel {number}"}) for number in range(CALLS)]
        )
        read = await asyncio.gather(
            *[client.get(f"/parcels/{each.json()['id']}") for each in written],
            *[client.get("/parcels", params={"name": f"parcel {number}"}) for number in range(CALLS)],
        )
    found = found_in_sessions(url)

    assert Counter(each.status_code for each in written) == {201: CALLS}
    assert Counter(each.status_code for each in read) == {200: 2 * CALLS}
    assert found == []


@pytest.mark.parametrize("url", DRIVERS, indirect=True)
async def test_types_that_a_driver_has_to_ask_about_leave_nothing_behind(url: str) -> None:
    database = SqlAlchemyDatabase("default", url)
    try:
        _ = await database.executor.run_sync(
            lambda connection: connection.exec_driver_sql("CREATE TYPE mood AS ENUM ('calm')") and None
        )
        moods = [
            (await database.executor.read(text("SELECT ARRAY['calm']::mood[], 'calm'::mood"), {})).rows[0]
            for _ in range(POOL_SIZE)
        ]
    finally:
        await database.close()
    found = found_in_sessions(url)

    assert len(moods) == POOL_SIZE
    assert found == []


@pytest.mark.parametrize("url", DRIVERS, indirect=True)
async def test_a_transaction_is_told_its_limits_and_they_end_with_it(url: str) -> None:
    database = SqlAlchemyDatabase("default", url, ConnectionOptions(statement_timeout=7, lock_timeout=2))
    asked = text(
        "SELECT current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('TimeZone'),"
        " current_setting('idle_in_transaction_session_timeout'), current_setting('transaction_isolation')"
    )
    transaction = database.begin()
    try:
        inside = (await transaction.execute(asked, {})).rows[0]
        await transaction.commit()
        alone = (await database.executor.read(asked, {})).rows[0]
    finally:
        await transaction.close()
        await database.close()

    assert tuple(inside) == ("7s", "2s", "UTC", "15s", "read committed")
    assert tuple(alone) == ("0", "0", "UTC", "0", "read committed")


@pytest.mark.parametrize(
    ("driver", "word", "read", "written"),
    [
        ("asyncpg", "session", 1, 3),
        # A statement that is not kept prepared is described first; the settings go with BEGIN.
        ("asyncpg", "transaction", 2, 4),
        ("psycopg", "session", 1, 3),
        ("psycopg", "transaction", 1, 3),
    ],
)
async def test_settings_are_sent_without_a_round_trip(
    driver: str, word: str, read: int, written: int
) -> None:
    with empty_database("postgres") as url:
        read_in, written_in = await trips(url.replace("postgresql://", f"postgresql+{driver}://"), word)

    assert (read_in, written_in) == (read, written)


async def test_session_locks_are_refused_before_anything_is_locked(url: str) -> None:
    locks = open_session_locks(url, SystemClock())
    try:
        taken = await locks.try_acquire("report", "me", 5)
        problems = (await locks.check()).unwrap()
    finally:
        await locks.close()
    found = found_in_sessions(url)

    assert taken == Failure(
        Unsupported("report", "session locks behind a connection pooler in transaction mode")
    )
    assert problems == [
        "session locks do not work behind a connection pooler in transaction mode: connect to the server directly"
    ]
    assert found == []


async def test_migrations_are_refused_and_leave_nothing_behind(url: str) -> None:
    async with open_migrations(post(url)) as migrations:
        plan = (await migrations.plan()).unwrap()
        applied = await migrations.apply(plan)
    found = found_in_sessions(url)

    assert plan.steps
    assert "session locks do not work behind a connection pooler" in str(applied.failure())
    assert found == []


async def test_hints_are_not_listened_for_which_is_told_once(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    shop = depot(url, notify=True, poll_interval=0.05, idle_poll_interval=0.05)
    async with open_relay(shop) as relay, relay.running(), asyncio.timeout(60):
        while "cannot be heard" not in caplog.text:  # noqa: ASYNC110 (a log has no event)
            await asyncio.sleep(0.01)
        found = found_in_sessions(url)

    told = [each.message for each in caplog.records if "cannot be heard" in each.message]
    assert len(told) == 1
    assert "behind a connection pooler in transaction mode" in told[0]
    assert found == []


def test_a_pooler_is_told_of_for_postgresql_only() -> None:
    settings = Settings.model_validate(
        {"databases": {"default": {"url": "sqlite:///x", "pooler": "transaction"}}}
    )

    with pytest.raises(DeclarationError, match="database 'default': pooler needs PostgreSQL"):
        _ = Post(settings=settings).databases.default()
