"""Repair: what can be seen of a run that has not ended, and what people say of it."""

import dataclasses

import pytest
from returns.result import Failure

from fastapi_easy.application.migrations.repair_migration import RepairAction
from fastapi_easy.domain.errors import NotFound
from fastapi_easy.domain.migrations.run import RunState
from fastapi_easy.domain.migrations.step import Effect, StepMode
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.testing.migrations import Crashed, InMemorySchema
from tests.unit.application.migrations.migrating import BOOKS, Program, allowing, run_of, states, stopped

MODES = dict.fromkeys(BOOKS, StepMode.AUTOCOMMIT)


async def cut_off(statement="create books.isbn text", *, has_effect):
    """A program whose process was killed while the statement was executed."""
    program = Program(BOOKS, modes=MODES)
    program.schema.kills[statement] = has_effect
    with pytest.raises(Crashed):
        await program.migrations.apply()
    return program


async def blocked(*, has_effect):
    program = await cut_off(has_effect=has_effect)
    program.schema.unseen.add("books.isbn")
    assert stopped(await program.migrations.apply())[0] is MigrationStop.NEEDS_REPAIR
    return program


async def test_there_is_nothing_to_repair_when_every_run_has_ended():
    program = Program(BOOKS)
    await program.migrations.apply()

    for action in RepairAction:
        assert run_of(await program.migrations.repair(action, index=0)).run is None


@pytest.mark.parametrize("has_effect", [True, False])
async def test_shows_what_is_recorded_and_what_can_be_seen(has_effect):
    program = await cut_off(has_effect=has_effect)
    history = program.schema.history

    shown = run_of(await program.migrations.repair())

    seen = Effect.APPLIED if has_effect else Effect.NOT_APPLIED
    assert [(each.state, each.effect, each.is_in_doubt) for each in shown.verdicts] == [
        ("done", Effect.APPLIED, False),
        ("running", seen, True),
        ("pending", Effect.NOT_APPLIED, False),
    ]
    assert program.schema.history == history


@pytest.mark.parametrize(("has_effect", "state"), [(True, "done"), (False, "pending")])
async def test_adopts_what_can_be_seen_and_executes_nothing(has_effect, state):
    program = await cut_off(has_effect=has_effect)
    executed = list(program.schema.executed)

    repaired = run_of(await program.migrations.repair(RepairAction.ADOPT))

    assert (repaired.run.state, states(repaired.run)) == (RunState.FAILED, ["done", state, "pending"])
    assert program.schema.executed == executed
    assert run_of(await program.migrations.apply()).state is RunState.APPLIED
    assert (program.schema.objects, set(program.schema.executions.values())) == (BOOKS, {1})


async def test_adopting_the_last_step_ends_the_run():
    program = await cut_off("create books.title text", has_effect=True)

    repaired = run_of(await program.migrations.repair(RepairAction.ADOPT))

    assert (repaired.run.state, states(repaired.run)) == (RunState.APPLIED, ["done"] * 3)
    assert run_of(await program.migrations.status()).is_current


async def test_a_blocked_run_is_not_gone_on_with_by_applying():
    program = await blocked(has_effect=True)

    outcome = await program.migrations.apply()

    assert stopped(outcome)[0] is MigrationStop.NEEDS_REPAIR
    assert program.schema.history.runs[0].state is RunState.BLOCKED
    assert program.schema.executions["create books.isbn text"] == 1


async def test_what_nobody_can_see_cannot_be_adopted():
    program = await blocked(has_effect=True)

    assert stopped(await program.migrations.repair(RepairAction.ADOPT))[0] is MigrationStop.NEEDS_REPAIR
    assert program.schema.history.runs[0].state is RunState.BLOCKED


async def test_a_step_is_done_when_somebody_says_so():
    program = await blocked(has_effect=True)

    repaired = run_of(await program.migrations.repair(RepairAction.MARK_DONE, index=1))

    assert (repaired.run.state, states(repaired.run)) == (RunState.FAILED, ["done", "done", "pending"])
    assert run_of(await program.migrations.apply()).state is RunState.APPLIED
    assert set(program.schema.executions.values()) == {1}


@pytest.mark.parametrize("index", [None, 0, 7])
async def test_only_a_step_that_is_not_done_can_be_marked(index):
    program = await blocked(has_effect=True)

    outcome = await program.migrations.repair(RepairAction.MARK_DONE, index=index)

    assert outcome == Failure(NotFound("migration step", index))
    assert program.schema.history.runs[0].state is RunState.BLOCKED


async def test_a_retry_executes_what_is_in_doubt_and_the_rest():
    program = await blocked(has_effect=False)

    repaired = run_of(await program.migrations.repair(RepairAction.RETRY))

    assert (repaired.run.state, program.schema.objects) == (RunState.APPLIED, BOOKS)


async def test_a_retry_keeps_what_was_allowed_when_the_run_began():
    schema = InMemorySchema(objects={**BOOKS, "old": "table"})
    program = Program({}, schema)

    @program.hooks.before_step(table="books")
    async def refuse(_):
        raise PermissionError

    await program.migrations.apply(approvals=allowing("destructive"))
    other = Program({}, schema)

    assert run_of(await other.migrations.repair(RepairAction.RETRY)).run.state is RunState.APPLIED
    assert schema.objects == {}


async def test_a_run_that_is_given_up_leaves_the_schema_and_makes_room_for_another_plan():
    program = await blocked(has_effect=True)

    given_up = run_of(await program.migrations.repair(RepairAction.ABANDON))
    program.schema.unseen.clear()

    assert (given_up.run.state, program.schema.history.unfinished) == (RunState.ABANDONED, None)
    assert program.schema.objects == {"books": "table", "books.isbn": "text"}
    run = run_of(await program.migrations.apply())
    assert ([each.summary for each in run.steps], program.schema.objects) == (
        ["create books.title text"],
        BOOKS,
    )
    assert run_of(await program.migrations.status()).is_current


async def test_a_plan_that_was_edited_in_the_ledger_can_only_be_given_up():
    program = await cut_off(has_effect=False)
    run = program.schema.history.runs[0]
    program.schema.record(
        dataclasses.replace(run, plan=run.plan.replace("create books.title", "drop books.title"))
    )

    assert stopped(await program.migrations.apply())[0] is MigrationStop.CHANGED
    for action in (RepairAction.SHOW, RepairAction.ADOPT, RepairAction.RETRY):
        assert stopped(await program.migrations.repair(action))[0] is MigrationStop.CHANGED
    assert program.schema.executed == ["create books table"]
    assert run_of(await program.migrations.repair(RepairAction.ABANDON)).run.state is RunState.ABANDONED


async def test_a_statement_that_was_edited_in_the_ledger_is_not_executed():
    program = await cut_off(has_effect=False)
    run = program.schema.history.runs[0]
    edited = dataclasses.replace(run.steps[2], statements=("drop books",))
    program.schema.record(dataclasses.replace(run, steps=(*run.steps[:2], edited)))

    assert stopped(await program.migrations.apply())[0] is MigrationStop.CHANGED
    assert program.schema.objects == {"books": "table"}


async def test_repairs_a_rollback_that_was_cut_off():
    program = Program(BOOKS)
    await program.migrations.apply()
    program.schema.refusals["drop books.isbn"] = [MigrationStopped("default", MigrationStop.FAILED, "in use")]
    await program.migrations.rollback(approvals=allowing("destructive"))

    marked = run_of(await program.migrations.repair(RepairAction.MARK_DONE, index=1))
    assert (marked.run.state, states(marked.run)) == (RunState.FAILED, ["done", "reversed", "reversed"])
    retried = run_of(await program.migrations.repair(RepairAction.RETRY))

    assert (retried.run.state, states(retried.run)) == (RunState.ROLLED_BACK, ["reversed"] * 3)
