"""Whatever the moment at which a process is killed, the next one comes to the same end."""

import asyncio
import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from returns.result import Success

from fastapi_easy.domain.migrations.run import RunState
from fastapi_easy.domain.migrations.step import StepMode
from fastapi_easy.testing.migrations import Crashed, InMemorySchema
from tests.thorough import examples
from tests.unit.application.migrations.migrating import BOOKS, Program, allowing, run_of

STORED = {"books": "table", "books.title": "varchar", "books.old": "text", "shops": "table"}
DECLARED = {
    "books": "table",
    "books.title": "text",
    "books.isbn": "text",
    "authors": "table",
    "authors.name": "text",
}
OBJECTS = sorted({*STORED, *DECLARED})
MODES = st.fixed_dictionaries(
    {name: st.sampled_from([StepMode.TRANSACTION, StepMode.AUTOCOMMIT, StepMode.REBUILD]) for name in OBJECTS}
)
EVERYTHING = allowing("destructive", "dangerous")


async def killed_at(boundary, schema, act):
    """Let *act* be killed at *boundary*; whether it was."""
    schema.crash_at = schema.boundaries + boundary
    try:
        await act()
    except Crashed:
        return True
    finally:
        schema.crash_at = None
    return False


def stored():
    return InMemorySchema(objects=dict(STORED))


def repeated(schema):
    return {
        statement
        for statement, count in schema.executions.items()
        if count > 1 and not statement.startswith("clean")
    }


@given(modes=MODES, boundaries=st.lists(st.integers(0, 50), min_size=1, max_size=4))
@settings(deadline=None, max_examples=examples(40, 100))
async def test_a_run_that_is_killed_at_any_boundaries_ends_as_if_nothing_had_happened(modes, boundaries):
    schema = stored()
    program = lambda: Program(DECLARED, schema, modes=modes)  # noqa: E731

    for boundary in boundaries:
        await killed_at(boundary, schema, lambda: program().migrations.apply(approvals=EVERYTHING))
    last = program()
    outcome = await last.migrations.apply(approvals=EVERYTHING)

    assert isinstance(outcome, Success)
    assert (schema.objects, schema.holder, schema.history.unfinished) == (DECLARED, "", None)
    assert repeated(schema) == set()
    assert run_of(await last.migrations.status()).is_current
    assert [each.state for each in schema.history.applied] == [RunState.APPLIED]


@pytest.mark.parametrize("mode", [StepMode.TRANSACTION, StepMode.AUTOCOMMIT])
async def test_every_single_boundary_of_a_run_can_be_survived(mode):
    modes = dict.fromkeys(OBJECTS, mode)
    boundary = 0
    while await is_survived(boundary, modes):
        boundary += 1

    assert boundary > 20


async def is_survived(boundary, modes):
    """Whether a run is killed at *boundary*, after which another one must come to the same end."""
    schema = stored()
    first, second = Program(DECLARED, schema, modes=modes), Program(DECLARED, schema, modes=modes)
    if not await killed_at(boundary, schema, lambda: first.migrations.apply(approvals=EVERYTHING)):
        return False
    run_of(await second.migrations.apply(approvals=EVERYTHING))
    assert (schema.objects, repeated(schema)) == (DECLARED, set())
    return True


@given(modes=MODES, boundaries=st.lists(st.integers(0, 50), min_size=0, max_size=4))
@settings(deadline=None, max_examples=examples(40, 100))
async def test_a_rollback_that_is_killed_at_any_boundaries_restores_the_schema_from_before(modes, boundaries):
    schema = stored()
    program = lambda: Program(DECLARED, schema, modes=modes)  # noqa: E731
    run_of(await program().migrations.apply(approvals=EVERYTHING))
    head = schema.history.head

    for boundary in boundaries:
        if schema.history.head == head:
            await killed_at(boundary, schema, lambda: program().migrations.rollback(approvals=EVERYTHING))
    if schema.history.head == head:
        assert isinstance(await program().migrations.rollback(approvals=EVERYTHING), Success)

    assert (schema.objects, schema.history.head, schema.history.unfinished) == (STORED, "", None)
    assert [each.state for each in schema.history.runs] == [RunState.ROLLED_BACK]
    assert [each for each in schema.history.runs[0].steps if each.state == "done"] == []


@given(modes=MODES, boundary=st.integers(0, 50))
@settings(deadline=None, max_examples=examples(40, 100))
async def test_a_run_that_was_killed_can_be_rolled_back_instead(modes, boundary):
    schema = stored()
    program = lambda: Program(DECLARED, schema, modes=modes)  # noqa: E731
    await killed_at(boundary, schema, lambda: program().migrations.apply(approvals=EVERYTHING))
    if not schema.history.runs:
        return

    outcome = await program().migrations.rollback(approvals=EVERYTHING)

    if isinstance(outcome, Success):
        assert (schema.objects, schema.history.unfinished) == (STORED, None)
    else:
        # What holds data and is half there may be somebody else's.
        assert outcome.failure().stop == "needs_repair"
        assert [each for each in schema.executed if each.startswith(("drop books", "drop authors"))] in (
            [],
            ["drop books.old"],
        )


@given(modes=MODES, boundary=st.integers(0, 50))
@settings(deadline=None, max_examples=examples(40, 100))
async def test_a_run_that_is_cancelled_gives_the_lock_back_and_can_be_gone_on_with(modes, boundary):
    schema = stored()
    program = Program(DECLARED, schema, modes=modes)
    task = asyncio.create_task(program.migrations.apply(approvals=EVERYTHING))
    for _ in range(boundary):
        await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

    assert schema.holder == ""
    run_of(await Program(DECLARED, schema, modes=modes).migrations.apply(approvals=EVERYTHING))
    assert (schema.objects, repeated(schema)) == (DECLARED, set())


@pytest.mark.parametrize("mode", [StepMode.TRANSACTION, StepMode.AUTOCOMMIT])
@pytest.mark.parametrize("is_reviewed", [True, False])
async def test_eight_programs_at_once_execute_each_statement_once(mode, is_reviewed):
    schema = stored()
    programs = [
        Program(DECLARED, schema, modes=dict.fromkeys(OBJECTS, mode), owner=f"host:{n}") for n in range(8)
    ]
    plan = run_of(await programs[0].migrations.plan()) if is_reviewed else None

    outcomes = await asyncio.gather(*(each.migrations.apply(plan, approvals=EVERYTHING) for each in programs))

    assert all(isinstance(each, Success) for each in outcomes)
    assert schema.objects == DECLARED
    assert set(schema.executions.values()) == {1}
    assert len(schema.history.runs) == 1


async def test_eight_programs_that_start_at_once_execute_each_statement_once():
    schema = InMemorySchema()
    programs = [Program(BOOKS, schema, owner=f"host:{n}") for n in range(8)]

    outcomes = await asyncio.gather(*(each.migrations.apply_safe() for each in programs))

    assert [bool(run_of(each).rest) for each in outcomes] == [False] * 8
    assert sum(run_of(each).run is not None for each in outcomes) == 1
    assert set(schema.executions.values()) == {1}


@given(modes=MODES)
@settings(deadline=None, max_examples=examples(40, 100))
async def test_rolling_back_what_was_applied_changes_nothing_on_the_whole(modes):
    schema = stored()
    program = Program(DECLARED, schema, modes=modes)
    before = schema.fingerprint

    run_of(await program.migrations.apply(approvals=EVERYTHING))
    run = run_of(await program.migrations.rollback(approvals=EVERYTHING))

    assert (schema.fingerprint, run.state) == (before, RunState.ROLLED_BACK)
    assert run_of(await program.migrations.plan()).drift == ()
    run_of(await program.migrations.apply(approvals=EVERYTHING))
    assert schema.objects == DECLARED
