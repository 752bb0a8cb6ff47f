"""Tables of SQLite that are built anew: children, references and pragmas."""

import asyncio
import sqlite3

import pytest
from returns.result import Success

from fastapi_easy.domain.errors import LockHeld
from fastapi_easy.domain.migrations.run import StepState
from fastapi_easy.domain.migrations.step import StepMode
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.testing.conformance.migrations.schema_suite import error_of, run_of
from fastapi_easy.testing.conformance.store import value_of
from tests.conformance.relational_schemas import TOOLS, store_at
from tests.faults.migrations.places import Place
from tests.faults.migrations.test_step_modes import record, step

REBUILT = step(
    "CREATE TABLE fe_new_authors (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
    "INSERT INTO fe_new_authors SELECT id, name FROM authors",
    "DROP TABLE authors",
    "ALTER TABLE fe_new_authors RENAME TO authors",
    mode=StepMode.REBUILD,
)
LOSING = step(
    "CREATE TABLE fe_new_authors (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
    "DROP TABLE authors",
    "ALTER TABLE fe_new_authors RENAME TO authors",
    mode=StepMode.REBUILD,
)


@pytest.fixture
async def place(tmp_path):
    place = Place(f"sqlite+aiosqlite:///{tmp_path / 'shop.db'}", "aiosqlite")
    await place.ask("CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT)")
    await place.ask(
        "CREATE TABLE books (id INTEGER PRIMARY KEY, author INTEGER REFERENCES authors ON DELETE CASCADE)"
    )
    await place.ask("CREATE VIEW names AS SELECT name FROM authors")
    await place.ask("INSERT INTO authors VALUES (1, 'Jane'), (2, 'Ada')")
    await place.ask("INSERT INTO books VALUES (1, 1), (2, 1), (3, 2)")
    return place


async def rebuild(place, rebuilt):
    store, plan = place.store(), place.plan(rebuilt)
    async with store.session("ada", 0) as found:
        session = value_of(found)
        run = value_of(await session.begin(plan, run_of(plan)))
        return await session.execute(run, 0, rebuilt), await record(store)


async def test_children_and_views_of_a_table_survive_its_rebuild(place):
    answer, recorded = await rebuild(place, REBUILT)

    assert isinstance(answer, Success)
    assert (recorded.state, recorded.attempts) == (StepState.DONE, 1)
    assert await place.ask("SELECT author, count(*) FROM books GROUP BY author") == [(1, 2), (2, 1)]
    assert await place.ask("SELECT name FROM names ORDER BY name") == [("Ada",), ("Jane",)]
    assert await place.ask("SELECT sql FROM sqlite_master WHERE name = 'books'") == [
        ("CREATE TABLE books (id INTEGER PRIMARY KEY, author INTEGER REFERENCES authors ON DELETE CASCADE)",)
    ]


async def test_a_rebuild_that_would_leave_children_without_parents_changes_nothing(place):
    answer, recorded = await rebuild(place, LOSING)

    failed = error_of(answer)
    assert failed.stop is MigrationStop.FAILED
    assert failed.message == (
        "3 rows refer to rows that do not exist: books → authors in: PRAGMA foreign_key_check"
    )
    assert (recorded.state, recorded.error) == (StepState.FAILED, failed.message)
    assert await place.ask("SELECT count(*) FROM authors") == [(2,)]
    assert await place.ask("SELECT count(*) FROM books") == [(3,)]


async def test_references_that_were_broken_before_do_not_stop_a_rebuild(place):
    # A connection of others does not look at foreign keys, unless it asks for that.
    await place.ask("INSERT INTO books VALUES (4, 99)")

    answer, _ = await rebuild(place, REBUILT)

    assert isinstance(answer, Success)
    assert await place.ask("SELECT count(*) FROM books") == [(4,)]


async def test_references_that_nobody_can_check_do_not_stop_a_rebuild(place):
    await place.ask("CREATE TABLE odd (name TEXT REFERENCES authors (name))")

    answer, _ = await rebuild(place, REBUILT)

    assert isinstance(answer, Success)


async def test_a_rebuild_after_which_a_reference_cannot_be_checked_changes_nothing(place):
    answer, _ = await rebuild(
        place,
        step(
            "CREATE TABLE fe_new_authors (id INTEGER, name TEXT NOT NULL)",
            *REBUILT.statements[1:],
            mode=StepMode.REBUILD,
        ),
    )

    assert error_of(answer).message.startswith("a foreign key refers to columns that are not unique any more")
    assert await place.ask("SELECT name FROM pragma_table_info('authors') WHERE pk = 1") == [("id",)]


async def test_another_writer_is_waited_for_and_then_nothing_was_changed(place):
    store, plan = place.store(), place.plan(REBUILT)

    async with store.session("ada", 0) as found:
        session = value_of(found)
        run = value_of(await session.begin(plan, run_of(plan)))
        async with place.beside() as other:
            await other.exec_driver_sql("BEGIN IMMEDIATE")
            waiting = asyncio.create_task(session.execute(run, 0, REBUILT))
            await asyncio.wait([waiting], timeout=0.3)
            assert not waiting.done()
            await other.exec_driver_sql("ROLLBACK")
        assert isinstance(await waiting, Success)


async def test_a_backup_is_where_it_is_said_to_be(place, tmp_path):
    def back_up(path):
        copy = path.with_suffix(".bak")
        with sqlite3.connect(path) as source, sqlite3.connect(copy) as target:
            source.backup(target)
        source.close()
        target.close()
        return copy

    def find_no_room(path):
        raise OSError(28, "No space left on device")

    made = value_of(await place.store(tools=with_backup(back_up)).backup())
    failed = error_of(await place.store(tools=with_backup(find_no_room)).backup())

    assert made == str(tmp_path / "shop.bak")
    assert (tmp_path / "shop.bak").exists()
    assert failed == MigrationStopped(
        "shop", MigrationStop.NO_SPACE, "no backup was made: [Errno 28] No space left on device"
    )


async def test_a_file_that_a_uri_names_is_the_same_file(place, tmp_path):
    of_uri = store_at(f"sqlite+aiosqlite:///file:{tmp_path / 'shop.db'}?uri=true")

    async with place.store().session("ada", 0) as first, of_uri.session("bob", 0) as second:
        assert isinstance(first, Success)
        assert isinstance(error_of(second), LockHeld)

    described = [value_of(await store.describe()) for store in (place.store(), of_uri)]
    assert described[0] == described[1]
    assert not described[0].is_empty


async def test_a_database_that_is_thrown_away_needs_no_lock_file_and_no_backup(place, tmp_path):
    store = place.store(scratch=True)

    async with store.session("ada", 0) as first, store.session("bob", 0) as second:
        assert isinstance(first, Success)
        assert isinstance(error_of(second), LockHeld)

    assert value_of(await store.backup()) == ""
    assert not list(tmp_path.glob("*-locks"))


def with_backup(back_up):
    values = {name: getattr(TOOLS, name) for name in TOOLS.__dataclass_fields__}
    return type(TOOLS)(**values | {"back_up": back_up})
