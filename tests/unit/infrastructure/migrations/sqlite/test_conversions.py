"""A value is carried into a column of another type only when it stays what it is."""

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    Numeric,
    String,
    Text,
)

from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.step import Reversibility
from fastapi_easy.infrastructure.migrations.relational.sqlite.definition.conversions import Affinity, affinity
from fastapi_easy.infrastructure.migrations.relational.sqlite.refusal import SqliteRefusal
from tests.unit.infrastructure.migrations.sqlite.sqlite_migration import StoredDatabase, alter_column

VALUES = [
    *[
        "7",
        "-3",
        "007",
        "1.0",
        "1.50",
        "-0.5",
        "abc",
        "",
        " 7",
        "1e3",
        "9" * 21,
        "2020-01-02",
        "2020",
        "a\x00b",
        ".",
    ],
    *[7, -3, 4.0, 1.5, 0.1 + 0.2, 1e300, 2**53 + 1, b"7"],
]
"""Each is tried in each conversion; those that are not listed there must not be carried over."""

NUMBERS = {"7": 7, "-3": -3, "1.0": 1, "1.50": 1.5, "-0.5": -0.5, "2020": 2020}
WHOLE = {"7": 7, "-3": -3, "2020": 2020, 7: 7, -3: -3, 4.0: 4, 2**53 + 1: 2**53 + 1}
WORDS = {
    value: value
    for value in VALUES
    if isinstance(value, str) and value not in {*NUMBERS, "007", "9" * 21, " 7", "1e3"}
}

CASES = [
    (Integer(), WHOLE),
    (Boolean(), WHOLE),
    (BigInteger(), WHOLE),
    (Numeric(10, 2), NUMBERS | {each: each for each in VALUES if isinstance(each, int | float)}),
    (Float(), NUMBERS | {each: float(each) for each in (7, -3, 4.0, 1.5, 0.1 + 0.2, 1e300)}),
    (
        Text(),
        {each: each for each in VALUES if isinstance(each, str)}
        | {7: "7", -3: "-3", 4.0: "4.0", 1.5: "1.5", 1e300: "1.0e+300", 2**53 + 1: str(2**53 + 1), b"7": "7"},
    ),
    (Date(), WORDS),
    (DateTime(), WORDS),
    (JSON(), WORDS | NUMBERS | {each: each for each in VALUES if isinstance(each, int | float)}),
]


@pytest.mark.parametrize(
    ("after", "good"), CASES, ids=lambda each: "" if isinstance(each, dict) else repr(each)
)
def test_carries_over_what_stays_what_it_is(tmp_path, after, good):
    (step,) = database_with(tmp_path, "BLOB").steps(alter_column("t", "v", modify_type=after))

    found = {value: converted(step.statements, value) for value in VALUES}

    assert found == {value: good.get(value) for value in VALUES}


def converted(statements, value):
    """Return what becomes of *value*; `None` where nothing was changed."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.execute("CREATE TABLE t (n INTEGER PRIMARY KEY, v BLOB)")
        database.executemany("INSERT INTO t (v) VALUES (?)", [(value,), (None,)])
        try:
            for each in statements:
                database.execute(each)
        except sqlite3.IntegrityError:
            return None
        return database.execute("SELECT v FROM t WHERE n = 1").fetchone()[0]


def database_with(tmp_path, declared, *values):
    database = StoredDatabase(
        tmp_path / "x.db", "CREATE TABLE t (n INTEGER PRIMARY KEY, v TYPE)".replace("TYPE", declared)
    )
    with closing(sqlite3.connect(database.path, isolation_level=None)) as connection:
        connection.executemany("INSERT INTO t (v) VALUES (?)", [(each,) for each in (*values, None)])
    return database


@pytest.mark.parametrize("declared", ["TEXT", "VARCHAR(9)", "CLOB", "NATIONAL CHARACTER"])
def test_texts_become_numbers_and_texts_again(tmp_path, declared):
    database = database_with(tmp_path, declared, "7", "-30")

    (step,) = database.migrate(alter_column("t", "v", modify_type=Integer()))
    numbers = database.rows("SELECT v FROM t")
    database.go_back([step])

    assert step.reversibility is Reversibility.FULL
    assert numbers == [(7,), (-30,), (None,)]
    assert database.rows("SELECT v FROM t") == [("7",), ("-30",), (None,)]


def test_within_one_affinity_bytes_are_copied(tmp_path):
    database = database_with(tmp_path, "DATETIME", "2020-01-02", "nonsense", b"\xff", 1.5)

    database.migrate(alter_column("t", "v", modify_type=Date()))

    assert database.rows("SELECT v FROM t") == [("2020-01-02",), ("nonsense",), (b"\xff",), (1.5,), (None,)]


def test_bytes_and_texts(tmp_path):
    database = database_with(tmp_path, "TEXT", "ü", b"\x00\xff")

    database.migrate(alter_column("t", "v", modify_type=LargeBinary()))

    assert database.rows("SELECT v FROM t") == [("ü".encode(),), (b"\x00\xff",), (None,)]


def test_a_hint_says_how_a_value_is_converted(tmp_path):
    database = database_with(tmp_path, "TEXT", "7 pieces", "none")
    hints = Hints(using={"t.v": "CAST(v AS INTEGER)"})

    database.migrate(alter_column("t", "v", modify_type=Integer()), hints=hints)

    assert database.rows("SELECT v FROM t") == [(7,), (0,), (None,)]


def test_a_hint_for_another_database_is_refused(tmp_path):
    database = database_with(tmp_path, "TEXT", "7")

    with pytest.raises(SqliteRefusal, match="unrecognized token"):
        database.steps(
            alter_column("t", "v", modify_type=Integer()), hints=Hints(using={"t.v": "v::integer"})
        )


def test_no_column_is_left_half_converted(tmp_path):
    database = StoredDatabase(
        tmp_path / "x.db", "CREATE TABLE t (a TEXT, b TEXT); INSERT INTO t VALUES ('1', '2'), ('3', 'x');"
    )
    (step,) = database.steps(
        alter_column("t", "a", modify_type=Integer()), alter_column("t", "b", modify_type=Integer())
    )

    with pytest.raises(sqlite3.IntegrityError, match="every value of b fits INTEGER"):
        database.execute(step)

    assert database.rows("SELECT * FROM t") == [("1", "2"), ("3", "x")]


@pytest.mark.parametrize(
    "declared",
    [
        "",
        "INT",
        "FLOATING POINT",
        "STRING",
        "CHARINT",
        "Text",
        "blob",
        "DOUBLE",
        "DECIMAL(10,5)",
        "BOOLEAN",
        "DATETIME",
        "JSON",
    ],
)
def test_affinities_are_those_of_sqlite(declared):
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE t (v TYPE)".replace("TYPE", declared))
        database.executemany("INSERT INTO t VALUES (?)", [("7",), (7,), (1.0,)])
        found = [row[0] for row in database.execute("SELECT typeof(v) FROM t")]

    assert (
        found
        == {
            Affinity.BLOB: ["text", "integer", "real"],
            Affinity.TEXT: ["text", "text", "text"],
            Affinity.REAL: ["real", "real", "real"],
            Affinity.INTEGER: ["integer", "integer", "integer"],
            Affinity.NUMERIC: ["integer", "integer", "integer"],
        }[affinity(declared)]
    )


def test_a_longer_name_of_the_same_type_copies_all(tmp_path):
    database = database_with(tmp_path, "VARCHAR(3)", "longer than three")

    database.migrate(alter_column("t", "v", modify_type=String(2)))

    assert database.rows("SELECT v FROM t") == [("longer than three",), (None,)]
