"""Status, adoption and scripts: what is there, where it comes from, and what is recorded of it."""

import pytest
from returns.result import Failure, Success

from fastapi_easy.domain.errors import NotFound, Unsupported
from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.run import RunState
from fastapi_easy.domain.migrations.step import Reversibility, Step, StepMode
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.domain.ports.migration_scripts import ScriptPart
from fastapi_easy.testing.migrations import Crashed, InMemorySchema
from tests.unit.application.migrations.migrating import BOOKS, Program, allowing, run_of, states, stopped


async def test_status_says_what_is_left_to_do_and_writes_nothing():
    program = Program(BOOKS, InMemorySchema(objects={"books": "table"}))

    status = run_of(await program.migrations.status())

    assert (status.has_ledger, status.is_empty, status.head, status.unfinished) == (False, False, "", None)
    assert [each.summary for each in status.pending.steps] == [
        "create books.isbn text",
        "create books.title text",
    ]
    assert status.is_current is False
    assert program.schema.history.exists is False


async def test_status_shows_a_run_that_has_not_ended_and_who_has_begun_it():
    program = Program(BOOKS, owner="host:7")
    await program.migrations.apply(until_step=1)

    status = run_of(await program.migrations.status())

    assert (status.unfinished.state, states(status.unfinished)) == (
        RunState.RUNNING,
        ["done", "done", "pending"],
    )
    assert (status.lock_holder, len(status.drift), status.is_current) == ("host:7", 1, False)
    assert "applying goes on with it first" in status.drift[0]


async def test_status_shows_drift_and_what_is_half_made():
    program = Program(BOOKS)
    await program.migrations.apply()
    program.schema.objects["books.ix"] = "half of index"

    status = run_of(await program.migrations.status())

    assert ("by other means" in status.drift[0], status.leftovers) == (True, ("books.ix is half made",))


# Adoption


async def test_a_database_that_exists_is_adopted_as_it_is():
    program = Program(BOOKS, InMemorySchema(objects=dict(BOOKS)))

    run = run_of(await program.migrations.baseline())

    assert (run.state, run.steps, program.schema.executed) == (RunState.APPLIED, (), [])
    declared = run_of(await program.migrations.plan()).declared
    assert (program.schema.history.head, program.schema.history.declared) == (run.plan_id, declared)
    assert run_of(await program.migrations.baseline()).id == run.id


async def test_what_differs_from_the_declared_schema_is_not_said_to_be_applied():
    program = Program(BOOKS, InMemorySchema(objects={"books": "table"}))

    run_of(await program.migrations.baseline())

    assert program.schema.history.declared == ""
    assert len(run_of(await program.migrations.apply()).steps) == 2


async def test_drift_is_over_when_the_database_is_adopted_again():
    program = Program(BOOKS)
    await program.migrations.apply()
    program.schema.objects["books.note"] = "text"

    run_of(await program.migrations.baseline())

    assert run_of(await program.migrations.plan()).drift == ()
    assert len(program.schema.history.applied) == 2


async def test_what_was_seen_before_there_was_the_lock_is_recorded_without_comparing_again():
    program = Program(BOOKS, InMemorySchema(objects=dict(BOOKS)))
    seen = run_of(await program.migrations.plan())
    program.schema.objects["books.note"] = "text"

    run = run_of(await program.migrations.baseline(seen=seen))

    assert (run.state, program.schema.history.declared) == (RunState.APPLIED, seen.declared)
    assert program.schema.history.fingerprint == (await program.store.describe()).unwrap().fingerprint


async def test_what_was_seen_before_somebody_migrated_is_compared_again():
    program = Program(BOOKS, InMemorySchema(objects=dict(BOOKS)))
    seen = run_of(await program.migrations.plan())
    other = Program({**BOOKS, "books.note": "text"}, program.schema)
    await other.migrations.apply()

    run_of(await program.migrations.baseline(seen=seen))

    assert (len(program.schema.history.applied), program.schema.history.declared) == (2, "")


async def test_a_plan_with_steps_is_not_taken_for_carried_out():
    program = Program(BOOKS, InMemorySchema(objects={"books": "table"}))
    seen = run_of(await program.migrations.plan())

    run_of(await program.migrations.baseline(seen=seen))

    assert program.schema.history.declared == ""


async def test_where_a_database_was_adopted_there_is_nothing_to_undo():
    program = Program(BOOKS, InMemorySchema(objects=dict(BOOKS)))
    await program.migrations.baseline()

    assert stopped(await program.migrations.rollback())[0] is MigrationStop.IRREVERSIBLE


async def test_no_database_is_adopted_in_the_midst_of_a_run():
    program = Program(BOOKS)
    await program.migrations.apply(until_step=0)

    assert stopped(await program.migrations.baseline())[0] is MigrationStop.NEEDS_REPAIR


async def test_there_is_no_script_to_adopt_without_scripts():
    program = Program(BOOKS)

    assert await program.migrations.baseline("a1") == Failure(NotFound("migration script", "a1"))
    assert await program.migrations.make("books") == Failure(Unsupported("migrations", "scripts"))


# Scripts


class Scripts:
    """Scripts in memory; the revision is an object like any other."""

    def __init__(self, schema, **steps):
        self.schema = schema
        self.scripts = {revision: tuple(map(made, statements)) for revision, statements in steps.items()}
        self.written = []

    @property
    def has_scripts(self):
        return bool(self.scripts)

    async def pending(self, history):
        if not history.exists and self.schema.objects and "revision" not in self.schema.objects:
            return Failure(MigrationStopped("default", MigrationStop.NO_HISTORY, "adopt it first"))
        applied = {each for run in history.applied for each in run.revisions}
        return Success(
            [
                ScriptPart(revision=each, steps=steps)
                for each, steps in self.scripts.items()
                if each not in applied
            ]
        )

    async def make(self, plan, message, hints):
        self.written.append((message, [each.summary for each in plan.steps]))
        return Success(f"versions/{message}.py")

    async def stamp(self, revision, history):
        if revision is not None and revision not in self.scripts:
            return Failure(NotFound("migration script", revision))
        names = list(self.scripts)
        adopted = names[: names.index(revision) + 1 if revision else None]
        return Success([ScriptPart(revision=each, steps=()) for each in adopted])


def made(statement):
    _, name, *_ = statement.split()
    table, _, part = name.partition(".")
    return Step(
        changes=(
            Change(
                kind=ChangeKind.CREATE_TABLE if not part else ChangeKind.ADD_COLUMN, table=table, name=part
            ),
        ),
        summary=statement,
        statements=(statement,),
        reverse=(f"drop {name}",),
        reversibility=Reversibility.FULL,
    )


def scripted(objects=None):
    schema = InMemorySchema(objects=dict(objects or {}))
    scripts = Scripts(
        schema, a1=["create books table"], b2=["create books.isbn text", "create books.title text"]
    )
    return Program(BOOKS, schema, scripts=scripts), scripts


async def test_plans_come_from_scripts_where_there_are_some():
    program, _ = scripted()

    plan = run_of(await program.migrations.plan())
    run = run_of(await program.migrations.apply(plan))

    assert (plan.source, plan.revisions) == ("files", ("a1", "b2"))
    assert (run.revisions, run.notes, program.schema.objects) == (("a1", "b2"), (), BOOKS)
    assert program.schema.history.declared
    assert run_of(await program.migrations.status()).is_current


async def test_a_reviewed_plan_is_not_applied_after_a_script_was_edited():
    program, scripts = scripted()
    plan = run_of(await program.migrations.plan())
    scripts.scripts["b2"] = (made("create books.isbn varchar"),)

    assert stopped(await program.migrations.apply(plan))[0] is MigrationStop.CHANGED
    assert program.schema.executed == []


async def test_says_when_scripts_do_not_lead_to_the_declared_schema():
    program, scripts = scripted()
    del scripts.scripts["b2"]

    run = run_of(await program.migrations.apply())

    assert run.notes == (
        "the scripts do not lead to the declared schema, what is left: create books.isbn text; create books.title text",
    )
    assert program.schema.history.declared == ""


async def test_refuses_a_database_with_tables_that_no_script_is_known_to_have_made():
    program, _ = scripted(BOOKS)

    assert stopped(await program.migrations.apply())[0] is MigrationStop.NO_HISTORY
    status = run_of(await program.migrations.status())
    assert (status.problem.stop, status.is_current) == (MigrationStop.NO_HISTORY, False)


async def test_adopts_a_database_at_a_revision_and_goes_on_from_there():
    program, _ = scripted({"books": "table"})

    adopted = run_of(await program.migrations.baseline("a1"))
    run = run_of(await program.migrations.apply())

    assert (adopted.revisions, run.revisions, program.schema.objects) == (("a1",), ("b2",), BOOKS)


async def test_an_empty_database_has_the_changes_of_no_script():
    program, _ = scripted()

    assert stopped(await program.migrations.baseline())[0] is MigrationStop.DRIFT
    assert await program.migrations.baseline("zz") == Failure(NotFound("migration script", "zz"))


async def test_writes_a_script_from_the_difference_that_is_left():
    program, scripts = scripted()
    del scripts.scripts["b2"]
    await program.migrations.apply()

    assert await program.migrations.make("columns") == Success("versions/columns.py")
    assert scripts.written == [("columns", ["create books.isbn text", "create books.title text"])]


async def test_writes_no_script_before_the_earlier_ones_are_applied():
    program, scripts = scripted()

    assert stopped(await program.migrations.make("more")) == (MigrationStop.DRIFT, ("a1", "b2"))
    assert scripts.written == []


async def test_writes_no_script_when_nothing_is_left():
    program, scripts = scripted()
    await program.migrations.apply()

    assert await program.migrations.make("more") == Success("")
    assert scripts.written == []


async def test_scripts_are_rolled_back_like_everything_else():
    program, _ = scripted()
    await program.migrations.apply()

    run_of(await program.migrations.rollback(approvals=allowing("destructive")))

    assert program.schema.objects == {}
    assert run_of(await program.migrations.plan()).revisions == ("a1", "b2")


async def test_batches_go_on_where_they_were():
    fill = Step(
        changes=(Change(kind=ChangeKind.BACKFILL, table="books", name="isbn"),),
        summary="fill books.isbn",
        statements=("fill books.isbn",),
        mode=StepMode.BATCHES,
        reversibility=Reversibility.FULL,
    )
    schema = InMemorySchema(unfilled={"books.isbn": 5})

    def make_program():
        return Program({}, schema, revise=lambda steps: (fill,) if schema.unfilled["books.isbn"] else steps)

    schema.crash_at = 6
    with pytest.raises(Crashed):
        await make_program().migrations.apply()
    schema.crash_at = None
    left = schema.unfilled["books.isbn"]
    run_of(await make_program().migrations.apply())

    assert 0 < left < 5
    assert (schema.unfilled, schema.executions) == ({"books.isbn": 0}, {"fill books.isbn": 6})
