"""Hooks: those before something may refuse it, those after it may not undo it."""

import asyncio

import pytest

from fastapi_easy.application.migrations.hooks.contexts import Moment
from fastapi_easy.domain.migrations.change import ChangeKind
from fastapi_easy.domain.migrations.run import RunState
from fastapi_easy.domain.migrations.step import StepMode
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.testing.migrations import InMemorySchema
from tests.unit.application.migrations.migrating import BOOKS, Program, allowing, run_of, states, stopped


async def refuse(_):
    raise PermissionError("not on a Friday")


async def test_hooks_are_called_in_the_order_of_what_happens():
    program, called = Program(BOOKS), []

    def note(name):
        async def hook(context):
            called.append((name, getattr(context, "index", None)))

        return hook

    for moment in Moment:
        getattr(program.hooks, moment)()(note(moment.value))
    await program.migrations.apply()
    await program.migrations.rollback()

    steps = [(name, index) for index in range(3) for name in ("before_step", "after_step")]
    assert called == [
        *[("before_plan", None), ("after_plan", None), ("before_run", None)],
        *steps,
        *[("after_run", None), ("before_rollback", None), ("after_rollback", None)],
    ]


async def test_hooks_of_one_moment_are_called_in_the_order_in_which_they_were_registered():
    program, called = Program(BOOKS), []
    for name in "abc":

        @program.hooks.before_run()
        async def hook(_, name=name):
            called.append(name)

    await program.migrations.apply()

    assert called == ["a", "b", "c"]


async def test_a_hook_that_is_registered_later_is_called_too():
    program, called = Program(BOOKS), []

    @program.migrations.hooks.after_run()
    async def hook(context):
        called.append(context.run.state)

    await program.migrations.apply()

    assert called == [RunState.APPLIED]


@pytest.mark.parametrize(
    ("moment", "message"),
    [
        pytest.param("before_plan", "no plan was made", id="plan"),
        pytest.param("before_run", "nothing was executed", id="run"),
        pytest.param("before_step", "step 1 (create books table) was refused", id="step"),
    ],
)
async def test_a_hook_before_that_fails_refuses(moment, message):
    program = Program(BOOKS)
    getattr(program.hooks, moment)()(refuse)

    outcome = await program.migrations.apply()

    assert stopped(outcome)[0] is MigrationStop.VETOED
    assert outcome.failure().message.startswith(message)
    assert "PermissionError: not on a Friday" in outcome.failure().message
    assert program.schema.objects == {}


async def test_a_step_that_was_refused_ends_the_run_before_it_and_can_be_gone_on_with():
    program, is_friday = Program(BOOKS), True

    @program.hooks.before_step(table="books", kind=ChangeKind.ADD_COLUMN)
    async def hook(context):
        if context.step.object == "books.title" and is_friday:
            await refuse(context)

    await program.migrations.apply()

    run = program.schema.history.unfinished
    assert (states(run), program.schema.objects) == (
        ["done", "done", "pending"],
        {"books": "table", "books.isbn": "text"},
    )
    is_friday = False
    assert run_of(await program.migrations.apply()).id == run.id
    assert program.schema.objects == BOOKS


async def test_a_rollback_can_be_refused():
    program = Program(BOOKS)
    await program.migrations.apply()
    program.hooks.before_rollback(kind=ChangeKind.CREATE_TABLE)(refuse)

    assert stopped(await program.migrations.rollback())[0] is MigrationStop.VETOED
    assert (program.schema.objects, program.schema.history.unfinished) == (BOOKS, None)


@pytest.mark.parametrize("moment", ["after_plan", "after_step", "after_run"])
async def test_a_hook_afterwards_that_fails_is_reported_and_undoes_nothing(moment):
    program = Program(BOOKS)
    getattr(program.hooks, moment)()(refuse)

    run = run_of(await program.migrations.apply())

    assert (program.schema.objects, run.state) == (BOOKS, RunState.APPLIED)
    assert set(program.reports) == {f"{moment} hook refuse failed: PermissionError: not on a Friday"}


async def test_what_hooks_failed_with_is_in_the_run_that_is_answered():
    program = Program({"books": "table"})
    program.hooks.after_step()(refuse)

    assert run_of(await program.migrations.apply()).notes == (
        "after_step hook refuse failed: PermissionError: not on a Friday",
    )


async def test_a_hook_that_takes_too_long_refuses():
    program = Program(BOOKS)

    @program.hooks.before_run(timeout=0.01)
    async def wait_for_approval(_):
        await asyncio.Event().wait()

    outcome = await program.migrations.apply()

    assert stopped(outcome)[0] is MigrationStop.VETOED
    assert "took longer than 0.01 s" in outcome.failure().message


async def test_a_hook_whose_own_time_out_fails_is_not_said_to_take_too_long():
    program = Program(BOOKS)

    @program.hooks.before_run()
    async def ask(_):
        raise TimeoutError("the ticket system does not answer")

    assert "failed: TimeoutError: the ticket system" in (await program.migrations.apply()).failure().message


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        pytest.param({}, ["books", "books.isbn", "books.title", "shops"], id="all"),
        pytest.param({"table": "books"}, ["books", "books.isbn", "books.title"], id="a table"),
        pytest.param({"kind": ChangeKind.CREATE_TABLE}, ["books", "shops"], id="a kind"),
        pytest.param({"table": "books", "kind": ChangeKind.CREATE_TABLE}, ["books"], id="both"),
        pytest.param({"table": "stores"}, [], id="nothing"),
    ],
)
async def test_hooks_are_called_for_the_kind_and_the_table_that_they_name(filters, expected):
    program, called = Program({**BOOKS, "shops": "table"}), []

    @program.hooks.after_step(**filters)
    async def hook(context):
        called.append(context.step.object)

    await program.migrations.apply()

    assert sorted(called) == expected


def test_a_misspelt_kind_is_refused_when_the_hook_is_registered():
    with pytest.raises(ValueError, match="drop_tabel"):
        Program(BOOKS).hooks.before_step(kind="drop_tabel")


async def test_hooks_are_told_why_a_step_failed():
    program, told = Program(BOOKS), []
    program.schema.refusals["create books table"] = [
        MigrationStopped("default", MigrationStop.FAILED, "no room")
    ]

    @program.hooks.on_step_error()
    async def hook(context):
        told.append((context.index, context.error, context.is_undone))

    await program.migrations.apply()

    assert told == [(0, "no room", False)]


async def test_hooks_are_told_that_a_run_is_blocked():
    program, told = Program(BOOKS, modes=dict.fromkeys(BOOKS, StepMode.AUTOCOMMIT)), []
    program.schema.refusals["create books table"] = [
        MigrationStopped("default", MigrationStop.FAILED, "no room")
    ]
    program.schema.unseen.add("books")

    @program.hooks.on_blocked()
    async def hook(context):
        told.append(context.reason)

    await program.migrations.apply()
    await program.migrations.apply()

    assert told == ["step 1 (create books table) failed, and something of what it was to do may be there"]


async def test_no_hook_is_asked_about_a_plan_that_is_not_allowed():
    program, called = Program({}, InMemorySchema(objects=dict(BOOKS))), []

    @program.hooks.before_run()
    async def hook(_):
        called.append("run")

    await program.migrations.apply()
    assert called == []
    await program.migrations.apply(approvals=allowing("destructive"))
    assert called == ["run"]
