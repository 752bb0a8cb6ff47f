"""Scripts for people who run SQL: every statement as it would be executed."""

import dataclasses
import json
import sqlite3

import pytest

from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.step import Step, StepMode
from fastapi_easy.interfaces.cli.migrate.reports.sql_script import sql_script
from tests.unit.application.migrations.sample_plans import ADD, DROP, FILL, INDEX, NOTHING, PLAN
from tests.unit.interfaces.cli.migrate.recorded import call

HEAD = f"""\
-- Plan {PLAN.id} for database default (PostgreSQL 15.4), from models, after 0123456789ab
-- Checksum {PLAN.checksum}
-- 4 steps: 2 safe, 1 caution, 1 dangerous; 1 deletes data; 1 cannot be undone.
-- This script does not write the ledger: the tables fe_migration_run, fe_migration_step and fe_migration_state.
-- After it has run, `fastapi-easy migrate baseline` records that the schema is as it is.
"""
POSTGRES = """
-- Step 1 (safe): add column isbn to books
BEGIN;
SET LOCAL lock_timeout = '2000ms';
SET LOCAL statement_timeout = '0ms';
ALTER TABLE books ADD COLUMN isbn VARCHAR(13);
COMMIT;

-- Step 2 (safe): create index ix_books_title on books (title, year), concurrently
SET lock_timeout = '500ms';
SET statement_timeout = '0ms';
CREATE INDEX CONCURRENTLY ix_books_title ON books (title, year);
RESET lock_timeout;
RESET statement_timeout;

-- Step 3 (caution): fill books.isbn
-- Repeat it until it changes no row.
SET lock_timeout = '2000ms';
SET statement_timeout = '0ms';
UPDATE books SET isbn = '' WHERE isbn IS NULL AND id IN (SELECT id FROM books LIMIT 10000);
RESET lock_timeout;
RESET statement_timeout;

-- Step 4 (dangerous, deletes data): drop column legacy of books
-- DS103 drop column: The values of 3 rows are lost
BEGIN;
SET LOCAL lock_timeout = '2000ms';
SET LOCAL statement_timeout = '30000ms';
ALTER TABLE books DROP COLUMN legacy;
COMMIT;
"""


def body_of(plan: MigrationPlan) -> str:
    """What follows the first empty line."""
    return sql_script(plan).partition("\n\n")[2]


def step(statement: str, mode: StepMode = StepMode.AUTOCOMMIT) -> Step:
    return dataclasses.replace(ADD, summary="x", statements=(statement,), mode=mode)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["plan", "shop:app", "--sql"], id="plan"),
        pytest.param(
            ["apply", "shop:app", "--dry-run", "--allow", "dangerous", "--allow", "destructive"], id="dry run"
        ),
    ],
)
def test_prints_a_script_for_postgres(arguments: list[str]) -> None:
    result, _ = call(*arguments)

    assert (result.stdout, result.stderr) == (HEAD + POSTGRES, "")


def test_has_every_statement_once_as_it_is_executed() -> None:
    script = sql_script(PLAN)

    assert [script.count(statement) for each in PLAN.steps for statement in each.statements] == [1] * 4


def test_says_that_there_is_nothing_to_do() -> None:
    assert sql_script(NOTHING).splitlines()[-1] == "-- Nothing to do."


def test_waits_for_locks_in_whole_seconds_on_mysql() -> None:
    fill = dataclasses.replace(FILL, mode=StepMode.TRANSACTION)
    plan = dataclasses.replace(PLAN, dialect="mysql", steps=(step("ALTER TABLE a ADD b INT"), fill))

    limits = "SET SESSION lock_wait_timeout = 2, innodb_lock_wait_timeout = 2;"
    assert body_of(plan) == (
        "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES');\n\n"
        f"-- Step 1 (safe): x\n{limits}\nALTER TABLE a ADD b INT;\n\n"
        f"-- Step 2 (caution): fill books.isbn\n{limits}\nSTART TRANSACTION;\n{FILL.statements[0]};\nCOMMIT;\n"
    )
    assert "SET SESSION lock_wait_timeout = 1, innodb_lock_wait_timeout = 1;" in sql_script(
        dataclasses.replace(plan, steps=(INDEX,))
    )


def test_keeps_the_body_of_a_trigger_together_on_mysql() -> None:
    trigger = "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET NEW.b = 1; END"
    plan = dataclasses.replace(PLAN, dialect="mysql", steps=(step(trigger),))

    assert f"\nDELIMITER $$\n{trigger}\n$$\nDELIMITER ;\n" in sql_script(plan)


REBUILD = dataclasses.replace(
    DROP,
    statements=(
        'CREATE TABLE "new" (id INTEGER PRIMARY KEY)',
        'INSERT INTO "new" SELECT id FROM books',
        "DROP TABLE books",
        'ALTER TABLE "new" RENAME TO books',
    ),
    mode=StepMode.REBUILD,
)


def test_a_script_for_sqlite_runs_and_keeps_children() -> None:
    plan = dataclasses.replace(
        PLAN, dialect="sqlite", steps=(step("CREATE TABLE a (b TEXT DEFAULT '--');"), REBUILD)
    )
    with sqlite3.connect(":memory:", isolation_level=None) as connection:
        connection.executescript(
            "PRAGMA foreign_keys = ON; CREATE TABLE books (id INTEGER PRIMARY KEY, legacy TEXT);"
            "CREATE TABLE pages (book INTEGER REFERENCES books (id) ON DELETE CASCADE);"
            "INSERT INTO books VALUES (1, 'x'); INSERT INTO pages VALUES (1)"
        )

        connection.executescript(sql_script(plan))

        columns = [row[1] for row in connection.execute("PRAGMA table_info(books)")]
        children = connection.execute("SELECT * FROM pages").fetchall()
        enforced = connection.execute("PRAGMA foreign_keys").fetchone()
    connection.close()
    assert (columns, children, enforced) == (["id"], [(1,)], (1,))


def test_commands_of_mongo_are_for_its_shell() -> None:
    command = '{"create": "books", "comment": "it\'s \\"new\\""}'
    plan = dataclasses.replace(PLAN, dialect="mongodb", steps=(step(command),))

    assert sql_script(plan).startswith("// Plan ")
    assert body_of(plan) == f"// Step 1 (safe): x\ndb.runCommand(EJSON.parse({json.dumps(command)}));\n"


def test_collections_are_renamed_through_the_database_that_takes_such_commands() -> None:
    command = '{"renameCollection": "shop.books", "to": "shop.works"}'
    plan = dataclasses.replace(PLAN, dialect="mongodb", steps=(step(command),))

    assert body_of(plan) == f"// Step 1 (safe): x\ndb.adminCommand(EJSON.parse({json.dumps(command)}));\n"


@pytest.mark.parametrize(
    ("statement", "printed"),
    [
        pytest.param("SELECT 1", "SELECT 1;", id="none"),
        pytest.param("SELECT 1;\n", "SELECT 1;", id="one"),
        pytest.param("SELECT 1 -- one", "SELECT 1 -- one\n;", id="behind a comment"),
        pytest.param("SELECT 1 -- one;", "SELECT 1 -- one;\n;", id="in a comment"),
        pytest.param("SELECT '--'", "SELECT '--';", id="dashes in a text"),
        pytest.param("-- one\nSELECT 1", "-- one\nSELECT 1;", id="comment before"),
    ],
)
def test_every_statement_ends(statement: str, printed: str) -> None:
    script = sql_script(dataclasses.replace(PLAN, steps=(step(statement),)))

    assert f"statement_timeout = '0ms';\n{printed}\nRESET lock_timeout;" in script


def test_no_name_leaves_its_comment() -> None:
    summary = "drop\nDROP TABLE users; --"
    sneaky = dataclasses.replace(ADD, summary=summary)
    plan = dataclasses.replace(PLAN, server_version="15\nDROP TABLE users;", steps=(sneaky,))

    executed = [line for line in sql_script(plan).splitlines() if line and not line.startswith("--")]

    assert executed == [
        "BEGIN;",
        "SET LOCAL lock_timeout = '2000ms';",
        "SET LOCAL statement_timeout = '0ms';",
        "ALTER TABLE books ADD COLUMN isbn VARCHAR(13);",
        "COMMIT;",
    ]
