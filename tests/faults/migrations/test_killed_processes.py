"""Migrating processes that are killed at every boundary, and many at once: the end is always the same."""

import asyncio
import signal

import pytest

from fastapi_easy.domain.migrations.run import RunState, StepState
from fastapi_easy.domain.migrations.step import Effect
from fastapi_easy.testing.conformance.locks.lease_suite import eventually
from fastapi_easy.testing.conformance.store import value_of
from tests.conformance.relational_schemas import empty
from tests.faults.migrations.migrating import (
    ROWS,
    create_index,
    index_plan_at,
    migrate,
    migrate_until_killed,
    migrate_with_others,
    plan_at,
    start,
)
from tests.faults.migrations.places import place_of
from tests.thorough import examples

REPLICAS = 8
STRIDE = examples(21, 1)
"""Of boundaries; a thorough run takes each."""


async def end_of(place):
    """What there is at the end, but for times and names."""
    store = place.store()
    history = value_of(await store.history())
    return {
        "schema": value_of(await store.describe()),
        "books": await place.ask("SELECT * FROM books ORDER BY id"),
        "counters": await place.ask("SELECT n FROM counters"),
        "head": history.head,
        "fingerprint": history.fingerprint,
        "runs": [(each.state, [step.state for step in each.steps]) for each in history.runs],
    }


async def run_until_killed(place, fatal):
    """Migrate in a process that is killed at a boundary; return how many it has passed if there are no more."""
    process, pipe = start(migrate_until_killed, place.url, fatal)
    await asyncio.to_thread(process.join, 120)
    if process.exitcode == -signal.SIGKILL:
        return None
    assert process.exitcode == 0
    return pipe.recv()


@pytest.mark.slow
async def test_a_process_may_be_killed_at_any_boundary(place):
    plan = plan_at(place.url)
    expected, fatal, passed = None, 0, None
    while passed is None:
        await empty(place.url)
        passed = await run_until_killed(place, fatal)
        answer = await migrate(place.store(), plan, "whoever is left")

        found = await end_of(place)
        assert answer == ("applied" if passed is None else "nothing to do"), f"boundary {fatal}"
        assert expected is None or found == expected, f"boundary {fatal}"
        expected, fatal = found, fatal + STRIDE

    assert fatal - 2 * STRIDE < passed <= fatal - STRIDE
    assert passed > 30
    assert expected["counters"] == [(1,)]
    assert [row[1] for row in expected["books"]] == ["x"] * ROWS
    assert (expected["head"], expected["runs"]) == (
        plan.id,
        [(RunState.APPLIED, [StepState.DONE] * len(plan.steps))],
    )


@pytest.mark.parametrize("driver", ["asyncpg", "aiomysql"])
async def test_a_statement_that_goes_on_without_its_process_is_ended_by_the_next_one(
    driver, request, tmp_path
):
    place = await place_of(driver, request, tmp_path)
    await place.ask("CREATE TABLE books (id INTEGER PRIMARY KEY, title VARCHAR(20))")
    executing = {
        "asyncpg": "SELECT pid FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONC%'",
        "aiomysql": "SELECT id FROM information_schema.processlist WHERE info LIKE 'CREATE INDEX books%'",
    }[driver]

    async with place.beside(committing=False) as other:
        await other.exec_driver_sql("INSERT INTO books VALUES (1, 'one')")
        process, _ = start(create_index, place.url)
        await eventually(lambda: place.ask(executing))
        process.kill()
        await asyncio.to_thread(process.join, 60)
        (orphan,) = await place.ask(executing)
        store, plan = place.store(), index_plan_at(place.url)
        async with store.session("whoever is left", 30) as found:
            value_of(await value_of(found).adopt(value_of(await store.history()).runs[0]))
        left = (await place.ask(executing), value_of(await store.probe(plan.steps[0])))

    answer = await migrate(store, plan, "whoever is left")
    assert orphan
    assert left == ([], Effect.PARTIAL if driver == "asyncpg" else Effect.NOT_APPLIED)
    assert answer == "applied"
    assert value_of(await store.probe(plan.steps[0])) is Effect.APPLIED


async def test_of_many_processes_at_once_one_executes_each_step(place):
    await empty(place.url)
    started = [start(migrate_with_others, place.url, number) for number in range(REPLICAS)]
    for _, pipe in started:
        assert await asyncio.to_thread(pipe.recv) == "ready"
    for _, pipe in started:
        pipe.send("go")

    answers = [await asyncio.to_thread(pipe.recv) for _, pipe in started]

    for process, _ in started:
        await asyncio.to_thread(process.join, 60)
    (run,) = value_of(await place.store().history()).runs
    assert sorted(answers) == ["applied", *["nothing to do"] * (REPLICAS - 1)]
    assert [each.attempts for each in run.steps] == [1] * len(run.steps)
    assert await place.ask("SELECT n FROM counters") == [(1,)]
