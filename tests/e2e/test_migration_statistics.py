"""What is measured of the data before a migration, on each server, through each driver."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from fastapi_easy.domain.migrations.change import Change, ChangeKind, Dialect, Facts
from fastapi_easy.domain.migrations.risk import UNKNOWN, Measured, Statistics, Unmeasured
from fastapi_easy.infrastructure.migrations.relational.statistics.measure import measure
from tests.e2e.stores import empty_store
from tests.thorough import only_when_thorough

Answer = TypeVar("Answer")

DRIVERS = (
    *("sqlite", "postgres+asyncpg", "mariadb+aiomysql"),
    *(pytest.param(each, marks=only_when_thorough) for each in ("postgres+psycopg", "mariadb+asyncmy")),
)
SERVERS = ("sqlite", "postgres+psycopg", "mariadb+aiomysql")
DIALECTS: dict[str, Dialect] = {"sqlite": "sqlite", "postgres": "postgresql", "mariadb": "mysql"}
KIND = ChangeKind

TABLES = (
    "CREATE TABLE authors (id INTEGER PRIMARY KEY)",
    "CREATE TABLE books (id INTEGER, title VARCHAR(90), pages INT, author INT, price NUMERIC(9, 3), spare TEXT)",
    "INSERT INTO authors VALUES (1)",
    (
        "INSERT INTO books VALUES (1, 'Emma', 300, 1, 1.5, NULL), (2, 'Emma', 20, 9, 1.125, NULL),"
        " (3, NULL, -4, NULL, NULL, NULL), (4, '100%:x', 7, 1, 2, NULL)"
    ),
    "CREATE TABLE empty_ones (id INTEGER)",
)


def change(kind: ChangeKind, table: str = "", name: str = "", /, **facts: Any) -> Change:
    return Change(kind=kind, table=table, name=name, facts=Facts(**facts))


@asynccontextmanager
async def prepared(driver: str, folder: Path, *statements: str) -> AsyncIterator[AsyncEngine]:
    name, _, library = driver.partition("+")
    with empty_store(name, folder) as url:
        full = make_url(url).set(drivername=f"{DIALECTS[name]}+{library or 'aiosqlite'}")
        engine = create_async_engine(full)
        async with engine.begin() as connection:
            for each in statements:
                _ = await connection.exec_driver_sql(each, execution_options={"no_parameters": True})
        try:
            yield engine
        finally:
            await engine.dispose()


async def asked(engine: AsyncEngine, ask: Callable[[Connection], Answer]) -> Answer:
    async with engine.connect() as connection:
        return await connection.run_sync(ask)


async def answers(
    engine: AsyncEngine, changes: Sequence[Change], *questions: str, **limits: float
) -> dict[str, Measured | Unmeasured]:
    found: Statistics = await asked(
        engine, lambda connection: measure(connection, changes, questions, **limits)
    )
    return dict(found.answers)


@pytest.fixture(scope="module", params=DRIVERS)
async def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AsyncEngine]:
    """A database with a few books, which no test changes."""
    async with prepared(request.param, tmp_path_factory.mktemp("shop"), *TABLES) as engine:
        yield engine


each_driver = pytest.mark.parametrize("driver", DRIVERS)
each_server = pytest.mark.parametrize("driver", SERVERS)


async def test_counts_rows_and_what_is_wrong_with_them(shop: AsyncEngine) -> None:
    changes = [
        change(KIND.SET_NOT_NULL, "books", "title"),
        change(KIND.SET_NOT_NULL, "books", "pages"),
        change(KIND.DROP_COLUMN, "books", "spare"),
        change(KIND.ADD_UNIQUE, "books", "uq_title", columns=["title"]),
        change(KIND.ADD_UNIQUE, "books", "uq_both", columns=["title", "pages"]),
        change(KIND.ADD_PRIMARY_KEY, "books", "pk_title", columns=["id"]),
        change(
            KIND.ADD_FOREIGN_KEY,
            "books",
            "fk",
            columns=["author"],
            references="authors",
            referred_columns=["id"],
        ),
        change(KIND.ADD_CHECK, "books", "ck", expression="CHECK ((pages > 0))"),
        change(KIND.ADD_CHECK, "books", "ck_like", expression="title NOT LIKE '100%:x'"),
        change(KIND.DROP_TABLE, "empty_ones"),
        change(KIND.CHANGE_TYPE, "books", "pages", type_before="integer", type_after="varchar(9)"),
    ]
    expected: dict[str, Measured] = {
        "rows:books": 4,
        "rows:empty_ones": 0,
        "nulls:books.title": 1,
        "nulls:books.pages": 0,
        "all_null:books.spare": True,
        "all_null:books.title": False,
        "duplicates:books.(title)": 1,
        "duplicates:books.(title,pages)": 0,
        "duplicates:books.(id)": 0,
        "orphans:books.fk": 1,
        "violations:books.ck": 1,
        "violations:books.ck_like": 1,
        "max_value:books.pages": 300,
        "min_value:books.pages": -4,
        "max_length:books.title": 6,
        "max_length:books.pages": 3,
        "triggers:books": (),
    }

    found = await answers(shop, changes, *expected)

    assert found == expected


async def test_a_partial_index_looks_at_its_rows_only(shop: AsyncEngine) -> None:
    partial = change(KIND.CREATE_INDEX, "books", "uq", columns=["title"], unique=True, where="pages > 20")

    found = await answers(shop, [partial], "duplicates:books.(title)")

    assert found == {"duplicates:books.(title)": 0}


async def test_two_changes_that_ask_the_same_get_the_worse_answer(shop: AsyncEngine) -> None:
    partial = change(KIND.CREATE_INDEX, "books", "part", columns=["title"], unique=True, where="pages > 20")
    whole = change(KIND.CREATE_INDEX, "books", "whole", columns=["title"], unique=True)
    broken = change(KIND.CREATE_INDEX, "books", "broken", columns=["title"], unique=True, where="pages >")

    found = [
        await answers(shop, changes, "duplicates:books.(title)")
        for changes in ([partial, whole], [whole, partial], [partial, broken])
    ]

    assert [each["duplicates:books.(title)"] for each in found] == [1, 1, UNKNOWN]


async def test_a_key_counts_nulls_as_well(shop: AsyncEngine) -> None:
    key = change(KIND.ADD_PRIMARY_KEY, "books", "pk", columns=["author", "title"])

    found = await answers(shop, [key], "duplicates:books.(author,title)")

    assert found == {"duplicates:books.(author,title)": 1}


@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [
        pytest.param("numeric(9,3)", "numeric(9,2)", {"sqlite": 1}, id="scale"),
        pytest.param("numeric(9,3)", "integer", {"sqlite": 2}, id="whole numbers"),
    ],
)
async def test_counts_the_values_that_a_type_would_change(
    shop: AsyncEngine, before: str, after: str, counts: dict[str, int]
) -> None:
    changed = change(KIND.CHANGE_TYPE, "books", "price", type_before=before, type_after=after)

    found = await answers(shop, [changed], "lossy:books.price")

    # SQLite keeps every digit, whatever the scale.
    expected = 0 if shop.dialect.name == "sqlite" and after != "integer" else counts["sqlite"]
    assert found == {"lossy:books.price": expected}


async def test_counts_texts_that_sqlite_would_make_numbers_of(tmp_path: Path) -> None:
    changed = change(KIND.CHANGE_TYPE, "notes", "body", type_before="TEXT", type_after="INTEGER")
    rows = "INSERT INTO notes VALUES ('abc'), ('12'), ('1.9'), (' 7'), (NULL), (x'00'), ('0012')"

    async with prepared("sqlite", tmp_path, "CREATE TABLE notes (body TEXT)", rows) as engine:
        found = await answers(engine, [changed], "lossy:notes.body")

    assert found == {"lossy:notes.body": 5}


async def test_what_is_not_there_is_unknown(shop: AsyncEngine) -> None:
    changes = [
        change(KIND.SET_NOT_NULL, "books", "nothing"),
        change(KIND.DROP_TABLE, "nowhere"),
        change(KIND.ADD_CHECK, "books", "ck", expression='"nothing" > 0'),
        change(KIND.ADD_CHECK, "books", "broken", expression="pages >"),
        change(KIND.ADD_UNIQUE, "books", "uq", columns=["nothing"]),
        change(KIND.ADD_FOREIGN_KEY, "books", "fk", columns=["author"], references="nowhere"),
    ]
    questions = (
        *(
            "nulls:books.nothing",
            "all_null:books.nothing",
            "rows:nowhere",
            "size:nowhere",
            "orphans:books.fk",
        ),
        *("violations:books.ck", "violations:books.broken", "duplicates:books.(nothing)"),
        *("what:books", "max_length:books.nothing", "dependents:books.nothing"),
    )

    found = await answers(shop, changes, *questions, "rows:books")

    if shop.dialect.name == "mysql":
        # There "nothing" is a text, which is compared with a number.
        del found["violations:books.ck"]
    assert found == {**dict.fromkeys(found, UNKNOWN), "rows:books": 4}


@each_driver
async def test_names_need_no_care(driver: str, tmp_path: Path) -> None:
    quote = '"' if driver.startswith("postgres") else "`"
    odd = "select%:x'\""
    spelled = quote + odd.replace('"', '""' if quote == '"' else '"') + quote
    created = f"CREATE TABLE {spelled} ({spelled} INTEGER)"
    inserted = f"INSERT INTO {spelled} VALUES (1), (NULL), (1)"
    changes = [
        change(KIND.SET_NOT_NULL, odd, odd),
        change(KIND.ADD_UNIQUE, odd, "uq", columns=[odd]),
    ]

    async with prepared(driver, tmp_path, created, inserted) as engine:
        found = await answers(
            engine, changes, f"rows:{odd}", f"nulls:{odd}.{odd}", f"duplicates:{odd}.({odd})"
        )

    assert list(found.values()) == [3, 1, 1]


async def test_answers_about_stored_names_while_the_plan_renames(shop: AsyncEngine) -> None:
    changes = [
        change(KIND.RENAME_TABLE, "books", new_name="works"),
        change(KIND.RENAME_COLUMN, "works", "title", new_name="heading"),
        change(KIND.SET_NOT_NULL, "works", "heading"),
    ]

    found = await answers(shop, changes, "rows:works", "nulls:works.heading")

    assert found == {"rows:works": 4, "nulls:works.heading": 1}


async def test_a_name_that_passes_from_one_table_to_another_is_unknown(shop: AsyncEngine) -> None:
    changes = [
        change(KIND.DROP_TABLE, "books"),
        change(KIND.RENAME_TABLE, "empty_ones", new_name="books"),
    ]

    found = await answers(shop, changes, "rows:books", "rows:empty_ones")

    assert found == {"rows:books": UNKNOWN, "rows:empty_ones": 0}


async def test_reads_the_statements_of_scripts(shop: AsyncEngine) -> None:
    script = change(KIND.RUN_SQL, statement="DELETE FROM books; DROP TABLE empty_ones")

    found = await answers(shop, [script], "rows:books", "rows:empty_ones")

    assert found == {"rows:books": 4, "rows:empty_ones": 0}


async def test_without_time_everything_is_unknown(shop: AsyncEngine) -> None:
    changes = [change(KIND.DROP_TABLE, "books")]

    found = await answers(shop, changes, "rows:books", budget=0)

    assert found == {"rows:books": UNKNOWN}


async def test_the_rows_of_a_table_that_was_never_analysed_are_estimated_by_its_size(tmp_path: Path) -> None:
    filling = (
        "CREATE TABLE many (id INTEGER, name TEXT) WITH (autovacuum_enabled = off)",
        "INSERT INTO many SELECT n, 'a name of some length' FROM generate_series(1, 60000) n",
    )

    async with prepared("postgres+psycopg", tmp_path, *filling) as engine:
        found = await answers(engine, [change(KIND.DROP_TABLE, "many")], "rows:many")

    assert 30_000 < found["rows:many"] < 120_000


ENDLESS = {
    "sqlite": "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n) > 0",
    "postgresql": "pg_sleep(600) IS NULL",
    "mysql": "sleep(600) = 1",
}


async def test_an_answer_that_takes_too_long_is_unknown_and_the_next_is_not(shop: AsyncEngine) -> None:
    endless = ENDLESS[shop.dialect.name]
    changes = [change(KIND.ADD_CHECK, "books", "slow", expression=endless), change(KIND.DROP_TABLE, "books")]

    found = await answers(shop, changes, "violations:books.slow", "rows:books", timeout=0.3)

    assert found["rows:books"] == 4
    # MariaDB says how long it has slept instead of failing.
    assert found["violations:books.slow"] in ({UNKNOWN, 4} if shop.dialect.name == "mysql" else {UNKNOWN})


@pytest.mark.parametrize("is_open", [False, True], ids=["no transaction", "open transaction"])
@each_driver
async def test_leaves_the_connection_as_it_was(driver: str, tmp_path: Path, is_open: bool) -> None:
    limits = {
        "sqlite": "PRAGMA query_only",
        "postgres": "SELECT current_setting('statement_timeout') || current_setting('transaction_read_only')",
        "mariadb": "SELECT concat(@@SESSION.max_statement_time, '/', @@SESSION.lock_wait_timeout)",
    }[driver.partition("+")[0]]
    changes = [
        change(KIND.ADD_CHECK, "books", "broken", expression="pages >"),
        change(KIND.DROP_TABLE, "books"),
    ]

    def ask(connection: Connection) -> tuple[Any, ...]:
        before = connection.exec_driver_sql(limits).scalar()
        connection.rollback()
        if is_open:
            _ = connection.exec_driver_sql("INSERT INTO empty_ones VALUES (5)")
        _ = measure(connection, changes, ["violations:books.broken", "rows:books"])
        was_open = connection.in_transaction()
        kept = connection.exec_driver_sql("SELECT count(*) FROM empty_ones").scalar()
        after = connection.exec_driver_sql(limits).scalar()
        return before == after, was_open, kept

    async with prepared(driver, tmp_path, *TABLES) as engine:
        found = await asked(engine, ask)

    assert found == (True, is_open, int(is_open))


@each_server
async def test_counts_many_rows_by_estimate(driver: str, tmp_path: Path) -> None:
    many = (
        "INSERT INTO empty_ones WITH RECURSIVE n(i) AS"
        " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000) SELECT i FROM n"
    )
    changes = [change(KIND.DROP_TABLE, "empty_ones")]
    limit = ("SET max_recursive_iterations = 20000",) if driver.startswith("mariadb") else ()

    async with prepared(driver, tmp_path, *TABLES, *limit, many) as engine:
        found = await answers(engine, changes, "rows:empty_ones")

    rows = found["rows:empty_ones"]
    assert isinstance(rows, int)
    assert rows > 10_000


async def test_labels_in_use(shop: AsyncEngine) -> None:
    changed = change(KIND.CHANGE_TYPE, "books", "title", type_before="…", type_after="…")

    found = await answers(shop, [changed], "labels:books.title")

    assert found == {"labels:books.title": ("100%:x", "Emma")}


@each_server
async def test_finds_views_triggers_indexes_and_checks(driver: str, tmp_path: Path) -> None:
    name = driver.partition("+")[0]
    triggers = {
        "sqlite": ("CREATE TRIGGER tick AFTER INSERT ON books BEGIN SELECT 1; END",),
        "mariadb": ("CREATE TRIGGER tick BEFORE INSERT ON books FOR EACH ROW SET NEW.pages = 1",),
        "postgres": (
            "CREATE FUNCTION tick() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "CREATE TRIGGER tick BEFORE INSERT ON books FOR EACH ROW EXECUTE FUNCTION tick()",
        ),
    }[name]
    views = ("CREATE VIEW shelf AS SELECT title FROM books", "CREATE INDEX ix_title ON books (title, pages)")
    checks = () if name == "sqlite" else ("ALTER TABLE books ADD CONSTRAINT ck CHECK (pages IS NOT NULL)",)
    changes = [
        change(KIND.DROP_COLUMN, "books", "title"),
        change(KIND.DROP_COLUMN, "books", "price"),
        change(KIND.DROP_VIEW, "", "shelf"),
    ]
    questions = ("dependents:books.title", "dependents:books.price", "dependents:shelf")

    async with prepared(driver, tmp_path, *TABLES, *views, *triggers, *checks) as engine:
        found = await answers(
            engine, changes, *questions, "triggers:books", "indexes:books.title", "validated_checks:books"
        )

    checked = {
        "sqlite": UNKNOWN,
        "postgres": ("CHECK ((pages IS NOT NULL))",),
        "mariadb": ("`pages` is not null",),
    }
    assert found == {
        "dependents:books.title": ("shelf",),
        "dependents:books.price": (),
        "dependents:shelf": (),
        "triggers:books": ("tick",),
        "indexes:books.title": ("ix_title",),
        "validated_checks:books": checked[name],
    }


@pytest.mark.parametrize("library", ["asyncpg", "psycopg"])
async def test_what_only_postgresql_knows(library: str, tmp_path: Path) -> None:
    statements = (
        "CREATE TYPE mood AS ENUM ('sad', 'glad')",
        "CREATE SCHEMA other",
        "CREATE TABLE other.people (id int PRIMARY KEY, mood mood, moods mood[])",
        "INSERT INTO other.people VALUES (1, 'sad', '{glad}')",
        "CREATE TABLE parted (id int, at date) PARTITION BY RANGE (at)",
        "CREATE TABLE parted_2026 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        "INSERT INTO parted SELECT i, date '2026-03-01' FROM generate_series(1, 3) i",
        "CREATE TABLE doubled (n int, twice int GENERATED ALWAYS AS (n * 2) STORED)",
        "CREATE SEQUENCE numbers",
        "CREATE TABLE counted (n int DEFAULT nextval('numbers'))",
    )
    changes = [
        change(KIND.DROP_ENUM_LABEL, "", "mood", used_by=["other.people.mood", "other.people.moods"]),
        change(KIND.DROP_TYPE, "", "mood"),
        change(KIND.DROP_TABLE, "parted"),
        change(KIND.CHANGE_TYPE, "doubled", "n"),
        change(KIND.DROP_SEQUENCE, "", "numbers"),
        change(KIND.SET_NOT_NULL, "other.people", "mood"),
    ]

    async with prepared(f"postgres+{library}", tmp_path, *statements) as engine:
        found = await answers(
            engine,
            changes,
            *("labels:other.people.mood", "labels:other.people.moods", "dependents:mood", "rows:parted"),
            *(
                "dependents:doubled.n",
                "dependents:numbers",
                "time_zone",
                "sql_mode",
                "nulls:other.people.mood",
            ),
            "size:parted",
            "rows:other.people",
        )

    size = found.pop("size:parted")
    assert isinstance(size, int)
    assert size > 0
    assert isinstance(found.pop("time_zone"), str)
    assert found == {
        "labels:other.people.mood": ("sad",),
        "labels:other.people.moods": UNKNOWN,
        "dependents:mood": ("other.people.mood", "other.people.moods"),
        "rows:parted": 3,
        "rows:other.people": 1,
        "dependents:doubled.n": ("default value for column twice of table doubled",),
        "dependents:numbers": ("default value for column n of table counted",),
        "sql_mode": UNKNOWN,
        "nulls:other.people.mood": 0,
    }


@pytest.mark.parametrize("library", ["asyncmy", "aiomysql"])
async def test_what_only_mysql_knows(library: str, tmp_path: Path) -> None:
    created = (
        "CREATE TABLE words (a varchar(60) CHARACTER SET latin1, b varchar(60) CHARACTER SET utf8mb4, n int)"
    )
    changes = [change(KIND.CHANGE_TYPE, "words", name) for name in ("a", "b", "n")]

    async with prepared(f"mariadb+{library}", tmp_path, created) as engine:
        found = await answers(
            engine, changes, "charset:words.a", "charset:words.b", "charset:words.n", "sql_mode", "size:words"
        )

    mode, size = found.pop("sql_mode"), found.pop("size:words")
    assert isinstance(mode, str)
    assert isinstance(size, int)
    assert found == {"charset:words.a": "latin1", "charset:words.b": "utf8mb4", "charset:words.n": UNKNOWN}


async def test_holds_no_lock_afterwards(tmp_path: Path) -> None:
    locks = "SELECT count(*) FROM pg_locks WHERE relation = 'books'::regclass"

    def ask(connection: Connection) -> int:
        _ = connection.exec_driver_sql("SELECT 1")
        _ = measure(
            connection, [change(KIND.SET_NOT_NULL, "books", "title")], ["nulls:books.title", "rows:books"]
        )
        return int(connection.exec_driver_sql(locks).scalar_one())

    async with prepared("postgres+asyncpg", tmp_path, *TABLES) as engine:
        assert await asked(engine, ask) == 0


async def test_changes_nothing_even_if_an_expression_would(tmp_path: Path) -> None:
    function = (
        "CREATE FUNCTION tidy_up() RETURNS boolean LANGUAGE plpgsql AS"
        " 'BEGIN DELETE FROM authors; RETURN true; END'"
    )

    async with prepared("postgres+asyncpg", tmp_path, *TABLES, function) as engine:
        found = await answers(
            engine, [change(KIND.ADD_CHECK, "books", "ck", expression="tidy_up()")], "violations:books.ck"
        )
        left = await answers(engine, [change(KIND.DROP_TABLE, "authors")], "rows:authors")

    assert (found, left) == ({"violations:books.ck": UNKNOWN}, {"rows:authors": 1})


async def test_a_table_is_looked_for_once_however_many_questions_there_are(tmp_path: Path) -> None:
    changes = [change(KIND.SET_NOT_NULL, "books", name) for name in ("title", "pages", "author")]
    questions = ["rows:books", *(f"nulls:books.{each.name}" for each in changes)]
    statements: list[str] = []

    async with prepared("postgres+psycopg", tmp_path, *TABLES) as engine:
        event.listen(
            engine.sync_engine, "before_cursor_execute", lambda *given: statements.append(str(given[2]))
        )
        found = await answers(engine, changes, *questions)

    assert found["nulls:books.title"] == 1
    assert sum("pg_attribute" in each for each in statements) == 1
