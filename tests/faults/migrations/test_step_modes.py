"""Steps of each mode on each relational server: what is left when they fail, are held up, or are begun again."""

import asyncio
import contextlib
import dataclasses

import pytest
import pytest_asyncio
from returns.result import Success
from sqlalchemy import event
from sqlalchemy.util import await_only

from fastapi_easy.domain.errors import LockHeld, Unavailable
from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.run import RunState, StepState
from fastapi_easy.domain.migrations.step import Effect, Probe, Step, StepMode
from fastapi_easy.domain.migrations.stopped import MigrationStop
from fastapi_easy.infrastructure.migrations.relational import execution
from fastapi_easy.testing.conformance.locks.lease_suite import eventually
from fastapi_easy.testing.conformance.migrations.schema_suite import error_of, run_of
from fastapi_easy.testing.conformance.store import value_of
from tests.conformance.relational_schemas import creating
from tests.faults.migrations.places import DRIVERS, MARIADB, SQLITE, place_of
from tests.thorough import only_when_thorough

FIRST = ("asyncpg", "aiomysql", "aiosqlite")
"""One driver of each server; how a statement is executed is up to the server."""


@pytest_asyncio.fixture(
    params=[*FIRST, *(pytest.param(each, marks=only_when_thorough) for each in DRIVERS if each not in FIRST)]
)
async def place(request, tmp_path):
    return await place_of(request.param, request, tmp_path)


BOOKS = "CREATE TABLE books (id INTEGER PRIMARY KEY, title VARCHAR(20), shelf INTEGER)"


def step(*statements, mode=StepMode.TRANSACTION, **options):
    changes = (Change(kind=ChangeKind.RUN_SQL, table="books"),)
    return Step(changes=changes, summary="a step", statements=statements, mode=mode, **options)


async def filled(place, rows):
    await place.ask(BOOKS)
    values = ", ".join(f"({number}, 'book {number}', NULL)" for number in range(rows))
    await place.ask(f"INSERT INTO books VALUES {values}")


def backfill(place):
    statement = (
        "UPDATE books SET shelf = 7 WHERE shelf IS NULL LIMIT 2"
        if place.driver in MARIADB
        else "UPDATE books SET shelf = 7 WHERE id IN (SELECT id FROM books WHERE shelf IS NULL LIMIT 2)"
    )
    return step(statement, mode=StepMode.BATCHES)


async def record(store):
    return value_of(await store.history()).runs[0].steps[0]


@contextlib.contextmanager
def after_statement(store, beginning, action):
    """Do *action* when the store has executed the statement that begins like that."""

    def act(connection, cursor, statement, *_):
        if statement.startswith(beginning):
            await_only(action())

    connections = store._connections
    reader = getattr(connections, "_reader", None)
    engines = [each.sync_engine for each in (connections.engine, reader) if each is not None]
    for each in engines:
        event.listen(each, "after_cursor_execute", act)
    yield
    for each in engines:
        event.remove(each, "after_cursor_execute", act)


async def progress_in(store):
    return (await record(store)).progress


async def test_statements_are_executed_as_they_are_written(place):
    odd = "INSERT INTO books VALUES (1, '%s %d %% :x ? $1 50%', 1)"
    store, plan = (
        place.store(),
        place.plan(step(odd, mode=StepMode.AUTOCOMMIT), step(odd.replace("(1,", "(2,"))),
    )
    await place.ask(BOOKS)

    async with store.session("ada", 0) as found:
        session = value_of(found)
        run = value_of(await session.begin(plan, run_of(plan)))
        answers = [await session.execute(run, index, each) for index, each in enumerate(plan.steps)]

    assert answers == [Success(1), Success(1)]
    assert await place.ask("SELECT title FROM books") == [("%s %d %% :x ? $1 50%",)] * 2


async def test_a_backfill_goes_on_until_nothing_is_left(place):
    await filled(place, 5)
    store, plan = place.store(), place.plan(backfill(place))

    async with store.session("ada", 0) as found:
        session = value_of(found)
        run = value_of(await session.begin(plan, run_of(plan)))
        answer = await session.execute(run, 0, plan.steps[0])

    found = await record(store)
    assert answer == Success(5)
    assert (found.state, found.attempts, found.progress) == (StepState.DONE, 1, "5")
    assert await place.ask("SELECT count(*) FROM books WHERE shelf = 7") == [(5,)]


async def test_a_backfill_that_was_cut_off_goes_on_where_it_was(place):
    await filled(place, 7)
    store, plan = place.store(), place.plan(backfill(place))
    async with store.session("ada", 0) as found:
        session = value_of(found)
        run = value_of(await session.begin(plan, run_of(plan)))
        cut_off = asyncio.create_task(session.execute(run, 0, plan.steps[0]))
        await eventually(lambda: progress_in(store))
        cut_off.cancel()
        await asyncio.wait([cut_off])
    before = int((await record(store)).progress)

    async with store.session("bob", 0) as found:
        session = value_of(found)
        run = value_of(await session.adopt(run))
        answer = await session.execute(run, 0, plan.steps[0])

    found = await record(store)
    assert cut_off.cancelled()
    assert 2 <= before < 7
    assert answer == Success(7 - before)
    assert (found.state, found.attempts, found.progress) == (StepState.DONE, 2, "7")


async def test_a_table_that_others_use_is_waited_for_no_longer_than_the_step_says(place):
    await filled(place, 1)
    mode = StepMode.AUTOCOMMIT if place.driver in MARIADB else StepMode.TRANSACTION
    altering = step(
        "ALTER TABLE books ADD COLUMN price INTEGER",
        "INSERT INTO books (id, title, shelf) VALUES (9, 'nine', 9)",
        mode=mode,
        lock_timeout=0.2,
    )
    store, plan = place.store(), place.plan(altering)

    async with store.session("ada", 0) as found:
        session = value_of(found)
        run = value_of(await session.begin(plan, run_of(plan)))
        async with place.beside(committing=False) as other:
            await other.exec_driver_sql("UPDATE books SET shelf = 1")
            held = error_of(await session.execute(run, 0, altering))
            state = (await record(store)).state
        freed = await session.execute(run, 0, altering)

    assert isinstance(held, LockHeld)
    assert state is (StepState.RUNNING if place.driver in MARIADB else StepState.PENDING)
    assert freed == Success(1)
    assert await place.ask("SELECT id, price FROM books ORDER BY id") == [(0, None), (9, None)]


async def test_nobody_is_told_that_nothing_was_changed_when_only_the_record_was_held_up(place, monkeypatch):
    monkeypatch.setattr(execution, "LEDGER_LOCK_TIMEOUT", 0.3)
    made = creating("first", StepMode.AUTOCOMMIT)
    store, plan = place.store(), place.plan(made)

    async with store.session("ada", 0) as found:
        session = value_of(found)
        run = value_of(await session.begin(plan, run_of(plan)))
        async with place.beside(committing=False) as other:

            async def hold_the_ledger():
                await other.exec_driver_sql("UPDATE fe_migration_state SET epoch = epoch")

            with after_statement(store, "CREATE TABLE first", hold_the_ledger):
                unclear = error_of(await session.execute(run, 0, made))
        state = (await record(store)).state
        seen = value_of(await store.probe(made))

    assert (unclear, state, seen) == (Unavailable("shop"), StepState.RUNNING, Effect.APPLIED)


async def test_data_steps_are_rolled_back_when_they_fail(place):
    await filled(place, 2)
    failing = step("UPDATE books SET shelf = 3", "INSERT INTO books VALUES (1, 'again', 1)")
    store, plan = place.store(), place.plan(failing)

    async with store.session("ada", 0) as found:
        session = value_of(found)
        run = value_of(await session.begin(plan, run_of(plan)))
        failed = error_of(await session.execute(run, 0, failing))
        value_of(await session.finish(run, RunState.FAILED, error=failed.message))

    run = value_of(await store.history()).unfinished
    assert failed.stop is MigrationStop.FAILED
    assert failed.message.endswith(" in: INSERT INTO books VALUES (1, 'again', 1)")
    assert (run.error, run.steps[0].error, run.steps[0].state) == (failed.message,) * 2 + (StepState.FAILED,)
    assert await place.ask("SELECT DISTINCT shelf FROM books") == [(None,)]


async def test_what_an_attempt_without_transaction_has_left_is_cleaned_up_before_the_next(place):
    cleaned = dataclasses.replace(
        creating("first", StepMode.AUTOCOMMIT, "INSERT INTO nowhere VALUES (1)"),
        cleanup=("DROP TABLE IF EXISTS first",),
    )
    store, plan = place.store(), place.plan(cleaned)

    async with store.session("ada", 0) as found:
        session = value_of(found)
        run = value_of(await session.begin(plan, run_of(plan)))
        failed = error_of(await session.execute(run, 0, cleaned))
        left = await place.tables()
        await place.ask("CREATE TABLE nowhere (id INTEGER)")
        answer = await session.execute(run, 0, cleaned)

    found = await record(store)
    assert (failed.stop, left) == (MigrationStop.FAILED, {"first"})
    assert answer == Success(1)
    assert (found.state, found.attempts, found.error) == (StepState.DONE, 2, "")


@pytest.mark.parametrize(
    ("is_there", "probe", "more", "expected"),
    [
        (False, "table", (), StepState.REVERSED),
        (True, "table", (), StepState.REVERSED),
        (True, "none", (), StepState.DONE),
        (False, "table", ("DROP TABLE second",), StepState.DONE),
    ],
    ids=["it took effect", "it took no effect", "nobody can tell", "something else was to follow"],
)
async def test_an_undoing_that_was_cut_off_is_looked_at_first(place, is_there, probe, more, expected):
    made = creating("first", StepMode.AUTOCOMMIT)
    made = dataclasses.replace(
        made, probe=Probe(kind=probe, wanted={"table": "first"}), reverse=(*made.reverse, *more)
    )
    store, plan = place.store(), place.plan(made)

    async with store.session("ada", 0) as found:
        session = value_of(found)
        run = value_of(await session.begin(plan, run_of(plan)))
        value_of(await session.execute(run, 0, made))
        await place.ask("UPDATE fe_migration_step SET progress = 'reversing 0'")
        if not is_there:
            await place.ask("DROP TABLE first")
        answer = await session.execute(run, 0, made, reverse=True)

    if expected is StepState.DONE:
        assert error_of(answer).stop is MigrationStop.NEEDS_REPAIR
    assert (await record(store)).state is expected
    assert await place.tables() == ({"first"} if probe == "none" else frozenset())


async def test_an_undoing_that_was_held_up_can_be_tried_again_though_nobody_can_look(place):
    made = dataclasses.replace(
        creating("first", StepMode.AUTOCOMMIT),
        reverse=("INSERT INTO nowhere VALUES (1)", "DROP TABLE first"),
        probe=Probe(),
    )
    store, plan = place.store(), place.plan(made)

    async with store.session("ada", 0) as found:
        session = value_of(found)
        run = value_of(await session.begin(plan, run_of(plan)))
        value_of(await session.execute(run, 0, made))
        failed = error_of(await session.execute(run, 0, made, reverse=True))
        between = await record(store)
        await place.ask("CREATE TABLE nowhere (id INTEGER)")
        answer = await session.execute(run, 0, made, reverse=True)

    assert failed.stop is MigrationStop.FAILED
    assert (between.state, between.error) == (StepState.DONE, failed.message)
    assert answer == Success(1)
    assert (await record(store)).state is StepState.REVERSED


async def test_a_step_that_is_cancelled_leaves_nothing_and_the_next_session_goes_on(place):
    await filled(place, 1)
    altering = step("ALTER TABLE books ADD COLUMN price INTEGER", lock_timeout=60.0)
    store, plan = place.store(), place.plan(altering)
    async with store.session("ada", 0) as found:
        run = value_of(await value_of(found).begin(plan, run_of(plan)))

    async def migrate():
        async with store.session("bob", 0) as found:
            session = value_of(found)
            adopted = value_of(await session.adopt(run))
            await session.execute(adopted, 0, altering)

    async with place.beside(committing=False) as other:
        await other.exec_driver_sql("UPDATE books SET shelf = 1")
        migrating = asyncio.create_task(migrate())
        await asyncio.wait([migrating], timeout=0.7)
        migrating.cancel()
        if place.driver not in SQLITE:
            # On SQLite the statement is in a thread, which waits for the other writer.
            await asyncio.wait([migrating])
    await asyncio.wait([migrating])

    async with store.session("cid", 5) as found:
        session = value_of(found)
        adopted = value_of(await session.adopt(run))
        answer = await session.execute(adopted, 0, altering)

    assert migrating.cancelled()
    assert answer == Success(0)
    assert await place.ask("SELECT price FROM books") == [(None,)]
