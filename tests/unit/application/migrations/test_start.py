"""What a program applies when it starts: what is safe and needs nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastapi_easy.application.migrations.planning.safe_part import select_safe_part
from fastapi_easy.domain.migrations.change import Change, ChangeKind
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.risk import Risk
from fastapi_easy.domain.migrations.run import RunState
from fastapi_easy.domain.migrations.step import Step, StepMode
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.testing.migrations import InMemorySchema
from tests.unit.application.migrations.migrating import BOOKS, Program, allowing, run_of, states, stopped


def step(kind, table, name="", *, risk=Risk.SAFE, destructive=False, **facts):
    change = Change(kind=ChangeKind(kind), table=table, name=name, facts=facts)
    statement = f"{kind} {change.object}"
    return Step(
        changes=(change,), summary=statement, statements=(statement,), risk=risk, destructive=destructive
    )


def safe(*steps):
    selected = select_safe_part(MigrationPlan(database="default", dialect="postgresql", steps=steps)).steps
    return [steps.index(each) for each in selected]


DANGEROUS = {"risk": Risk.DANGEROUS}
DROP, RETYPE = (
    step("drop_column", "books", "old", **DANGEROUS),
    step("change_type", "books", "id", **DANGEROUS),
)
BOOKS_INDEX, SHOPS_INDEX = step("create_index", "books", "ix"), step("create_index", "shops", "ix")
SHOPS, MOOD = step("create_table", "shops"), step("add_column", "books", "mood")


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([step("create_table", "books"), step("create_table", "shops")], [0, 1], id="all of it"),
        pytest.param(
            [DROP, SHOPS],
            [1],
            id="other tables",
        ),
        pytest.param(
            [RETYPE, BOOKS_INDEX],
            [],
            id="the same table afterwards",
        ),
        pytest.param(
            [BOOKS_INDEX, RETYPE],
            [0],
            id="the same table before",
        ),
        pytest.param(
            [
                step("rename_collection", "books", new_name="works", **DANGEROUS),
                step("create_index", "works", "ix"),
            ],
            [],
            id="a collection that keeps its old name",
        ),
        pytest.param([step("set_not_null", "books", "isbn", risk=Risk.CAUTION)], [], id="caution"),
        pytest.param([step("run_sql", "books", destructive=True)], [], id="deletes"),
        pytest.param(
            [step("add_column", "books", "name", probable_rename_of="title")], [], id="perhaps a rename"
        ),
        pytest.param(
            [
                step("create_table", "shops", **DANGEROUS),
                step("add_foreign_key", "books", "fk", references="shops"),
            ],
            [],
            id="refers to a table that is refused",
        ),
        pytest.param(
            [
                step("add_foreign_key", "books", "fk", references="shops", **DANGEROUS),
                step("create_index", "shops", "ix"),
            ],
            [1],
            id="a table that is only referred to",
        ),
        pytest.param(
            [
                step("create_type", "", "mood", used_by=("books.mood",), **DANGEROUS),
                step("add_column", "books", "mood"),
            ],
            [],
            id="needs a type that is refused",
        ),
        pytest.param(
            [
                step("drop_index", "books", "ix"),
                step("drop_index", "shops", "ix"),
                step("create_index", "books", "ix"),
                step("add_column", "books", "name", **DANGEROUS),
                step("create_index", "shops", "ix"),
            ],
            [1, 4],
            id="dropped for what is refused about the same table",
        ),
        pytest.param(
            [
                step("drop_index", "books", "by_hand"),
                step("add_column", "books", "name"),
                step("create_index", "books", "ix"),
            ],
            [1, 2],
            id="an index that nobody declares",
        ),
        pytest.param(
            [step("create_table", "books"), step("add_check", "books", "ck", **DANGEROUS)],
            [0],
            id="a new table before what is refused about it",
        ),
        pytest.param(
            [step("create_schema", "", "sales", **DANGEROUS), step("create_table", "sales.books")],
            [],
            id="in a schema that is refused",
        ),
        pytest.param(
            [
                step("rename_table", "books", new_name="works", **DANGEROUS),
                step("create_index", "works", "ix"),
            ],
            [],
            id="of the new name of a table",
        ),
        pytest.param(
            [
                step("backfill", "", "x"),
                step("create_table", "shops"),
                step("backfill", "", "x", **DANGEROUS),
            ],
            [1],
            id="one of the steps of a change",
        ),
    ],
)
def test_selects_what_is_safe_and_needs_nothing_else(steps, expected):
    assert safe(*steps) == expected


@given(
    st.lists(
        st.builds(
            step,
            st.sampled_from(["create_table", "add_column", "create_index"]),
            st.sampled_from(["a", "b", "c"]),
            st.sampled_from(["", "x", "y"]),
            risk=st.sampled_from(Risk),
            destructive=st.booleans(),
        ),
        max_size=8,
    )
)
def test_nothing_that_is_selected_comes_after_something_refused_about_the_same_table(steps):
    plan = MigrationPlan(database="default", dialect="postgresql", steps=tuple(steps))

    chosen = select_safe_part(plan)

    left = list(steps)
    refused = set()
    for each in chosen.steps:
        while left[0] is not each:
            refused.add(left.pop(0).changes[0].table)
        left.pop(0)
        assert (each.risk, each.destructive, each.changes[0].table in refused) == (Risk.SAFE, False, False)
    assert select_safe_part(chosen) == chosen


async def test_applies_what_is_safe_and_leaves_the_rest():
    program = Program(BOOKS, InMemorySchema(objects={"books": "table", "books.old": "text"}))

    started = run_of(await program.migrations.apply_safe())

    assert (started.run.state, states(started.run)) == (RunState.APPLIED, ["done", "done"])
    assert [each.summary for each in started.rest.steps] == ["drop books.old"]
    assert program.schema.history.declared == ""
    assert started.rest.parent == started.run.plan_id


async def test_takes_no_lock_and_writes_nothing_when_nothing_is_safe():
    program = Program({"books": "table"}, InMemorySchema(objects=dict(BOOKS)))
    program.schema.holder = "somebody:1"

    started = run_of(await program.migrations.apply_safe())

    assert (started.run, len(started.rest.steps)) == (None, 2)
    assert program.schema.history.exists is False


async def test_an_older_program_starts_below_a_newer_one_and_changes_nothing():
    older = Program({**BOOKS, "shops": "table"})
    await older.migrations.apply()
    newer = Program({**BOOKS, "books.price": "numeric"}, older.schema)
    await newer.migrations.apply(approvals=allowing("destructive"))
    objects = dict(older.schema.objects)

    started = run_of(await older.migrations.apply_safe())

    assert (started.run, older.schema.objects) == (None, objects)
    assert [each.summary for each in started.rest.steps] == ["create shops table", "drop books.price"]
    assert "newer program 1.0" in started.ahead


async def test_goes_on_with_a_run_that_was_cut_off_when_the_rest_is_safe():
    program = Program(BOOKS)
    await program.migrations.apply(until_step=0)

    started = run_of(await Program(BOOKS, program.schema).migrations.apply_safe())

    assert (states(started.run), program.schema.objects) == (["done"] * 3, BOOKS)


async def test_does_not_go_on_with_what_somebody_has_allowed_who_is_not_there():
    schema = InMemorySchema(objects={"a": "table", "b": "table"})
    await Program({}, schema).migrations.apply(until_step=0, approvals=allowing("destructive"))

    assert stopped(await Program({}, schema).migrations.apply_safe()) == (
        MigrationStop.NOT_ALLOWED,
        ("DS101:a",),
    )
    assert schema.objects == {"a": "table"}


async def test_a_run_that_failed_before_it_changed_anything_keeps_nobody_from_starting():
    schema = InMemorySchema(objects={"books": "table", "books.old": "text"})
    schema.refusals["drop books.old"] = [MigrationStopped("default", MigrationStop.FAILED, "in use")]
    await Program({"books": "table"}, schema).migrations.apply(approvals=allowing("destructive"))

    started = run_of(await Program({"books": "table"}, schema).migrations.apply_safe())

    assert (started.run, len(started.rest.steps)) == (None, 1)
    assert schema.history.unfinished is not None


@pytest.mark.parametrize("mode", [StepMode.TRANSACTION, StepMode.AUTOCOMMIT])
async def test_a_run_that_has_changed_nothing_makes_room_for_another_plan(mode):
    program = Program(BOOKS, modes=dict.fromkeys(BOOKS, mode))
    program.schema.refusals["create books table"] = [MigrationStopped("default", MigrationStop.FAILED, "no")]
    await program.migrations.apply()

    run = run_of(await Program({"shops": "table"}, program.schema).migrations.apply())

    assert (run.state, program.schema.objects) == (RunState.APPLIED, {"shops": "table"})
    assert [each.state for each in program.schema.history.runs] == [RunState.APPLIED, RunState.ABANDONED]


async def test_a_run_that_has_changed_something_is_gone_on_with_before_another_plan():
    program = Program(BOOKS)
    await program.migrations.apply(until_step=0)
    other = Program({**BOOKS, "books.price": "numeric"}, program.schema)

    run = run_of(await other.migrations.apply())

    assert [each.state for each in program.schema.history.runs] == [RunState.APPLIED] * 2
    assert ([each.summary for each in run.steps], program.schema.objects) == (
        ["create books.price numeric"],
        other.store.declared_objects,
    )


async def test_a_blocked_run_keeps_a_program_from_applying_at_start():
    program = Program(BOOKS, modes=dict.fromkeys(BOOKS, StepMode.AUTOCOMMIT))
    program.schema.refusals["create books.isbn text"] = [
        MigrationStopped("default", MigrationStop.FAILED, "no")
    ]
    program.schema.unseen.add("books.isbn")
    await program.migrations.apply()
    await program.migrations.apply()

    assert stopped(await program.migrations.apply_safe())[0] is MigrationStop.NEEDS_REPAIR
