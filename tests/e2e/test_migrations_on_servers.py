"""The use cases of migrations on real databases: what is recorded there is enough to go on."""

import asyncio
import dataclasses

import pytest
import pytest_asyncio
from returns.result import Success
from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.migrations import Migrations
from fastapi_easy.application.migrations.repair_migration import RepairAction
from fastapi_easy.domain.migrations.policy import Approvals
from fastapi_easy.domain.migrations.run import RunState
from fastapi_easy.domain.migrations.step import StepMode
from fastapi_easy.domain.migrations.stopped import MigrationStop
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.testing.migrations import InMemoryAssessor
from tests.conformance.relational_schemas import TOOLS, creating, empty, store_at, tables_at, through
from tests.thorough import only_when_thorough

NAMES = ("authors", "books", "shops")
DRIVERS = {"sqlite": "aiosqlite", "postgres": "asyncpg", "mariadb": "aiomysql"}
ANYTHING = Approvals.read(["destructive", "dangerous"])


FEWER = ["sqlite", "mariadb", pytest.param("postgres", marks=only_when_thorough)]
"""Where what is asked is the same on every server: one has transactions for its steps, the other one has none."""


@pytest_asyncio.fixture(params=DRIVERS)
async def url(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'shop.db'}"
        return
    found = through(request.getfixturevalue(f"{request.param}_url"), DRIVERS[request.param])
    await empty(found)
    yield found
    await empty(found)


def declaring(*names, mode):
    """Tools that find a table missing for each of *names* that is not there."""

    def compile_steps(connection, *_):
        stored = inspect(connection).get_table_names()
        return [creating(name, mode) for name in names if name not in stored]

    return dataclasses.replace(TOOLS, compile=compile_steps)


@pytest.fixture
def mode(url):
    return StepMode.AUTOCOMMIT if "mysql" in url else StepMode.TRANSACTION


@pytest_asyncio.fixture
async def program(url, mode):
    """Opens one more program that declares tables."""
    opened = []

    def open_one(*names, owner="host:1"):
        opened.append(store_at(url, tools=declaring(*names, mode=mode)))
        return Migrations(
            MigrationCollaborators(
                store=opened[-1], assessor=InMemoryAssessor(), clock=SystemClock(), owner=owner
            )
        )

    yield open_one
    for each in opened:
        await each.close()


def run_of(outcome):
    assert isinstance(outcome, Success), outcome
    return outcome.unwrap()


async def test_a_plan_is_applied_as_it_was_reviewed_and_rolled_back_again(program, url):
    migrations = program(*NAMES)

    plan = run_of(await migrations.plan())
    assert run_of(await migrations.status()).has_ledger is False
    run = run_of(await migrations.apply(plan))

    assert (run.state, run.plan_checksum, await tables_at(url)) == (
        RunState.APPLIED,
        plan.checksum,
        set(NAMES),
    )
    assert run_of(await migrations.status()).is_current
    assert run_of(await migrations.apply(plan)).id == run.id
    undone = run_of(await migrations.rollback(approvals=ANYTHING))
    assert (undone.state, undone.notes, await tables_at(url)) == (RunState.ROLLED_BACK, (), frozenset())
    assert run_of(await migrations.apply()).plan_id == run.plan_id


@pytest.mark.parametrize("url", FEWER, indirect=True)
async def test_many_programs_at_once_apply_each_step_once(program, url):
    programs = [program(*NAMES, owner=f"host:{number}") for number in range(4)]

    outcomes = await asyncio.gather(*(each.apply(wait=60) for each in programs))

    assert all(isinstance(each, Success) for each in outcomes)
    status = run_of(await programs[0].status())
    assert [[each.attempts for each in run.steps] for run in status.applied] == [[1, 1, 1]]
    assert await tables_at(url) == set(NAMES)


async def test_what_was_there_before_a_step_that_failed_to_create_it_outlives_the_rollback(
    program, url, mode
):
    await create_by_hand(url, "books")
    migrations = program(*NAMES)
    plan = run_of(await migrations.plan())
    too_much = dataclasses.replace(plan, steps=(*plan.steps, creating("books", mode)))

    failed = (await migrations.apply(too_much)).failure()
    assert (failed.stop, await tables_at(url)) == (MigrationStop.FAILED, set(NAMES))
    assert run_of(await migrations.status()).unfinished.state is RunState.FAILED
    undone = run_of(await migrations.rollback(approvals=ANYTHING))

    assert (undone.state, await tables_at(url)) == (RunState.ROLLED_BACK, {"books"})


async def create_by_hand(url, name):
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"CREATE TABLE {name} (id INTEGER)")
    await engine.dispose()


@pytest.mark.parametrize("url", FEWER, indirect=True)
async def test_a_run_that_was_stopped_is_gone_on_with_by_another_program(program, url):
    started = run_of(await program(*NAMES).apply(until_step=0))
    assert await tables_at(url) == {"authors"}

    later = run_of(await program(*NAMES, "streets").apply())

    status = run_of(await program(*NAMES, "streets").status())
    assert [each.id for each in status.applied] == [later.id, started.id]
    assert await tables_at(url) == {*NAMES, "streets"}


@pytest.mark.parametrize("url", FEWER, indirect=True)
async def test_a_run_is_given_up_and_planned_anew(program, url):
    await program(*NAMES).apply(until_step=0)

    given_up = run_of(await program(*NAMES).repair(RepairAction.ABANDON))
    run = run_of(await program(*NAMES).apply())

    assert (given_up.run.state, len(run.steps), await tables_at(url)) == (RunState.ABANDONED, 2, set(NAMES))


@pytest.mark.parametrize("url", FEWER, indirect=True)
async def test_a_database_is_adopted_and_migrated_from_there(program, url):
    run_of(await program("books").apply())
    run_of(await program("books").baseline())

    run = run_of(await program(*NAMES).apply_safe()).run

    assert (len(run.steps), await tables_at(url)) == (2, set(NAMES))
