"""Rolling back: the stored reverses, newest first, and never one of what has not happened."""

import dataclasses

import pytest
from returns.result import Failure

from fastapi_easy.domain.errors import LockHeld, NotFound, Unavailable
from fastapi_easy.domain.migrations.change import ChangeKind
from fastapi_easy.domain.migrations.run import RunState
from fastapi_easy.domain.migrations.step import Reversibility, StepMode
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.testing.migrations import InMemorySchema
from tests.unit.application.migrations.migrating import BOOKS, Program, allowing, run_of, states, stopped

LOSSES = allowing("destructive")


async def applied(declared=BOOKS, **options):
    program = Program(declared, **options)
    run_of(await program.migrations.apply())
    program.schema.executed.clear()
    program.events.clear()
    return program


async def test_undoes_every_step_newest_first_and_says_so():
    program = await applied()

    run = run_of(await program.migrations.rollback(approvals=LOSSES))

    assert program.schema.executed == ["drop books.title", "drop books.isbn", "drop books"]
    assert (run.state, states(run)) == (RunState.ROLLED_BACK, ["reversed"] * 3)
    assert (program.schema.objects, program.schema.history.head) == ({}, "")
    assert program.event_names == ["rolled_back"]
    assert program.events[0].steps == 3


async def test_nothing_that_was_applied_is_no_success():
    program = Program(BOOKS)

    assert stopped(await program.migrations.rollback())[0] is MigrationStop.NO_HISTORY
    assert program.schema.history.exists is False


async def test_never_drops_a_table_that_was_there_before_the_step_that_failed_to_create_it():
    modes = dict.fromkeys(BOOKS, StepMode.AUTOCOMMIT)
    plan = run_of(await Program(BOOKS, modes=modes).migrations.plan())
    schema = InMemorySchema(objects={"books": "table", "books.data": "text"}, rows={"books": 2})
    program = Program(BOOKS, schema, revise=lambda _: plan.steps)

    failed = await program.migrations.apply()
    rolled_back = run_of(await program.migrations.rollback(approvals=LOSSES))

    assert stopped(failed)[0] is MigrationStop.FAILED
    assert "already exists" in failed.failure().message
    assert (rolled_back.state, schema.executed) == (RunState.ROLLED_BACK, [])
    assert (schema.objects, schema.rows) == ({"books": "table", "books.data": "text"}, {"books": 2})


async def test_what_failed_to_be_made_since_others_have_made_it_is_not_taken_for_ours():
    program = Program(BOOKS, modes=dict.fromkeys(BOOKS, StepMode.AUTOCOMMIT))
    program.schema.refusals["create books table"] = [
        MigrationStopped("default", MigrationStop.FAILED, "already exists")
    ]
    await program.migrations.apply()
    program.schema.objects["books"] = "table"

    stop, _ = stopped(await program.migrations.apply())

    assert stop is MigrationStop.NEEDS_REPAIR
    assert program.schema.history.runs[0].state is RunState.BLOCKED


async def test_undoes_only_the_steps_that_are_done():
    program = Program(BOOKS)
    program.schema.refusals["create books.title text"] = [
        MigrationStopped("default", MigrationStop.FAILED, "no")
    ]
    await program.migrations.apply()
    program.schema.executed.clear()

    run = run_of(await program.migrations.rollback(approvals=LOSSES))

    assert program.schema.executed == ["drop books.isbn", "drop books"]
    assert (run.state, states(run)) == (RunState.ROLLED_BACK, ["reversed", "reversed", "pending"])


async def test_what_is_lost_has_to_be_allowed_by_rule_and_object():
    program = await applied()
    program.schema.rows["books"] = 3

    stop, details = stopped(await program.migrations.rollback())

    assert (stop, details) == (
        MigrationStop.NOT_ALLOWED,
        ("DS103:books.title", "DS103:books.isbn", "DS101:books"),
    )
    assert program.schema.executed == []
    assert program.schema.history.unfinished is None
    run_of(await program.migrations.rollback(approvals=allowing(*details)))


async def test_an_empty_table_is_dropped_without_being_allowed():
    program = await applied()

    assert run_of(await program.migrations.rollback()).state is RunState.ROLLED_BACK
    assert program.schema.backups == []


async def test_a_column_without_values_is_dropped_without_being_allowed():
    program = await applied()
    run_of(await Program({**BOOKS, "books.price": "numeric"}, program.schema).migrations.apply())
    program.schema.rows["books"] = 3
    program.schema.answers["all_null:books.price"] = True

    assert run_of(await program.migrations.rollback()).state is RunState.ROLLED_BACK


async def test_the_database_is_copied_before_data_is_lost():
    program = await applied()
    program.schema.rows["books"] = 3

    run = run_of(await program.migrations.rollback(approvals=LOSSES))

    assert program.schema.backups == [BOOKS]
    assert run.notes == ("a copy of the database from before is at copy 1",)


def without_reverse(*names):
    def revise(steps):
        return tuple(
            dataclasses.replace(each, reverse=(), reversibility=Reversibility.NONE)
            if each.object in names
            else each
            for each in steps
        )

    return revise


async def test_a_step_that_nothing_undoes_stops_the_rollback_before_it_begins():
    program = await applied(revise=without_reverse("books.isbn"))

    stop, details = stopped(await program.migrations.rollback(approvals=LOSSES))

    assert stop is MigrationStop.IRREVERSIBLE
    assert [each.partition(", ")[2] for each in details] == ["step 2: create books.isbn text"]
    assert (program.schema.executed, program.schema.objects) == ([], BOOKS)


async def test_says_how_much_can_be_undone():
    program = await applied(revise=without_reverse("books.isbn"))
    newer = Program({**BOOKS, "books.price": "numeric"}, program.schema)
    run_of(await newer.migrations.apply())

    outcome = await newer.migrations.rollback(steps=2, approvals=LOSSES)

    assert stopped(outcome)[0] is MigrationStop.IRREVERSIBLE
    assert "the newest 1 of these runs can be undone" in outcome.failure().message
    assert run_of(await newer.migrations.rollback(approvals=LOSSES)).state is RunState.ROLLED_BACK


async def test_a_step_without_statements_that_undo_it_may_have_nothing_to_be_undone():
    def revise(steps):
        return tuple(
            dataclasses.replace(each, reverse=()) if each.object == "books.isbn" else each for each in steps
        )

    program = await applied(revise=revise)

    run = run_of(await program.migrations.rollback(approvals=LOSSES))

    assert program.schema.executed == ["drop books.title", "drop books"]
    assert states(run) == ["reversed"] * 3


async def three_runs():
    program = await applied()
    newer = Program({**BOOKS, "books.price": "numeric"}, program.schema)
    run_of(await newer.migrations.apply())
    newest = Program({**BOOKS, "books.price": "numeric", "shops": "table"}, program.schema)
    run_of(await newest.migrations.apply())
    program.schema.executed.clear()
    return newest


async def test_undoes_as_many_runs_as_asked():
    program = await three_runs()
    first = program.schema.history.runs[2]

    run = run_of(await program.migrations.rollback(steps=2, approvals=LOSSES))

    assert program.schema.executed == ["drop shops", "drop books.price"]
    assert (run.id, program.schema.history.head) == (program.schema.history.runs[1].id, first.plan_id)


@pytest.mark.parametrize("name", ["id", "plan_id"])
async def test_undoes_the_runs_after_the_one_that_was_named(name):
    program = await three_runs()
    first = program.schema.history.runs[2]

    run_of(await program.migrations.rollback(to=getattr(first, name), approvals=LOSSES))

    assert (program.schema.objects, program.schema.history.head) == (BOOKS, first.plan_id)


async def test_undoes_everything_down_to_the_base():
    program = await three_runs()

    run_of(await program.migrations.rollback(to="base", approvals=LOSSES))

    assert (program.schema.objects, program.schema.history.head) == ({}, "")


async def test_a_run_that_nobody_knows_is_not_found():
    program = await three_runs()

    assert await program.migrations.rollback(to="f00") == Failure(NotFound("migration", "f00"))


def test_less_than_one_run_cannot_be_asked_for():
    with pytest.raises(ValueError, match="name 1 or more"):
        _ = Program(BOOKS).migrations.rollback(steps=0).send(None)


@pytest.mark.parametrize("mode", [StepMode.TRANSACTION, StepMode.AUTOCOMMIT])
@pytest.mark.parametrize(
    "error",
    [MigrationStopped("default", MigrationStop.FAILED, "in use"), Unavailable("default")],
    ids=["refused", "cut off"],
)
async def test_a_reverse_that_fails_is_gone_on_with_by_the_next_rollback(mode, error):
    program = await applied(modes=dict.fromkeys(BOOKS, mode))
    program.schema.refusals["drop books.isbn"] = [error]

    failed = await program.migrations.rollback(approvals=LOSSES)

    assert stopped(failed)[0] is MigrationStop.FAILED
    run = program.schema.history.unfinished
    assert (run.state, states(run)) == (RunState.FAILED, ["done", "done", "reversed"])
    assert stopped(await program.migrations.apply())[0] is MigrationStop.NEEDS_REPAIR
    assert run_of(await program.migrations.rollback(approvals=LOSSES)).id == run.id
    assert program.schema.objects == {}
    assert set(program.schema.executions.values()) == {1}


async def test_a_rollback_whose_first_reverse_fails_leaves_the_run_applied():
    program = await applied()
    declared = program.schema.history.declared
    program.schema.refusals["drop books.title"] = [
        MigrationStopped("default", MigrationStop.FAILED, "in use")
    ]

    await program.migrations.rollback(approvals=LOSSES)

    history = program.schema.history
    assert (history.unfinished, history.runs[0].state, history.declared) == (None, RunState.APPLIED, declared)
    assert run_of(await program.migrations.status()).is_current


async def test_locks_of_others_are_waited_for():
    program = await applied()
    program.schema.refusals["drop books"] = [LockHeld("books")] * 2

    assert run_of(await program.migrations.rollback(approvals=LOSSES)).state is RunState.ROLLED_BACK
    assert program.slept == [1.0, 2.0]


async def test_a_blocked_run_is_not_undone_before_somebody_has_looked():
    program = Program(BOOKS, modes=dict.fromkeys(BOOKS, StepMode.AUTOCOMMIT))
    program.schema.refusals["create books.isbn text"] = [
        MigrationStopped("default", MigrationStop.FAILED, "no")
    ]
    program.schema.unseen.add("books.isbn")
    await program.migrations.apply()
    await program.migrations.apply()

    assert stopped(await program.migrations.rollback(approvals=LOSSES))[0] is MigrationStop.NEEDS_REPAIR
    assert program.schema.objects == {"books": "table"}


async def test_the_plan_that_was_undone_can_be_applied_again():
    program = await applied()
    first = program.schema.history.runs[0]
    run_of(await program.migrations.rollback(approvals=LOSSES))

    again = run_of(await program.migrations.apply())

    assert (again.plan_id, again.id != first.id) == (first.plan_id, True)
    assert [each.id for each in program.schema.history.applied] == [again.id]


async def test_a_plan_that_was_edited_in_the_ledger_is_not_undone():
    program = await applied()
    run = program.schema.history.runs[0]
    program.schema.record(dataclasses.replace(run, plan=run.plan.replace("drop books", "drop shops")))

    assert stopped(await program.migrations.rollback(approvals=LOSSES))[0] is MigrationStop.CHANGED


async def test_statements_of_somebodys_own_are_undone_only_when_that_is_allowed():
    def revise(steps):
        return tuple(
            dataclasses.replace(
                each, changes=(dataclasses.replace(each.changes[0], kind=ChangeKind.RUN_SQL),)
            )
            for each in steps
        )

    program = await applied({"books": "table"}, revise=revise)

    assert stopped(await program.migrations.rollback()) == (MigrationStop.NOT_ALLOWED, ("OP109:books",))
    run_of(await program.migrations.rollback(approvals=allowing("dangerous")))


async def test_says_when_undoing_everything_does_not_restore_the_schema():
    program = await applied()
    program.schema.objects["shops"] = "table"

    run = run_of(await program.migrations.rollback(approvals=LOSSES))

    assert ["not quite what it was before" in each for each in run.notes] == [True]
