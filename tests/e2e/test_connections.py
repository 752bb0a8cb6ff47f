"""What every connection has: limits that the server keeps, an end when the host is dead, and no herd of its kind."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from returns.result import Failure, Success
from sqlalchemy import literal_column, select, text
from sqlalchemy.exc import SQLAlchemyError

from fastapi_easy.application import Context, CountEntities, CreateEntity, ExportEntities, ListEntities
from fastapi_easy.bootstrap import create_app, open_kernel
from fastapi_easy.domain import DeadlineExceeded, Query, Unavailable
from fastapi_easy.domain.deadline import Deadline
from fastapi_easy.domain.ports import CircuitState
from fastapi_easy.infrastructure.persistence.sqlalchemy import ConnectionOptions, SqlAlchemyDatabase
from fastapi_easy.settings import DatabaseSettings, Settings
from tests.e2e.outage import DocumentPost, Post
from tests.e2e.serving import client_of
from tests.services.wanted import empty_database
from tests.wire import Wire, wired

LIMITS = {
    "postgres": {
        "statement_timeout": "10s",
        "lock_timeout": "3s",
        "idle_in_transaction_session_timeout": "15s",
        "transaction_timeout": "30s",
    },
    "mariadb": {
        "max_statement_time": "10.0",
        "innodb_lock_wait_timeout": "3",
        "idle_transaction_timeout": "15",
    },
}
WAITS = {"postgres": "pg_sleep(1)", "mariadb": "get_lock('theirs', 1)"}
"""Takes a second. MariaDB 10.11 as a whole stands still for seconds when many of its sleeps are cut short."""

RELATIONAL = ["postgres", "mariadb"]


@asynccontextmanager
async def database_at(url: str, **options: Any) -> AsyncIterator[SqlAlchemyDatabase]:
    database = SqlAlchemyDatabase("default", url, ConnectionOptions(**options))
    assert await database.check() == Success(None)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def far(store: str, **options: Any) -> AsyncIterator[tuple[Any, Wire]]:
    """A kernel whose database is at the end of a wire, and the wire."""
    post: Any = DocumentPost if store == "mongo" else Post
    with empty_database(store) as url:
        async with wired(url) as (address, wire):
            database = DatabaseSettings.model_validate({"url": address, **options})
            shop = post(settings=Settings(databases={"default": database}))
            async with open_kernel(shop):
                yield shop, wire


@pytest.mark.parametrize("store", RELATIONAL)
async def test_the_server_knows_the_limits(store: str) -> None:
    with empty_database(store) as url:
        async with database_at(url) as database:

            async def asked(words: str) -> str:
                return str((await database.executor.read(text(words), {})).rows[0][0])

            limits = dict(LIMITS[store])
            if store == "postgres" and int(await asked("SHOW server_version_num")) < 17_00_00:
                del limits["transaction_timeout"]
            word = "SHOW " if store == "postgres" else "SELECT @@SESSION."

            assert {name: await asked(word + name) for name in limits} == limits


@pytest.mark.parametrize("store", RELATIONAL)
async def test_a_dead_host_is_noticed(store: str) -> None:
    with empty_database(store) as url:
        async with database_at(url) as database:
            pooled = await database.executor.pool.check_out()
            driver: Any = pooled.driver
            held = driver._transport if hasattr(driver, "_transport") else driver._writer
            made = held.get_extra_info("socket")
            database.executor.pool.check_in(pooled)

            assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert [
                made.getsockopt(socket.IPPROTO_TCP, option)
                for option in (
                    socket.TCP_KEEPIDLE,
                    socket.TCP_KEEPINTVL,
                    socket.TCP_KEEPCNT,
                    socket.TCP_USER_TIMEOUT,
                )
            ] == [10, 5, 3, 20_000]


@pytest.mark.parametrize("store", [*RELATIONAL, "mongo"])
async def test_no_more_than_two_connections_are_made_at_a_time(store: str) -> None:
    async with far(store, pool_size=10, pool_timeout=5, queue_time=5) as (shop, wire):
        parcels = shop.kernel().use_cases("parcels")
        # So long ago that the server has forgotten everybody.
        wire.reset()
        await asyncio.sleep(0.1)
        wire.is_black = True
        taken = wire.taken

        calls = [asyncio.ensure_future(parcels.count(CountEntities(), Context())) for _ in range(30)]
        await asyncio.sleep(0.5)
        in_the_dark = wire.taken - taken
        wire.is_black = False
        outcomes = await asyncio.gather(*calls)

        print(f"{store}: {in_the_dark} connections tried at a time by 30 callers")
        # MongoDB's driver also makes two to look after the server.
        assert in_the_dark <= (4 if store == "mongo" else 2)
        assert outcomes == [Success(0)] * 30


@pytest.mark.parametrize("store", RELATIONAL)
async def test_a_burst_while_connections_are_still_being_made_is_waited_out(store: str) -> None:
    """To make one takes longer than anybody may stand in line, which says nothing of how fast the line will move."""
    async with far(store, queue_time=0.5, pool_timeout=20.0, connect_timeout=10.0) as (shop, wire):
        posted = shop.kernel().use_cases("parcels")
        shop.databases.default().executor.pool.expire_connections()
        wire.connect_delay = 1.0
        outcomes = await asyncio.gather(
            *(posted.count(CountEntities(Query().specification), Context()) for _ in range(40))
        )

        assert outcomes == [Success(0)] * 40


@pytest.mark.parametrize("store", RELATIONAL)
async def test_calls_with_short_deadlines_do_not_harm_others(store: str) -> None:
    """Three in ten ask for more than they have time for: the server is told, and its connections live on."""
    callers, seconds, patience = 20, 3.0, 0.25
    counted = {"fast": 0, "fast failed": 0, "slow": 0}
    durations: list[float] = []
    with empty_database(store) as url:
        async with wired(url) as (address, wire), database_at(address, pool_size=callers + 1) as database:
            slow = select(literal_column(WAITS[store]))
            fast = select(literal_column("1"))

            async def ask(number: int) -> None:
                turn, until = number, time.monotonic() + seconds
                while time.monotonic() < until:
                    turn += 1
                    kind, statement = ("slow", slow) if turn % 10 < 3 else ("fast", fast)
                    counted[kind] += 1
                    deadline, begun = Deadline(patience), time.monotonic()
                    try:
                        _ = await database.executor.read(statement, {})
                    except (SQLAlchemyError, OSError):
                        counted["fast failed"] += kind == "fast"
                    finally:
                        deadline.end()
                        if kind == "slow":
                            durations.append(time.monotonic() - begun)

            # The connections that all of them need, and one for somebody who is in their way.
            pool = database.executor.pool
            pooled_connections = [await pool.check_out() for _ in range(callers + 1)]
            theirs = pooled_connections.pop()
            _ = await database.executor.run(theirs, slow, {})
            for each in pooled_connections:
                pool.check_in(each)
            before = wire.taken
            _ = await asyncio.gather(*(ask(number) for number in range(callers)))
            made = wire.taken - before
            pool.check_in(theirs)
            in_use = database.pool.in_use

    median = sorted(durations)[len(durations) // 2]
    print(f"{store}: {counted}, {made} new connections, slow ones end after {median:.2f} s")
    assert counted["slow"] > 0
    # The server ends them, and not the client, which would break their connections.
    assert counted["fast failed"] == 0
    assert made <= 2
    assert in_use == 0


@pytest.mark.parametrize("store", RELATIONAL)
async def test_a_write_with_a_short_deadline_is_atomic(store: str) -> None:
    async with far(store) as (shop, _):
        parcels = shop.kernel().use_cases("parcels")

        def soon() -> Context:
            return Context(deadline=shop.clock().monotonic() + 2.0)

        made = await parcels.create(CreateEntity({"name": "quick"}), soon())
        listed = await parcels.list(ListEntities(Query()), soon())

        assert made.unwrap()["name"] == "quick"
        assert [each["name"] for each in listed.unwrap().items] == ["quick"]
        assert shop.databases.default().pool.in_use == 0


@pytest.mark.parametrize("store", [*RELATIONAL, "mongo"])
async def test_a_timeout_differs_from_an_outage(store: str) -> None:
    async with far(store, connect_timeout=1, statement_timeout=2) as (shop, wire):
        parcels = shop.kernel().use_cases("parcels")
        assert await parcels.count(CountEntities(), Context()) == Success(0)
        wire.latency = 0.8

        late = await parcels.count(CountEntities(), Context(deadline=shop.clock().monotonic() + 0.2))
        wire.refuse()
        begun = time.monotonic()
        gone = await parcels.count(CountEntities(), Context(deadline=shop.clock().monotonic() + 240))

        assert late == Failure(DeadlineExceeded("default"))
        assert gone == Failure(Unavailable("default"))
        # Told by the refusal, and not by the end of the deadline.
        assert time.monotonic() - begun < 120


@pytest.mark.parametrize("store", [*RELATIONAL, "mongo"])
async def test_health_checks_bypass_breaker_and_wait_queue(store: str) -> None:
    post: Any = DocumentPost if store == "mongo" else Post
    with empty_database(store) as url:
        database = DatabaseSettings.model_validate({"url": url, "pool_size": 2, "queue_time": 0.001})
        shop = post(settings=Settings(databases={"default": database}))
        async with client_of(create_app(shop)) as client:
            breaker = shop.breakers.default()

            async def health() -> tuple[str, str]:
                told = (await client.get("/health/ready")).json()["dependencies"]["default"]
                return told["status"], told["breaker"]["state"]

            breaker.isolate()
            isolated = await health()
            refused = (await client.get("/parcels")).status_code
            breaker.reset()
            ended = asyncio.Event()
            load = [asyncio.ensure_future(_until(ended, lambda: client.get("/parcels"))) for _ in range(20)]
            await asyncio.sleep(2.1)
            overloaded = await health()
            ended.set()
            _ = await asyncio.gather(*load)
            shed = shop.databases.default().pool.shed

    assert (isolated, refused) == (("up", "isolated"), 503)
    assert overloaded == ("up", "closed")
    assert shed > 0


async def _until(ended: asyncio.Event, ask: Callable[[], Awaitable[Any]]) -> None:
    while not ended.is_set():
        _ = await ask()
        # Whoever is sent away is told so without a wait.
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("store", [*RELATIONAL, "mongo"])
async def test_health_does_not_hammer_a_database_that_is_gone(store: str) -> None:
    async with far(store) as (shop, wire):
        app = create_app(shop)
        async with client_of(app) as client:
            wire.reset()
            wire.is_cut = True
            taken = wire.taken
            begun, probes = time.monotonic(), 0
            while time.monotonic() - begun < 3:
                told = (await client.get("/health/ready")).json()["dependencies"]["default"]
                probes += 1
                assert told["status"] == "down"
                await asyncio.sleep(0.01)

        print(f"{store}: {probes} probes, {wire.taken - taken} connections tried")
        assert probes > 0
        # MongoDB's driver also looks by itself.
        assert wire.taken - taken <= (12 if store == "mongo" else 4)


@pytest.mark.parametrize("store", ["postgres", "mongo"])
async def test_a_database_that_has_become_slow_is_given_a_rest_if_that_is_wanted(store: str) -> None:
    limits = {"slow_after": 0.1, "calls": 10, "pause": 0.3}
    async with far(store, breaker=limits) as (shop, wire):
        use_cases, breaker = shop.kernel().use_cases("parcels"), shop.breakers.default()

        async def states(ask: Callable[[], Awaitable[Any]]) -> CircuitState:
            for _ in range(12):
                _ = await ask()
            return CircuitState(breaker.circuit.state)

        async def export() -> None:
            _ = [part async for part in (await use_cases.export(ExportEntities(Query()), Context())).unwrap()]

        quick = await states(lambda: use_cases.count(CountEntities(), Context()))
        breaker.reset()
        wire.latency = 0.1
        long_by_design = await states(export)
        breaker.reset()
        slow = await states(lambda: use_cases.count(CountEntities(), Context()))
        wire.latency = 0
        await asyncio.sleep(0.35)
        after = await states(lambda: use_cases.count(CountEntities(), Context()))

    assert [quick, long_by_design, slow, after] == [
        CircuitState.CLOSED,
        CircuitState.CLOSED,
        CircuitState.OPEN,
        CircuitState.CLOSED,
    ]
