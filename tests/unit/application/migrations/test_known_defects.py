"""Defects that systems of this kind have had, each as the behaviour that would show it.

Others of them are shown elsewhere:

- a table with data from before that the rollback of a failed creation drops, and two programs that race for it:
  `test_crashes`, `test_rollback`; on servers `tests/e2e/test_migrations_on_servers` and
  `tests/faults/migrations/test_starts`;
- comments in the place of statements, texts that are split at semicolons, children that go with a rebuilt parent:
  `tests/e2e/migration_properties/test_known_defects`;
- reverses that are lost, in the wrong order, or never recorded: `test_rollback`; on servers
  `test_what_only_adds_is_undone_without_a_trace`;
- hooks that nobody calls or whose failures are swallowed: `test_hooks`;
- a plan that applies, and commands that see no tables: `tests/e2e/migration_properties/test_reading` and
  `test_cli_migrate`;
- runs without a lock, locks that are the same for every database, that say nothing of who has them, or that are told
  from the age of a file: `tests/faults/migrations/test_lost_locks`, `SchemaStoreConformance`;
- records that are written after everything: below, and `test_whoever_applies_after_a_kill_reaches_the_same_end`;
- tables, indexes, constraints, references, nullability, defaults, lengths and schemas that are not compared:
  `tests/e2e/test_migration_detection`;
- backups, free space and checks of types that nobody calls: `test_backup`, `test_apply`, `test_public_databases`;
- foreign keys that are switched off on another connection, or in a transaction: `test_rebuilding`.
"""

import dataclasses

from returns.result import Failure

from fastapi_easy.domain.errors import LockLost
from fastapi_easy.domain.migrations.run import RunState
from fastapi_easy.domain.migrations.stopped import MigrationStop
from fastapi_easy.testing.migrations import InMemorySchema
from tests.unit.application.migrations.migrating import BOOKS, Program, allowing, run_of, states, stopped


async def test_a_step_whose_statements_do_nothing_is_not_said_to_have_changed_anything():
    def comment_only(steps):
        return tuple(dataclasses.replace(each, statements=(f"clean {each.object}",)) for each in steps)

    program = Program({"books": "table"}, revise=comment_only)

    outcome = await program.migrations.apply()

    assert stopped(outcome) == (MigrationStop.NOT_CONVERGED, ("create books table",))
    assert run_of(await program.migrations.status()).is_current is False


async def test_each_step_is_recorded_before_the_next_one_begins():
    program, recorded = Program(BOOKS), []

    @program.hooks.before_step()
    async def look(_):
        recorded.append(states(program.schema.history.runs[0]))

    await program.migrations.apply()

    assert recorded == [
        ["pending", "pending", "pending"],
        ["done", "pending", "pending"],
        ["done", "done", "pending"],
    ]


async def test_a_run_whose_end_cannot_be_recorded_is_no_success():
    program = Program(BOOKS)

    @program.hooks.after_step()
    async def lose_the_lock_in_the_end(context):
        if context.index == 2:
            program.schema.epoch += 1

    outcome = await program.migrations.apply()

    assert outcome == Failure(LockLost("default"))
    assert program.event_names[-1] == "lock_lost"
    assert run_of(await Program(BOOKS, program.schema).migrations.apply()).state is RunState.APPLIED


async def test_a_rollback_is_recorded_and_not_done_twice():
    program = Program(BOOKS)
    await program.migrations.apply()

    run_of(await program.migrations.rollback(approvals=allowing("destructive")))

    assert [each.state for each in program.schema.history.runs] == [RunState.ROLLED_BACK]
    assert stopped(await program.migrations.rollback())[0] is MigrationStop.NO_HISTORY
    assert set(program.schema.executions.values()) == {1}


async def test_what_was_applied_is_known_to_the_next_program():
    schema = InMemorySchema()
    run = run_of(await Program(BOOKS, schema).migrations.apply())

    status = run_of(await Program(BOOKS, schema).migrations.status())

    assert ([each.id for each in status.applied], status.is_current) == ([run.id], True)
