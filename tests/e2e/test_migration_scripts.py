"""Migration scripts on real databases, beside Alembic itself."""

import asyncio

import pytest
import pytest_asyncio
from sqlalchemy import ForeignKey, Integer, String

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.run import RunState
from fastapi_easy.domain.migrations.stopped import MigrationStop
from tests.conformance.relational_schemas import through
from tests.e2e.migration_steps.declaring import column, table
from tests.e2e.scripted import ANYTHING, DRIVERS, Scripted, declared, stop_of, well
from tests.thorough import only_when_thorough

key = column("id", Integer, primary_key=True)
AUTHORS = table("authors", key, column("name", String(80), nullable=False, index=True))
BOOKS = table(
    "books",
    key,
    column("title", String(200), nullable=False),
    column("author_id", Integer, lambda: ForeignKey("authors.id", name="fk_books_author")),
)
MORE_BOOKS = table(
    "books",
    key,
    column("title", String(250), nullable=False),
    column("author_id", Integer, lambda: ForeignKey("authors.id", name="fk_books_author")),
    column("isbn", String(13), unique=False, index=True),
    column("pages", Integer, nullable=False),
)
PROJECT = (
    (
        (
            "op.create_table('authors', sa.Column('id', sa.Integer(), primary_key=True),"
            " sa.Column('name', sa.String(80), nullable=False))"
        ),
        "op.drop_table('authors')",
    ),
    (
        "op.create_index('ix_authors_name', 'authors', ['name'])",
        "op.drop_index('ix_authors_name', 'authors')",
    ),
    (
        (
            "op.create_table('books', sa.Column('id', sa.Integer(), primary_key=True),"
            " sa.Column('title', sa.String(200), nullable=False), sa.Column('author_id', sa.Integer(),"
            " sa.ForeignKey('authors.id', name='fk_books_author')))"
        ),
        "op.drop_table('books')",
    ),
)
"""What the scripts of a project say that has never heard of this system."""

FIRST, SECOND = (AUTHORS, BOOKS), (AUTHORS, MORE_BOOKS)
FILLED = Hints(fill={"books.pages": "0"})


FEWER = ["sqlite", "postgres", pytest.param("mariadb", marks=only_when_thorough)]
"""Where what is asked is the same on every server."""


@pytest_asyncio.fixture(params=DRIVERS)
async def shop(request, tmp_path):
    if request.param == "sqlite":
        scripted = Scripted(f"sqlite+aiosqlite:///{tmp_path / 'shop.db'}", tmp_path / "migrations")
        yield scripted
        await scripted.close()
        return
    url = through(request.getfixturevalue(f"{request.param}_url"), DRIVERS[request.param])
    scripted = Scripted(url, tmp_path / "migrations")
    await scripted.empty()
    yield scripted
    await scripted.close()
    await scripted.empty()


async def test_scripts_are_made_applied_and_rolled_back_and_alembic_agrees_each_time(shop):
    shop.use_alembic()
    first, second = shop.program(*FIRST), shop.program(*SECOND)

    assert well(await first.make("first tables")).endswith("_first_tables.py")
    assert await asyncio.to_thread(shop.current) == ""
    made = well(await first.apply(approvals=ANYTHING))
    assert (made.source, made.state, made.notes) == ("files", RunState.APPLIED, ())
    assert await asyncio.to_thread(shop.current) == made.revisions[0]
    assert well(await first.status()).is_current
    await shop.execute("INSERT INTO books (id, title) VALUES (1, 'Emma')")

    well(await second.make("pages", FILLED))
    run = well(await second.apply(approvals=ANYTHING))
    assert run.notes == () or run.notes[0].startswith("a copy")
    assert await asyncio.to_thread(shop.current) == run.revisions[0]
    assert await shop.ask("SELECT id, title, isbn, pages FROM books") == [(1, "Emma", None, 0)]
    assert well(await second.status()).is_current
    assert await asyncio.to_thread(shop.alembic, "heads") == f"{run.revisions[0]} (head)\n"

    well(await second.rollback(approvals=ANYTHING))
    assert await asyncio.to_thread(shop.current) == made.revisions[0]
    assert await shop.columns("books") == ["id", "title", "author_id"]
    well(await first.rollback(approvals=ANYTHING))
    assert await asyncio.to_thread(shop.current) == ""
    again = well(await second.apply(approvals=ANYTHING))
    assert again.revisions == (*made.revisions, *run.revisions)
    assert well(await second.status()).is_current


async def test_alembic_itself_does_with_the_scripts_what_was_planned(shop):
    shop.use_alembic()
    second = shop.program(*SECOND)
    well(await shop.program(*FIRST).make("first tables"))
    await asyncio.to_thread(shop.alembic, "upgrade", "head")
    await shop.execute("INSERT INTO books (id, title) VALUES (1, 'Emma')")
    well(await second.make("pages", FILLED))

    await asyncio.to_thread(shop.alembic, "upgrade", "head")

    assert await shop.ask("SELECT id, title, isbn, pages FROM books") == [(1, "Emma", None, 0)]
    status = well(await second.status())
    assert (status.pending.steps, status.drift, status.problem) == ((), (), None)
    checked = await asyncio.to_thread(shop.alembic, "check", metadata=declared(*SECOND))
    assert checked == "No new upgrade operations detected.\n"
    await asyncio.to_thread(shop.alembic, "downgrade", "-1")
    assert await shop.columns("books") == ["id", "title", "author_id"]
    await asyncio.to_thread(shop.alembic, "downgrade", "base")


@pytest.mark.parametrize("shop", FEWER, indirect=True)
async def test_steps_made_of_an_edited_script_do_what_it_says_now(shop):
    migrations = shop.program(*FIRST)
    well(await migrations.make("first tables"))
    (script,) = shop.scripts()
    there = 'op.execute("""INSERT INTO authors (id, name) VALUES (1, \'10\\\\:30; {"a":true}, 5%\')""")'
    back = "op.execute('DELETE FROM authors')"
    upgrade, downgrade = script.read_text().split("\n\n\ndef downgrade() -> None:\n")
    script.write_text(f"{upgrade}\n    {there}\n\n\ndef downgrade() -> None:\n    {back}\n{downgrade}")

    plan = well(await migrations.plan())
    run = well(await migrations.apply(plan, approvals=ANYTHING))

    assert (run.state, run.notes) == (RunState.APPLIED, ())
    assert await shop.ask("SELECT id, name FROM authors") == [(1, '10:30; {"a":true}, 5%')]
    assert well(await migrations.status()).is_current
    undone = well(await migrations.rollback(approvals=ANYTHING))
    assert undone.state is RunState.ROLLED_BACK


@pytest.mark.parametrize("shop", FEWER, indirect=True)
async def test_a_project_of_alembic_is_adopted_without_a_changed_file_and_goes_on(shop):
    shop.use_alembic()
    for number, (there, back) in enumerate(PROJECT, 1):
        await asyncio.to_thread(shop.alembic, "revision", message=f"number {number}", rev_id=f"00{number}")
        path = next((shop.folder / "versions").glob(f"00{number}_*.py"))
        upgrade, downgrade = path.read_text().split("def downgrade")
        downgrade = downgrade.replace("pass", back)
        path.write_text(f"{upgrade.replace('pass', there)}def downgrade{downgrade}")
    await asyncio.to_thread(shop.alembic, "upgrade", "head")
    before = {each: each.read_text() for each in shop.folder.rglob("*.*") if each.suffix != ".pyc"}
    second = shop.program(*SECOND)

    adopted = well(await shop.program(*FIRST).baseline())
    assert (adopted.revisions, adopted.steps) == (("001", "002", "003"), ())
    assert {each: each.read_text() for each in before} == before
    well(await second.make("pages", FILLED))
    run = well(await second.apply(approvals=ANYTHING))

    assert await asyncio.to_thread(shop.current) == run.revisions[0]
    history = await asyncio.to_thread(shop.alembic, "history")
    assert history.splitlines()[0] == f"003 -> {run.revisions[0]} (head), pages"
    assert well(await second.status()).is_current
    await asyncio.to_thread(shop.alembic, "downgrade", "-1")
    status = well(await second.status())
    assert (len(status.drift), status.pending.revisions, status.problem) == (1, run.revisions, None)
    well(await second.apply(approvals=ANYTHING))
    assert well(await second.status()).is_current


@pytest.mark.parametrize("shop", FEWER, indirect=True)
async def test_an_applied_script_that_was_edited_stops_everything(shop):
    migrations = shop.program(*FIRST)
    well(await migrations.make("first tables"))
    well(await migrations.apply(approvals=ANYTHING))
    (script,) = shop.scripts()
    text = script.read_text()

    script.write_text(text.replace("'", '"') + "\n# formatted\n")
    assert well(await migrations.status()).is_current
    script.write_text(text.replace("length=80", "length=90"))

    stop, message = stop_of(await migrations.plan())
    assert stop is MigrationStop.CHANGED
    assert script.name in message
    assert well(await migrations.status()).problem.stop is MigrationStop.CHANGED


@pytest.mark.parametrize("shop", FEWER, indirect=True)
async def test_a_database_with_tables_of_unknown_origin_has_to_be_adopted(shop):
    migrations = shop.program(*FIRST)
    well(await migrations.make("first tables"))
    await shop.execute("CREATE TABLE authors (id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL)")

    assert stop_of(await migrations.apply(approvals=ANYTHING))[0] is MigrationStop.NO_HISTORY


@pytest.mark.parametrize("shop", FEWER, indirect=True)
async def test_the_first_script_may_go_on_from_tables_that_a_comparison_has_made(shop):
    well(await shop.program(*FIRST).apply(approvals=ANYTHING))
    second = shop.program(*SECOND)

    well(await second.make("pages", FILLED))
    run = well(await second.apply(approvals=ANYTHING))

    assert (run.source, len(run.revisions)) == ("files", 1)
    assert well(await second.status()).is_current


@pytest.mark.parametrize("shop", FEWER, indirect=True)
async def test_a_database_ahead_of_the_scripts_is_left_alone(shop):
    shop.use_alembic()
    migrations = shop.program(*FIRST)
    well(await migrations.make("first tables"))
    well(await migrations.apply(approvals=ANYTHING))
    await shop.execute("UPDATE alembic_version SET version_num = 'ffff'")

    stop, message = stop_of(await migrations.plan())

    assert stop is MigrationStop.AHEAD
    assert "ffff" in message


@pytest.mark.parametrize("shop", FEWER, indirect=True)
async def test_says_when_the_classes_are_ahead_of_the_scripts(shop):
    well(await shop.program(*FIRST).make("first tables"))
    well(await shop.program(*FIRST).apply(approvals=ANYTHING))

    plan = well(await shop.program(*SECOND).plan(FILLED))
    status = well(await shop.program(*SECOND).status())

    assert (plan.steps, plan.source, len(plan.drift)) == ((), "files", 1)
    assert plan.drift[0].startswith("the scripts do not lead to the declared schema")
    assert not status.is_current
