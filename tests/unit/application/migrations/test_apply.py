"""Applying: what is executed, recorded, told and refused."""

from dataclasses import replace

import pytest
from returns.result import Failure, Success

from fastapi_easy.application.migrations.plan_document import read_plan, write_plan
from fastapi_easy.domain.errors import LockHeld, LockLost, Unavailable
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.risk import Risk
from fastapi_easy.domain.migrations.run import RunState
from fastapi_easy.domain.migrations.step import StepMode
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.testing.migrations import InMemorySchema
from fastapi_easy.testing.migrations.comparison import compare
from tests.unit.application.migrations.migrating import BOOKS, Program, allowing, run_of, states, stopped


def snapshot(schema):
    return dict(schema.objects), schema.history, schema.boundaries, schema.epoch, list(schema.executed)


async def test_plans_without_writing_anything_not_even_a_ledger():
    program = Program(BOOKS)
    before = snapshot(program.schema)

    plan = run_of(await program.migrations.plan())

    assert [each.summary for each in plan.steps] == [
        "create books table",
        "create books.isbn text",
        "create books.title text",
    ]
    assert snapshot(program.schema) == before
    assert program.events == []


async def test_applies_the_steps_in_order_and_says_so():
    program = Program(BOOKS)

    run = run_of(await program.migrations.apply())

    assert program.schema.objects == BOOKS
    assert (run.state, states(run), run.notes) == (RunState.APPLIED, ["done"] * 3, ())
    assert program.schema.history.head == run.plan_id
    assert program.event_names == ["planned", "started", *["step_applied"] * 3, "applied"]
    assert run_of(await program.migrations.status()).is_current


async def test_writes_nothing_when_there_is_nothing_to_do():
    program = Program(BOOKS, InMemorySchema(objects=dict(BOOKS)))
    before = snapshot(program.schema)

    run = run_of(await program.migrations.apply())

    assert (run.id, run.state, run.steps) == ("", RunState.APPLIED, ())
    objects, history, boundaries, _, executed = snapshot(program.schema)
    assert (objects, history, boundaries, executed) == (*before[:3], before[4])


async def test_records_the_declared_schema_only_when_nothing_is_left():
    program = Program(BOOKS)

    await program.migrations.apply()

    assert program.schema.history.declared == run_of(await program.store.draft(Hints())).declared


async def test_refuses_what_is_not_allowed_and_executes_nothing():
    program = Program({"books": "table"}, InMemorySchema(objects={**BOOKS, "old": "table"}))
    before = snapshot(program.schema)[:3]

    outcome = await program.migrations.apply(approvals=allowing("dangerous", "DS103:books.isbn"))

    assert stopped(outcome) == (MigrationStop.NOT_ALLOWED, ("DS103:books.title", "DS101:old"))
    assert snapshot(program.schema)[:3] == before
    assert program.events == []


async def test_the_details_of_a_refusal_are_what_has_to_be_given():
    program = Program({"books": "table"}, InMemorySchema(objects=dict(BOOKS)))

    _, needed = stopped(await program.migrations.apply())

    assert run_of(await program.migrations.apply(approvals=allowing(*needed))).state is RunState.APPLIED
    assert program.schema.objects == {"books": "table"}


async def test_a_dry_run_shows_what_would_be_executed_and_is_what_is_executed():
    program = Program(BOOKS)
    before = snapshot(program.schema)

    shown = run_of(await program.migrations.apply(dry_run=True, until_step=1))

    assert (shown.id, shown.state, states(shown)) == ("", RunState.PLANNED, ["pending", "pending", "skipped"])
    assert snapshot(program.schema) == before
    await program.migrations.apply()
    assert [s for each in shown.steps for s in each.statements] == program.schema.executed


async def test_a_dry_run_is_refused_like_the_run_itself():
    program = Program({}, InMemorySchema(objects={"books": "table"}))

    assert stopped(await program.migrations.apply(dry_run=True)) == (
        MigrationStop.NOT_ALLOWED,
        ("DS101:books",),
    )


async def test_copies_the_database_before_something_is_deleted_and_says_where():
    program = Program({"books": "table"}, InMemorySchema(objects=dict(BOOKS)))

    run = run_of(await program.migrations.apply(approvals=allowing("destructive")))

    assert program.schema.backups == [BOOKS]
    assert run.notes == ("a copy of the database from before is at copy 1",)
    assert program.reports == []


async def test_copies_nothing_when_nothing_is_deleted_or_rebuilt():
    program = Program(BOOKS)

    await program.migrations.apply()

    assert program.schema.backups == []


async def test_copies_the_database_before_a_rebuild():
    program = Program(BOOKS, modes={"books.isbn": StepMode.REBUILD})

    await program.migrations.apply()

    assert program.schema.backups == [{}]


# Reviewed plans


async def reviewed(program):
    return read_plan(write_plan(run_of(await program.migrations.plan())))


async def test_applies_a_reviewed_plan():
    program = Program(BOOKS)
    plan = await reviewed(program)

    run = run_of(await program.migrations.apply(plan))

    assert (run.plan_checksum, program.schema.objects) == (plan.checksum, BOOKS)


async def test_a_reviewed_plan_that_is_applied_already_is_not_applied_again():
    program = Program(BOOKS)
    plan = await reviewed(program)
    first = run_of(await program.migrations.apply(plan))

    again = run_of(await program.migrations.apply(plan))

    assert again.id == first.id
    assert set(program.schema.executions.values()) == {1}


async def test_refuses_a_reviewed_plan_after_the_schema_has_changed():
    program = Program(BOOKS)
    plan = await reviewed(program)
    program.schema.objects["other"] = "table"

    stop, _ = stopped(await program.migrations.apply(plan, approvals=allowing("destructive")))

    assert (stop, program.schema.executed) == (MigrationStop.DRIFT, [])


async def test_refuses_a_reviewed_plan_after_another_one_was_applied():
    program = Program(BOOKS)
    plan = await reviewed(program)
    await Program({"shops": "table"}, program.schema).migrations.apply()

    stop, _ = stopped(await program.migrations.apply(plan, approvals=allowing("destructive")))

    assert stop is MigrationStop.DRIFT


async def test_refuses_a_reviewed_plan_that_leads_to_what_this_program_does_not_declare():
    program = Program(BOOKS)
    plan = await reviewed(Program({**BOOKS, "books.price": "numeric"}, program.schema))

    assert stopped(await program.migrations.apply(plan))[0] is MigrationStop.CHANGED


async def test_refuses_a_reviewed_plan_for_another_database():
    program = Program(BOOKS)
    plan = replace(await reviewed(program), database="archive")

    assert stopped(await program.migrations.apply(plan))[0] is MigrationStop.CHANGED


async def test_judges_a_reviewed_plan_by_the_data_of_now_whatever_it_says_itself():
    program = Program({}, InMemorySchema(objects={"books": "table"}))
    plan = await reviewed(program)
    harmless = replace(
        plan,
        steps=tuple(replace(each, risk=Risk.SAFE, findings=(), destructive=False) for each in plan.steps),
    )

    assert harmless.checksum == plan.checksum
    assert stopped(await program.migrations.apply(harmless)) == (MigrationStop.NOT_ALLOWED, ("DS101:books",))


# Failures


async def test_a_failed_step_leaves_a_run_that_goes_on_once_the_cause_is_gone():
    program = Program(BOOKS)
    program.schema.refusals["create books.isbn text"] = [
        MigrationStopped("default", MigrationStop.FAILED, "duplicates")
    ]

    outcome = await program.migrations.apply()

    assert stopped(outcome)[0] is MigrationStop.FAILED
    assert "duplicates" in outcome.failure().message
    failed = program.schema.history.unfinished
    assert (failed.state, states(failed), failed.error) == (
        RunState.FAILED,
        ["done", "failed", "pending"],
        "duplicates",
    )
    assert program.event_names == ["planned", "started", "step_applied", "step_failed"]
    run = run_of(await program.migrations.apply())
    assert (run.id, program.schema.objects) == (failed.id, BOOKS)
    assert set(program.schema.executions.values()) == {1}


async def test_locks_of_others_are_waited_for_with_backoff():
    program = Program(BOOKS)
    program.schema.refusals["create books table"] = [LockHeld("books")] * 4

    run = run_of(await program.migrations.apply())

    assert (run.state, program.slept) == (RunState.APPLIED, [1.0, 2.0, 4.0, 8.0])


async def test_locks_of_others_are_not_waited_for_forever():
    program = Program(BOOKS)
    program.schema.refusals["create books table"] = [LockHeld("books")] * 5

    outcome = await program.migrations.apply()

    assert stopped(outcome)[0] is MigrationStop.FAILED
    assert len(program.slept) == 4
    assert run_of(await program.migrations.apply()).state is RunState.APPLIED


async def test_a_lock_that_was_lost_ends_the_run_between_two_steps():
    program = Program(BOOKS)

    @program.hooks.after_step(table="books")
    async def lose(context):
        if context.index == 0:
            program.schema.drop_lock()

    outcome = await program.migrations.apply()

    assert outcome == Failure(LockLost("default"))
    assert program.schema.objects == {"books": "table"}
    assert program.event_names == ["planned", "started", "step_applied", "lock_lost"]
    other = Program(BOOKS, program.schema)
    assert run_of(await other.migrations.apply()).state is RunState.APPLIED
    assert "started" in other.event_names
    assert set(program.schema.executions.values()) == {1}


async def test_a_zombie_changes_nothing_after_another_session_has_begun():
    program = Program(BOOKS)
    other = Program(BOOKS, program.schema)

    @program.hooks.before_step(table="books")
    async def another_takes_over(context):
        if context.index == 1:
            program.schema.drop_lock()
            assert run_of(await other.migrations.apply()).state is RunState.APPLIED

    outcome = await program.migrations.apply()

    assert outcome == Failure(LockLost("default"))
    assert program.schema.objects == BOOKS
    assert set(program.schema.executions.values()) == {1}
    assert program.schema.history.runs[0].state is RunState.APPLIED


async def test_a_connection_that_breaks_in_a_step_leaves_the_rest_to_the_next_apply():
    program = Program(BOOKS, modes={"books.isbn": StepMode.AUTOCOMMIT})
    program.schema.refusals["create books.isbn text"] = [Unavailable("default")]

    assert stopped(await program.migrations.apply())[0] is MigrationStop.FAILED
    assert run_of(await program.migrations.apply()).state is RunState.APPLIED


async def test_waits_for_another_process_only_as_long_as_asked():
    program = Program(BOOKS)
    program.schema.holder = "other:7"

    outcome = await program.migrations.apply(wait=0.01)

    assert outcome == Failure(LockHeld("migrations of default, held by other:7"))
    assert program.schema.history.exists is False


# Several programs


async def test_stops_after_the_step_that_was_named_and_goes_on_later():
    program = Program(BOOKS)

    run = run_of(await program.migrations.apply(until_step=1))

    assert (run.state, states(run)) == (RunState.RUNNING, ["done", "done", "pending"])
    rest = run_of(await program.migrations.apply())
    assert (rest.id, rest.state, program.schema.objects) == (run.id, RunState.APPLIED, BOOKS)


async def test_only_the_steps_that_are_executed_have_to_be_allowed():
    program = Program({"books": "table", "shops": "table"}, InMemorySchema(objects=dict(BOOKS)))

    run = run_of(await program.migrations.apply(until_step=0))

    assert states(run) == ["done", "pending", "pending"]
    assert stopped(await program.migrations.apply()) == (
        MigrationStop.NOT_ALLOWED,
        ("DS103:books.title", "DS103:books.isbn"),
    )


async def test_an_older_program_does_not_take_back_what_a_newer_one_has_done():
    older = Program(BOOKS)
    await older.migrations.apply()
    newer = Program({**BOOKS, "books.price": "numeric"}, older.schema)
    await newer.migrations.apply()

    stop, _ = stopped(await older.migrations.apply(approvals=allowing("destructive")))

    assert stop is MigrationStop.AHEAD
    assert run_of(await older.migrations.status()).ahead
    plan = run_of(await older.migrations.plan())
    assert (
        run_of(await older.migrations.apply(plan, approvals=allowing("destructive"))).state
        is RunState.APPLIED
    )
    assert older.schema.objects == BOOKS


async def test_drift_is_told_and_planned_on():
    program = Program(BOOKS)
    await program.migrations.apply()
    del program.schema.objects["books.isbn"]

    plan = run_of(await program.migrations.plan())
    run = run_of(await program.migrations.apply())

    assert len(plan.drift) == 1
    assert (run.notes, program.event_names[-5:]) == (
        plan.drift,
        ["drift_detected", "planned", "started", "step_applied", "applied"],
    )
    assert run_of(await program.migrations.plan()).drift == ()


# Convergence


async def test_what_is_seen_only_afterwards_is_applied_too():
    def only_when_books_exist(steps):
        tables = tuple(each for each in steps if "." not in each.object)
        return tables or steps

    program = Program(BOOKS, revise=only_when_books_exist)

    run = run_of(await program.migrations.apply())

    assert program.schema.objects == BOOKS
    assert [len(each.steps) for each in program.schema.history.runs] == [2, 1]
    assert (run.id, run_of(await program.migrations.status()).is_current) == (
        program.schema.history.runs[0].id,
        True,
    )


async def test_what_is_seen_only_after_a_reviewed_plan_has_to_be_safe():
    def only_tables_first(steps):
        return tuple(each for each in steps if "." not in each.object) or steps

    program = Program(BOOKS, revise=only_tables_first, risks={"books.isbn": Risk.CAUTION})
    plan = await reviewed(program)

    outcome = await program.migrations.apply(plan, approvals=allowing("caution"))

    assert stopped(outcome) == (MigrationStop.NOT_ALLOWED, ("XX001:books.isbn",))
    assert outcome.failure().message.startswith(f"run {program.schema.history.runs[0].id} was applied")
    assert (program.schema.objects, program.schema.history.declared) == ({"books": "table"}, "")
    run_of(await program.migrations.apply(approvals=allowing("caution")))
    assert program.schema.objects == BOOKS


async def test_a_difference_that_never_goes_away_is_not_applied_again_and_again():
    stored = InMemorySchema(objects={"books": "table"})
    (step,) = compare(stored.objects, {"books": "view"}, lambda _: StepMode.TRANSACTION)
    program = Program({"books": "view"}, stored, revise=lambda _: (step,))

    outcome = await program.migrations.apply()

    assert stopped(outcome) == (MigrationStop.NOT_CONVERGED, ("change books view",))
    assert stored.executed == ["change books view"]
    assert (stored.history.runs[0].state, stored.history.declared) == (RunState.APPLIED, "")


@pytest.mark.parametrize("event", ["planned", "started", "step_applied", "applied"])
async def test_a_publisher_that_fails_keeps_nothing_from_being_done(event):
    async def fail(published):
        if published.name == f"migration.{event}":
            raise OSError("the broker is gone")

    program = Program(BOOKS, publish=fail)

    assert isinstance(await program.migrations.apply(), Success)
    assert all("could not be published: OSError: the broker is gone" in each for each in program.reports)
    assert program.reports
