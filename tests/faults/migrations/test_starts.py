"""Programs that start, or apply, at once, are killed or stopped while they migrate: the end is always the same."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import pytest

from fastapi_easy.domain.migrations.run import RunState
from fastapi_easy.migrations import open_migrations
from fastapi_easy.testing.conformance.locks.lease_suite import eventually
from fastapi_easy.testing.conformance.store import value_of
from tests.conformance.relational_schemas import empty
from tests.faults.migrations.migrating import start
from tests.faults.migrations.places import place_of
from tests.faults.migrations.starting import (
    HINTS,
    apply,
    apply_until_signal,
    apply_with_others,
    shop_at,
    start_with_others,
)
from tests.thorough import examples

PROGRAMS = 8
BOOKS = {
    2: "SELECT id, title FROM books ORDER BY id",
    3: "SELECT id, title, stock FROM books ORDER BY id",
}
STRIDE = examples(20, 1)
"""Of boundaries; a thorough run takes each."""


async def prepare(place):
    await empty(place.url)
    if place.driver == "aiosqlite":
        for each in ("", "-wal", "-shm"):
            Path(f"{place.url.partition('///')[2]}{each}").unlink(missing_ok=True)  # noqa: ASYNC240
    assert await apply(place.url, 1) == "applied"
    await place.ask("INSERT INTO books (id, title) VALUES (1, 'a'), (2, 'b'), (3, 'c')")


async def end_of(place, version):
    """What there is at the end."""
    async with open_migrations(shop_at(place.url, version)) as migrations:
        status = value_of(await migrations.status(HINTS))
        plan = value_of(await migrations.plan(HINTS))
    return {
        "left": plan.steps,
        "schema": plan.schema_before,
        "unfinished": status.unfinished,
        "current": status.is_current,
        "states": {each.state for each in status.applied},
        "books": await place.ask(BOOKS[version]),
        "attempts": [step.attempts for run in status.applied for step in run.steps],
    }


@pytest.mark.parametrize(
    ("driver", "work", "version", "answers"),
    [
        pytest.param("aiosqlite", start_with_others, 2, [3] * PROGRAMS, id="sqlite"),
        pytest.param("asyncpg", start_with_others, 2, [3] * PROGRAMS, id="postgres"),
        pytest.param("aiomysql", apply_with_others, 3, ["applied"] * PROGRAMS, id="mariadb"),
    ],
)
async def test_of_many_programs_at_once_one_executes_each_statement_and_all_come_up(
    driver, work, version, answers, request, tmp_path
):
    place = await place_of(driver, request, tmp_path)
    await prepare(place)
    started = [start(work, place.url, version) for _ in range(PROGRAMS)]
    for _, pipe in started:
        assert await asyncio.to_thread(pipe.recv) == "ready"
    for _, pipe in started:
        pipe.send("go")

    told = [await asyncio.to_thread(pipe.recv) for _, pipe in started]

    for process, _ in started:
        await asyncio.to_thread(process.join, 60)
    written = [statement for _, statements in told for statement in statements]
    async with open_migrations(shop_at(place.url, version)) as migrations:
        newest = value_of(await migrations.status()).applied[0]
    expected = [statement for step in newest.steps for statement in step.statements]
    assert [answer for answer, _ in told] == answers
    # Batches are repeated until nothing is left.
    assert sorted(set(written)) == sorted(expected)
    assert [each for each in written if not each.startswith("UPDATE")] == [
        each for each in expected if not each.startswith("UPDATE")
    ]
    found = await end_of(place, version)
    assert (found["left"], found["unfinished"]) == ((), None)
    assert set(found["attempts"]) == {1}


async def test_whoever_applies_after_a_kill_reaches_the_same_end(place):
    expected, fatal, passed = None, 0, None
    while passed is None:
        await prepare(place)
        process, pipe = start(apply_until_signal, place.url, 3, fatal, signal.SIGKILL)
        await asyncio.to_thread(process.join, 120)
        if process.exitcode != -signal.SIGKILL:
            ended, passed = pipe.recv()
            assert ended == "applied"

        assert await apply(place.url, 3) == "applied", f"boundary {fatal}"

        found = await end_of(place, 3)
        del found["attempts"]
        assert expected is None or found == expected, f"boundary {fatal}"
        expected, fatal = found, fatal + STRIDE

    assert passed > STRIDE
    assert expected["books"] == [(1, "a", 7), (2, "b", 7), (3, "c", 7)]
    assert (expected["left"], expected["unfinished"], expected["current"]) == ((), None, True)
    assert expected["states"] == {RunState.APPLIED}


@pytest.mark.parametrize(
    ("driver", "fatal"), [("asyncpg", 8), ("asyncpg", 14), ("aiomysql", 8), ("aiomysql", 14)]
)
async def test_a_program_that_was_stopped_and_has_lost_its_lock_changes_nothing(
    driver, fatal, request, tmp_path
):
    """On SQLite whoever is stopped in a transaction keeps the file locked; `test_lost_locks` shows the rest of it."""
    place = await place_of(driver, request, tmp_path)
    await prepare(place)
    process, pipe = start(apply_until_signal, place.url, 3, fatal, signal.SIGSTOP)
    try:
        await eventually(lambda: is_stopped(process.pid))
        await end_others(place)
        ended = await apply(place.url, 3, wait=30.0)
        before = await end_of(place, 3)
    finally:
        os.kill(process.pid, signal.SIGCONT)

    outcome, _ = await asyncio.to_thread(pipe.recv)

    await asyncio.to_thread(process.join, 60)
    assert ended == "applied"
    assert outcome != "applied"
    assert await end_of(place, 3) == before
    assert before["books"] == [(1, "a", 7), (2, "b", 7), (3, "c", 7)]


async def is_stopped(pid):
    """Whether the process has stopped, as the kernel says; nothing while it has not."""
    text = Path(f"/proc/{pid}/stat").read_text()  # noqa: ASYNC240
    return text.rpartition(")")[2].split()[0] in {"T", "t"}


async def end_others(place):
    """End every other session of the database, as a server that takes a client for dead does."""
    match place.driver:
        case "asyncpg":
            await place.ask(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        case "aiomysql":
            found = await place.ask(
                "SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND db = DATABASE()"
            )
            for (number,) in found:
                with contextlib.suppress(Exception):
                    await place.ask(f"KILL CONNECTION {number}")
