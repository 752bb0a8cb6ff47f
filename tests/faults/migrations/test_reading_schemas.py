"""What a schema store reads, without writing."""

import contextlib
import dataclasses
import sqlite3

import pytest
from sqlalchemy import MetaData, make_url

from fastapi_easy.domain.errors import Unavailable
from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.risk import UNKNOWN
from fastapi_easy.domain.migrations.run import History, RunState
from fastapi_easy.domain.migrations.step import Effect, StepMode
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.domain.ports.schema_store import Draft
from fastapi_easy.infrastructure.migrations.relational.toolbox import tools_for
from fastapi_easy.testing.conformance.migrations.schema_suite import apply, error_of, run_of
from fastapi_easy.testing.conformance.store import value_of
from tests.conformance.relational_schemas import TOOLS, creating, store_at
from tests.faults.migrations.places import SQLITE
from tests.faults.migrations.test_step_modes import after_statement, step


def table_step(kind, table, sql, new_name=None, reverse=()):
    facts = {} if new_name is None else {"new_name": new_name}
    return dataclasses.replace(
        step(sql, mode=StepMode.AUTOCOMMIT, reverse=reverse, reverse_mode=StepMode.AUTOCOMMIT),
        changes=(Change(kind=kind, table=table, facts=facts),),
    )


async def test_a_draft_is_made_of_what_every_tool_says(place):
    seen = []

    def detect(connection, declared, hints, created):
        seen.append((declared, hints, created))
        return ["a difference"]

    made = creating("second", StepMode.AUTOCOMMIT)
    tools = dataclasses.replace(TOOLS, detect=detect, compile=lambda *given: [made] * len(given[1]))
    store, hints = place.store(tools=tools), Hints(drop_undeclared=True)
    await place.ask("CREATE TABLE foreign_table (id INTEGER)")
    plan = place.plan(creating("first", StepMode.AUTOCOMMIT))
    async with store.session("ada", 0) as found:
        await apply(value_of(found), plan)

    draft = value_of(await store.draft(hints))

    assert draft == Draft(stored=value_of(await store.describe()), declared="d0", steps=(made,))
    assert [(type(declared.metadata), given, created) for declared, given, created in seen] == [
        (MetaData, hints, {"first"})
    ]


async def test_the_tables_that_runs_have_created_are_known_whatever_became_of_them(place):
    seen = []
    tools = dataclasses.replace(TOOLS, detect=lambda *given: seen.append(given[-1]) or ())
    store = place.store(tools=tools)
    create, drop, rename = ChangeKind.CREATE_TABLE, ChangeKind.DROP_TABLE, ChangeKind.RENAME_TABLE
    await place.ask("CREATE TABLE theirs (id INTEGER)")
    plan = place.plan(
        *(table_step(create, name, f"CREATE TABLE {name} (id INTEGER)") for name in ("a", "b", "c")),
        table_step(drop, "a", "DROP TABLE a"),
        table_step(rename, "b", "ALTER TABLE b RENAME TO bb", new_name="bb"),
        table_step(rename, "theirs", "ALTER TABLE theirs RENAME TO ours", new_name="ours"),
        table_step(create, "d", "CREATE TABLE d (id INTEGER)", reverse=("DROP TABLE d",)),
        table_step(create, "e", "CREATE TABLE nowhere.e (id INTEGER)"),
    )

    async with store.session("ada", 0) as found:
        session = value_of(found)
        run = value_of(await session.begin(plan, run_of(plan)))
        for index in range(7):
            value_of(await session.execute(run, index, plan.steps[index]))
        value_of(await session.execute(run, 6, plan.steps[6], reverse=True))
        assert isinstance(error_of(await session.execute(run, 7, plan.steps[7])), MigrationStopped)
        value_of(await session.finish(run, RunState.FAILED))
    value_of(await store.draft(Hints()))

    assert seen == [{"bb", "c"}]


@pytest.mark.parametrize("asked", ["describe", "find_effect", "measure"])
async def test_whoever_reads_cannot_write(place, asked):
    def write(connection, *_):
        connection.exec_driver_sql("CREATE TABLE written (id INTEGER)")

    store = place.store(tools=dataclasses.replace(TOOLS, **{asked: write}))
    answer = {
        "describe": store.describe,
        "find_effect": lambda: store.probe(creating("first", StepMode.TRANSACTION)),
        "measure": lambda: store.measure((), ()),
    }

    assert isinstance(error_of(await answer[asked]()), MigrationStopped | Unavailable)
    assert await place.tables() == frozenset()


async def test_what_rules_ask_is_answered_by_every_server(place):
    store = place.store(tools=tools_for(make_url(place.url).get_backend_name()))
    await place.ask("CREATE TABLE books (id INTEGER, pages INTEGER)")
    await place.ask("INSERT INTO books VALUES (1, NULL), (2, 7), (3, NULL)")
    changes = (Change(kind=ChangeKind.SET_NOT_NULL, table="books", name="pages"),)
    # A question that fails must not keep the server from answering those after it.
    questions = ("rows:books", "rows:nowhere", "nulls:books.nothing", "nulls:books.pages")

    answers = value_of(await store.measure(changes, questions)).answers

    assert dict(answers) == {
        "rows:books": 3,
        "rows:nowhere": UNKNOWN,
        "nulls:books.nothing": UNKNOWN,
        "nulls:books.pages": 2,
    }
    assert value_of(await store.measure(changes, ())).answers == {}


async def test_a_comparison_may_create_temporary_tables(place):
    def compare(connection, *_):
        if place.driver not in SQLITE:
            connection.exec_driver_sql("CREATE TEMPORARY TABLE shown (id INTEGER)")
        return ()

    store = place.store(tools=dataclasses.replace(TOOLS, detect=compare))

    assert value_of(await store.draft(Hints())).steps == ()
    assert await place.tables() == frozenset()


async def test_what_the_tools_refuse_stops_a_migration_and_what_they_get_wrong_does_not(place):
    class NotOnThisServer(Exception):
        pass

    class NotNow(NotOnThisServer):
        pass

    def refuse(error):
        def compile_steps(*_):
            raise error

        refusals = {NotOnThisServer: MigrationStop.FAILED, NotNow: MigrationStop.NO_SPACE}
        return place.store(tools=dataclasses.replace(TOOLS, compile=compile_steps, refusals=refusals))

    answers = [
        error_of(await refuse(error("cannot be done")).draft(Hints())) for error in (NotOnThisServer, NotNow)
    ]

    assert answers == [
        MigrationStopped("shop", stop, "cannot be done")
        for stop in (MigrationStop.FAILED, MigrationStop.NO_SPACE)
    ]
    with pytest.raises(LookupError):
        await refuse(LookupError("a defect")).draft(Hints())


async def test_a_file_is_not_touched_by_whoever_only_reads(tmp_path):
    path, missing = tmp_path / "theirs.db", tmp_path / "missing.db"
    with contextlib.closing(sqlite3.connect(path)) as theirs:
        theirs.execute("CREATE TABLE books (id INTEGER)")
    before = path.read_bytes()

    answers = []
    for each in (path, missing):
        store = store_at(f"sqlite+aiosqlite:///{each}")
        assert value_of(await store.draft(Hints())).steps == ()
        assert value_of(await store.history()) == History()
        assert value_of(await store.probe(creating("first", StepMode.REBUILD))) is Effect.NOT_APPLIED
        async with store.session("ada", 0) as found:
            assert value_of(await value_of(found).verify()) is None
        answers.append(value_of(await store.describe()).is_empty)
        await store.close()

    assert answers == [False, True]
    assert path.read_bytes() == before
    assert not missing.exists()


async def test_a_history_is_of_one_moment(place):
    store = place.store()
    async with store.session("ada", 0) as found:
        first = await apply(value_of(found), place.plan(creating("first", StepMode.AUTOCOMMIT)))

    async def apply_another():
        async with place.store().session("bob", 0) as found:
            plan = place.plan(creating("second", StepMode.AUTOCOMMIT), parent=first.plan_id)
            await apply(value_of(found), plan)

    value_of(await store.history())
    with after_statement(store, "SELECT fe_migration_state", apply_another):
        history = value_of(await store.history())

    assert (history.head, history.runs) == (first.plan_id, (first,))
    assert value_of(await store.history()).head != first.plan_id


async def test_the_effect_of_a_step_is_looked_for(place):
    store, made = place.store(), creating("first", StepMode.TRANSACTION)

    before = value_of(await store.probe(made))
    await place.ask("CREATE TABLE first (id INTEGER)")

    assert (before, value_of(await store.probe(made))) == (Effect.NOT_APPLIED, Effect.APPLIED)


async def test_a_server_that_does_not_answer_is_unavailable(unused_tcp_port_factory):
    port = unused_tcp_port_factory()
    for url in (
        f"postgresql+asyncpg://ada:secret@127.0.0.1:{port}/shop",
        f"postgresql+psycopg://ada:secret@127.0.0.1:{port}/shop",
        f"mysql+aiomysql://ada:secret@127.0.0.1:{port}/shop",
    ):
        store = store_at(url)

        async with store.session("ada", 0) as session:
            answers = [session, await store.history(), await store.describe(), await store.draft(Hints())]

        assert [error_of(each) for each in answers] == [Unavailable("shop")] * 4


async def test_a_store_that_was_closed_is_opened_by_the_next_call(place):
    store = place.store()
    before = value_of(await store.describe())

    await store.close()
    await store.close()

    assert value_of(await store.describe()) == before
    await store.close()
