"""A migration of steps of every mode, whoever executes it, and processes that are killed while they do.

The processes are forked from one that has the imports behind it.
"""

import asyncio
import dataclasses
import multiprocessing
import os
import re
import signal
from typing import Any

from returns.result import Failure
from sqlalchemy import event, make_url

from fastapi_easy.domain.errors import LockHeld
from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.run import RunState, StepState
from fastapi_easy.domain.migrations.step import Effect, Probe, Step, StepMode
from fastapi_easy.testing.conformance.migrations.schema_suite import run_of
from tests.conformance.relational_schemas import store_at

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload([__name__])

ROWS = 3
_READ = re.compile(r"\s*(SELECT|SET|PRAGMA|BEGIN)\b")
"""What changes nothing: to be killed before it is to be killed before what follows."""


def _step(mode: StepMode, *statements: str, **options: Any) -> Step:
    changes = (Change(kind=ChangeKind.RUN_SQL, table="books"),)
    return Step(changes=changes, summary="a step", statements=statements, mode=mode, **options)


def _plan(dialect: str) -> tuple[Step, ...]:
    books = "CREATE TABLE books (id INTEGER PRIMARY KEY, title VARCHAR(20), author INTEGER)"
    insert = f"INSERT INTO books VALUES {', '.join(f'({n}, NULL, 1)' for n in range(ROWS))}"
    counters = "CREATE TABLE counters (id INTEGER PRIMARY KEY, n INTEGER)"
    zero = "INSERT INTO counters VALUES (1, 0)"
    count = _step(StepMode.TRANSACTION, "UPDATE counters SET n = n + 1")
    index = Probe(kind="index", wanted={"table": "books", "index": "books_title"})
    creates = {"probe": Probe(kind="table", wanted={"table": "books"})}
    match dialect:
        case "postgresql":
            return (
                _step(StepMode.TRANSACTION, books, insert),
                _step(StepMode.AUTOCOMMIT, counters, zero, **_cleaned("counters")),
                _step(
                    StepMode.AUTOCOMMIT,
                    "CREATE INDEX CONCURRENTLY books_title ON books (title)",
                    probe=index,
                    cleanup=("DROP INDEX CONCURRENTLY IF EXISTS books_title",),
                ),
                _step(
                    StepMode.BATCHES,
                    "UPDATE books SET title = 'x' WHERE id IN"
                    " (SELECT id FROM books WHERE title IS NULL ORDER BY id LIMIT 2)",
                ),
                count,
            )
        case "mysql":
            return (
                _step(StepMode.AUTOCOMMIT, books, **creates),
                _step(StepMode.TRANSACTION, insert, "UPDATE books SET author = author + 1"),
                _step(StepMode.AUTOCOMMIT, counters, zero, **_cleaned("counters")),
                _step(StepMode.AUTOCOMMIT, "CREATE INDEX books_title ON books (title)", probe=index),
                _step(StepMode.BATCHES, "UPDATE books SET title = 'x' WHERE title IS NULL LIMIT 2"),
                # Its writer takes a transaction for granted, which this server has not: the statement is alone in it.
                _step(
                    StepMode.TRANSACTION,
                    "ALTER TABLE books ADD COLUMN price INTEGER",
                    probe=Probe(kind="column", wanted={"table": "books", "column": "price"}),
                ),
                count,
            )
        case _:
            return (
                _step(StepMode.TRANSACTION, books, insert, counters, zero),
                _step(StepMode.AUTOCOMMIT, "CREATE INDEX books_title ON books (title)", probe=index),
                _step(
                    StepMode.REBUILD,
                    "CREATE TABLE fe_new_books (id INTEGER PRIMARY KEY, title TEXT, author INTEGER NOT NULL)",
                    "INSERT INTO fe_new_books SELECT * FROM books",
                    "DROP TABLE books",
                    "ALTER TABLE fe_new_books RENAME TO books",
                    "CREATE INDEX books_title ON books (title)",
                ),
                _step(
                    StepMode.BATCHES,
                    "UPDATE books SET title = 'x' WHERE id IN"
                    " (SELECT id FROM books WHERE title IS NULL ORDER BY id LIMIT 2)",
                ),
                count,
            )


def _cleaned(table: str) -> dict[str, Any]:
    """What makes a step of two statements one that may be cut off between them."""
    return {
        "probe": Probe(kind="filled", wanted={"table": table}),
        "cleanup": (f"DROP TABLE IF EXISTS {table}",),
    }


def plan_at(url: str) -> MigrationPlan:
    """The migration, for the server at *url*."""
    dialect: Any = make_url(url).get_backend_name()
    return MigrationPlan(database="shop", dialect=dialect, declared="d0", steps=_plan(dialect))


def index_plan_at(url: str) -> MigrationPlan:
    """The creation of an index, which waits for whoever uses the table."""
    dialect: Any = make_url(url).get_backend_name()
    (index,) = [each for each in _plan(dialect) if each.probe.kind == "index"]
    patient = dataclasses.replace(index, lock_timeout=120.0)
    return MigrationPlan(database="shop", dialect=dialect, declared="d0", steps=(patient,))


async def migrate(store: Any, plan: MigrationPlan, owner: str) -> str:
    """Execute *plan*, or go on with it, as the protocol says; a step that failed or is not clear is an error."""
    async with store.session(owner, 60) as found:
        session = found.unwrap()
        history = (await store.history()).unwrap()
        unfinished = history.unfinished
        if history.head == plan.id and unfinished is None:
            return "nothing to do"
        began = session.begin(plan, run_of(plan)) if unfinished is None else session.adopt(unfinished)
        run = (await began).unwrap()
        for index, step in enumerate(plan.steps):
            state = run.steps[index].state
            if state is StepState.RUNNING and step.mode is not StepMode.BATCHES:
                effect = (await store.probe(step)).unwrap()
                if effect is Effect.APPLIED:
                    (await session.mark(run, index, StepState.DONE)).unwrap()
                    continue
                assert effect is Effect.NOT_APPLIED or step.cleanup, f"step {index} is {effect}"
            (await _insist(session, run, index, step)).unwrap()
        (await session.finish(run, RunState.APPLIED, declared=plan.declared)).unwrap()
        return "applied"


async def _insist(session: Any, run: Any, index: int, step: Step) -> Any:
    for _ in range(20):
        answer = await session.execute(run, index, step)
        if not (isinstance(answer, Failure) and isinstance(answer.failure(), LockHeld)):
            break
        await asyncio.sleep(0.2)
    return answer


class Boundaries:
    """Counts what a store is about to execute, and kills the process before one of them."""

    def __init__(self, store: Any, fatal: int) -> None:
        self.passed = 0
        self._fatal = fatal
        event.listen(store._connections.engine.sync_engine, "before_cursor_execute", self._pass)

    def _pass(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if _READ.match(statement):
            return
        if self.passed == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        self.passed += 1


def migrate_until_killed(url: str, fatal: int, pipe: Any) -> None:
    """Migrate *url* in a process of one's own, and be killed at the boundary *fatal*; say how many were passed."""

    async def work() -> int:
        store = store_at(url)
        boundaries = Boundaries(store, fatal)
        await migrate(store, plan_at(url), f"killed at {fatal}")
        return boundaries.passed

    pipe.send(asyncio.run(work()))


def create_index(url: str, pipe: Any) -> None:
    """Create the index at *url*, and wait for the table as long as that takes."""
    asyncio.run(migrate(store_at(url), index_plan_at(url), "waits"))
    pipe.send("done")


def migrate_with_others(url: str, number: int, pipe: Any) -> None:
    """Migrate *url* when told to, as replica *number*; say what there was to do."""

    async def work() -> str:
        return await migrate(store_at(url), plan_at(url), f"replica {number}")

    pipe.send("ready")
    pipe.recv()
    pipe.send(asyncio.run(work()))


def start(work: Any, *arguments: Any) -> tuple[Any, Any]:
    """Start a process that does *work*; return it and the end of a pipe to it."""
    here, there = context.Pipe()
    process = context.Process(target=work, args=(*arguments, there), daemon=True)
    process.start()
    there.close()
    return process, here
