"""Sessions that have lost their lock, or their process, on each server: whoever comes next is not disturbed by them."""

import asyncio
import pathlib

import pytest_asyncio
from sqlalchemy import make_url

from fastapi_easy.domain.errors import LockHeld, LockLost, Unavailable
from fastapi_easy.domain.migrations.run import RunState, StepState
from fastapi_easy.domain.migrations.step import StepMode
from fastapi_easy.testing.conformance.migrations.schema_suite import apply, error_of, run_of
from fastapi_easy.testing.conformance.store import value_of
from tests.conformance.relational_schemas import creating, store_at
from tests.faults.migrations.places import MARIADB, POSTGRES, SQLITE, place_of
from tests.faults.migrations.test_step_modes import filled, record, step

SLEEP = {"postgresql": "SELECT pg_sleep(60)", "mysql": "DO SLEEP(60)"}


@pytest_asyncio.fixture(params=["asyncpg", "aiomysql"])
async def server(request, tmp_path):
    return await place_of(request.param, request, tmp_path)


async def end_lock(place):
    """End the session of the server that has the lock of migrations; for SQLite somebody removes the file."""
    if place.driver in SQLITE:
        folder = pathlib.Path(f"{make_url(place.url).database}-locks")
        for each in folder.iterdir():  # noqa: ASYNC240 - a moment
            each.unlink()
    elif place.driver in POSTGRES:
        await place.ask(
            "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE locktype = 'advisory' AND l.database = (SELECT oid FROM pg_database"
            " WHERE datname = current_database()) AND a.state = 'idle'"
        )
    else:
        # A connection that sleeps and has a lock of ours: the names of locks are digests.
        found = await place.ask(
            "SELECT id FROM information_schema.processlist"
            " WHERE command = 'Sleep' AND id <> CONNECTION_ID() AND db = DATABASE()"
        )
        for (number,) in found:
            await place.ask(f"KILL CONNECTION {number}")


async def test_a_lock_that_was_lost_is_noticed_when_it_is_asked_for(place):
    store = place.store()

    async with store.session("ada", 0) as found:
        session = value_of(found)
        assert value_of(await session.verify()) is None
        await end_lock(place)
        lost = error_of(await session.verify())
        again = error_of(await session.verify())

    assert lost == again == LockLost("migrations of shop")


async def test_a_lock_that_was_lost_begins_nothing(place):
    store, plan = place.store(), place.plan(creating("first", StepMode.AUTOCOMMIT))

    async with store.session("ada", 0) as found:
        session = value_of(found)
        await end_lock(place)
        lost = error_of(await session.begin(plan, run_of(plan)))

    assert isinstance(lost, LockLost)
    assert not value_of(await store.history()).exists


async def test_who_has_the_lock_is_named(place):
    ada, bob = place.store(), place.store()

    async with ada.session("shop-7f9 4711 alembic", 0) as found, bob.session("bob", 0) as refused:
        value_of(found)
        held = error_of(refused)

    expected = {
        **dict.fromkeys(POSTGRES, "migrations of shop, by shop-7f9 4711 alembic "),
        **dict.fromkeys(MARIADB, "migrations of shop, by connection "),
        **dict.fromkeys(SQLITE, "migrations of shop, by shop-7f9 4711 alembic "),
    }
    assert isinstance(held, LockHeld)
    assert held.name.startswith(expected[place.driver])


async def test_a_statement_that_a_lost_session_still_executes_is_ended_by_the_next_one(server):
    """Of the same process, or of one that was killed, whose connection the server has not missed yet."""
    await filled(server, 1)
    plan = server.plan(
        step(SLEEP[server.plan().dialect], mode=StepMode.AUTOCOMMIT),
        step("UPDATE books SET shelf = 5", SLEEP[server.plan().dialect]),
    )
    ada, bob = server.store(), server.store()
    for index, state in enumerate([StepState.RUNNING, StepState.PENDING]):
        async with ada.session("ada", 0) as found:
            zombie = value_of(found)
            history = value_of(await ada.history())
            run = value_of(
                await (zombie.adopt(history.runs[0]) if history.runs else zombie.begin(plan, run_of(plan)))
            )
            executing = asyncio.create_task(zombie.execute(run, index, plan.steps[index]))
            await asyncio.wait([executing], timeout=0.5)
            await end_lock(server)

            async with bob.session("bob", 5) as next_one:
                session = value_of(next_one)
                adopted = value_of(await session.adopt(run))
                refused = error_of(await executing)
                lost = error_of(await zombie.execute(run, index, plan.steps[index]))

        assert isinstance(refused, Unavailable)
        assert isinstance(lost, LockLost)
        assert adopted.steps[index].state is state
    assert await server.ask("SELECT shelf FROM books") == [(None,)]


async def test_a_lost_session_does_not_end_the_statement_of_the_next_one(server):
    await server.ask("CREATE TABLE books (id INTEGER PRIMARY KEY)")
    short = SLEEP[server.plan().dialect].replace("60", "1")
    plan = server.plan(step(short, mode=StepMode.AUTOCOMMIT))
    ada, bob = server.store(), server.store()

    async with ada.session("ada", 0) as found:
        zombie = value_of(found)
        await end_lock(server)
        async with bob.session("bob", 5) as next_one:
            session = value_of(next_one)
            run = value_of(await session.begin(plan, run_of(plan)))
            executing = asyncio.create_task(session.execute(run, 0, plan.steps[0]))
            await asyncio.wait([executing], timeout=0.3)

            lost = error_of(await zombie.begin(plan, run_of(plan)))
            answer = await executing

    assert isinstance(lost, LockLost)
    assert value_of(answer) >= 0


async def test_a_ledger_whose_creation_was_cut_off_is_completed(place):
    store = place.store()
    async with store.session("ada", 0) as found:
        await apply(value_of(found), place.plan())
    await place.ask("DROP TABLE fe_migration_state")
    await place.ask("DROP TABLE fe_migration_step")
    await place.ask("DELETE FROM fe_migration_run")

    assert not value_of(await store.history()).exists
    async with store.session("ada", 0) as found:
        run = await apply(value_of(found), place.plan(creating("first", StepMode.AUTOCOMMIT)))

    assert run.state is RunState.APPLIED
    assert (await record(store)).state is StepState.DONE


async def test_schemas_of_one_database_are_migrated_side_by_side(request, tmp_path):
    place = await place_of("psycopg", request, tmp_path)
    stores = []
    for schema in ("north", "south"):
        await place.ask(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        await place.ask(f"CREATE SCHEMA {schema}")
        url = make_url(place.url).update_query_dict({"options": f"-csearch_path={schema}"})
        stores.append(store_at(url.render_as_string(hide_password=False)))
    north, south = stores

    async with north.session("ada", 0) as first, south.session("bob", 0) as second:
        for found, name in ((first, "first"), (second, "second")):
            await apply(value_of(found), place.plan(creating(name, StepMode.TRANSACTION)))

    # A path with a schema further down that has a ledger: it is not ours.
    url = make_url(place.url).update_query_dict({"options": "-csearch_path=west,south"})
    await place.ask("DROP SCHEMA IF EXISTS west CASCADE")
    await place.ask("CREATE SCHEMA west")
    west = store_at(url.render_as_string(hide_password=False))
    before = value_of(await west.history())
    async with west.session("cid", 0) as found:
        await apply(value_of(found), place.plan(creating("third", StepMode.TRANSACTION)))

    assert not before.exists
    assert [len(value_of(await each.history()).runs) for each in (north, south, west)] == [1, 1, 1]
    assert await place.ask(
        "SELECT table_schema, table_name FROM information_schema.tables"
        " WHERE table_schema IN ('north', 'south', 'west') AND table_name NOT LIKE 'fe_%' ORDER BY 1"
    ) == [("north", "first"), ("south", "second"), ("west", "third")]
    for schema in ("north", "south", "west"):
        await place.ask(f"DROP SCHEMA {schema} CASCADE")
