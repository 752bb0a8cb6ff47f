"""From any schema to any other one as a deploy script migrates, on each server, with rows in the tables."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from sqlalchemy.dialects import mysql, postgresql, sqlite

from fastapi_easy.domain.migrations.step import Reversibility
from fastapi_easy.migrations import Hints, MigrationPlan, Migrations, Run, RunState, Step
from fastapi_easy.testing.conformance.store import value_of
from tests.e2e.migration_properties.databases import (
    SERVERS,
    database_on,
    definition_of,
    empty,
    execute,
    rows_at,
)
from tests.e2e.migration_properties.drawn_schemas import (
    FAMILIES,
    Way,
    additions,
    inserts,
    metadata_after,
    metadata_before,
    plain,
    ways,
)
from tests.e2e.migration_properties.program import (
    EVERYTHING,
    Program,
    runs_after,
    statements_of,
    written_statements,
)
from tests.thorough import examples

QUOTES: dict[str, Any] = {
    "sqlite": sqlite.dialect().identifier_preparer.quote,
    "postgres": postgresql.dialect().identifier_preparer.quote,
    "mariadb": mysql.dialect().identifier_preparer.quote,
}
FEW = settings(
    max_examples=examples(2, 6),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],
)
BESIDE = {"beside": ["id", "note"]}


@pytest.fixture(scope="module", params=SERVERS)
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """A server and the URL of a database there."""
    folder: Path = tmp_path_factory.mktemp("any")
    with ExitStack() as stack:
        yield request.param, stack.enter_context(database_on(request.param, folder))


def prepare(way: Way, server: str, url: str) -> str:
    """Make the schema before, with its rows and a table that nobody declares; return the id of its plan."""
    empty(url)
    execute(
        url,
        "CREATE TABLE beside (id INTEGER PRIMARY KEY, note VARCHAR(20))",
        "INSERT INTO beside VALUES (1, 'mine'), (2, 'too')",
    )
    made = Program(url, metadata_before(way)).apply()
    execute(url, *inserts(way, QUOTES[server]))
    return made.plan_id


@FEW
@given(way=ways())
def test_leads_to_what_is_declared_and_keeps_every_row(place: tuple[str, str], way: Way) -> None:
    server, url = place
    base, hints = prepare(way, server, url), way.hints()
    stored, beside = rows_at(url, way.kept()), definition_of(url, "beside")

    async def migrate(migrations: Migrations) -> tuple[MigrationPlan, Run, list[str], Run]:
        planned = value_of(await migrations.plan(hints))
        note("\n".join(each for step in planned.steps for each in step.statements))
        dry = value_of(await migrations.apply(approvals=EVERYTHING, hints=hints, dry_run=True))
        with written_statements() as written:
            run = value_of(await migrations.apply(approvals=EVERYTHING, hints=hints))
        return planned, dry, written, run

    async def look(migrations: Migrations) -> tuple[tuple[Run, ...], list[Step]]:
        plans = [value_of(await migrations.plan(each)) for each in (hints, Hints())]
        return await runs_after(migrations, base), [step for plan in plans for step in plan.steps]

    planned, dry, written, run = Program(url, metadata_after(way)).ask(migrate)

    done, left = Program(url, metadata_after(way)).ask(look)
    assert left == []
    assert run.state is RunState.APPLIED
    assert [each.statements for each in dry.steps] == [each.statements for each in planned.steps]
    assert statements_of(done[:1]) == statements_of([dry])
    assert written == statements_of(done)
    assert rows_after(url, way) == expected_rows(way, stored)
    assert definition_of(url, "beside") == beside
    assert rows_at(url, BESIDE) == {"beside": [(1, "mine"), (2, "too")]}


@FEW
@given(way=additions())
def test_what_only_adds_is_undone_without_a_trace(place: tuple[str, str], way: Way) -> None:
    server, url = place
    base, hints = prepare(way, server, url), way.hints()
    kept = {table: ["id", "number", *draft.columns] for table, draft in way.before.items()}
    stored = rows_at(url, kept)

    async def there_and_back(migrations: Migrations) -> tuple[MigrationPlan, tuple[Run, ...], list[Run]]:
        before = value_of(await migrations.plan(hints))
        _ = value_of(await migrations.apply(approvals=EVERYTHING, hints=hints))
        runs = await runs_after(migrations, base)
        note("\n".join(f"{step.statements} <- {step.reverse}" for run in runs for step in run.steps))
        return before, runs, [value_of(await migrations.rollback(approvals=EVERYTHING)) for _ in runs]

    before, runs, undone = Program(url, metadata_after(way)).ask(there_and_back)

    after = Program(url, metadata_before(way)).plan()
    assert [note for run in undone for note in run.notes if "a copy of the database" not in note] == []
    assert {step.reversibility for run in runs for step in run.steps} <= {Reversibility.FULL}
    assert (after.schema_before, after.steps) == (before.schema_before, ())
    assert rows_at(url, kept) == stored


def rows_after(url: str, way: Way) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows as they are now, by the old names of tables."""
    found = {}
    for table, columns in way.kept().items():
        called, names = way.renamed(table, columns)
        rows = rows_at(url, {called: names})[called]
        found[table] = [tuple(map(plain, row)) for row in rows]
    return found


def expected_rows(way: Way, stored: Any) -> dict[str, list[tuple[Any, ...]]]:
    """Return *stored* with what was to be filled in."""
    filled = way.filled()
    found = {}
    for table, columns in way.kept().items():
        fills = [plain_default(name) if (table, name) in filled else None for name in columns]
        found[table] = [
            tuple(fill if value is None else plain(value) for value, fill in zip(row, fills, strict=True))
            for row in stored[table]
        ]
    return found


def plain_default(name: str) -> Any:
    """Return what a row gets in the column *name*, as `plain` shows it."""
    written = FAMILIES[name].default
    return plain(written.strip("'")) if written.startswith("'") else plain(float(written))
