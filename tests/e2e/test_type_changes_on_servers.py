"""What the rules say of a change of type, compared with what the servers do."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import DataError, DBAPIError, ProgrammingError

from fastapi_easy.domain.migrations.rules.type_changes import compare_types, copies_mysql, rewrites_postgres
from tests.e2e.stores import empty_store

POSTGRES = (
    *("character varying(20)", "character varying(40)", "character varying", "text", "character(20)"),
    *("smallint", "integer", "bigint", "numeric(9,3)", "numeric(12,3)", "numeric(9,2)", "numeric"),
    *("real", "double precision", "boolean", "date", "timestamp(0) without time zone"),
    *("timestamp without time zone", "timestamp with time zone", "time without time zone", "interval"),
    *("uuid", "json", "jsonb", "bytea", "inet", "cidr", "integer[]", "bigint[]"),
)


@contextmanager
def connected(store: str, driver: str, folder: Path) -> Iterator[Connection]:
    with empty_store(store, folder) as url:
        engine = create_engine(make_url(url).set(drivername=driver))
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()


REWRITTEN = """
    CREATE FUNCTION rewritten(before text, after text) RETURNS boolean LANGUAGE plpgsql AS $$
    DECLARE old oid; new oid;
    BEGIN
        EXECUTE 'CREATE TEMPORARY TABLE t (c ' || before || ')';
        old := pg_relation_filenode('t'::regclass);
        BEGIN
            EXECUTE 'ALTER TABLE t ALTER c TYPE ' || after;
            new := pg_relation_filenode('t'::regclass);
        EXCEPTION WHEN others THEN
            new := NULL;
        END;
        DROP TABLE t;
        RETURN old <> new;
    END $$
"""
"""Null where PostgreSQL does not convert."""


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_the_types_for_which_postgresql_writes_a_table_anew(zone: str, tmp_path: Path) -> None:
    pairs = (
        "SELECT b, a, rewritten(b, a) FROM unnest(CAST(:types AS text[])) AS b"
        " JOIN unnest(CAST(:types AS text[])) AS a ON a <> b"
    )

    with connected("postgres", "postgresql+psycopg", tmp_path) as connection:
        connection.exec_driver_sql(REWRITTEN)
        connection.exec_driver_sql(f"SET TimeZone = '{zone}'")
        found = connection.execute(text(pairs), {"types": list(POSTGRES)}).all()

    said = {
        (before, after): rewrites_postgres(compare_types(before, after, "postgresql"), zone)
        for before, after, rewritten in found
        if rewritten is not None
    }
    assert said == {(before, after): rewritten for before, after, rewritten in found if rewritten is not None}
    assert len(said) > 100


NUMBERS: dict[str, Sequence[str]] = {
    "smallint": ("-32768", "32767"),
    "integer": ("-2147483648", "2147483647"),
    "bigint": ("-9223372036854775808", "9223372036854775807"),
    "numeric(9,3)": ("-999999.999", "0.001"),
    "numeric(5,3)": ("-99.999", "0.125"),
    "numeric": ("1e30", "0.0001"),
    "double precision": ("1.5", "1e300"),
    "real": ("1.5", "1e30"),
    "character varying(5)": ("'abcde'", "'1.5  '"),
    "character varying(9)": ("'abcdefghi'", "'1'"),
    "text": ("'abcdefghijklmnop'", "'x'"),
    "timestamp without time zone": ("'2026-01-02 03:04:05.678'", "'2026-01-02'"),
    "date": ("'2026-01-02'", "'0001-01-01'"),
}


def _comes_back(connection: Connection, value: str, before: str, after: str) -> bool:
    """Whether *value* is the same after a conversion and back; also where PostgreSQL has none."""
    with connection.begin() as transaction:
        try:
            same = f"SELECT ({value})::{before}::{after}::{before} = ({value})::{before}"
            return bool(connection.exec_driver_sql(same).scalar())
        except ProgrammingError:
            return True
        except DataError:
            return False
        finally:
            transaction.rollback()


def test_what_is_said_to_fit_and_to_keep_its_value_does(tmp_path: Path) -> None:
    """Of a change that neither narrows nor loses, every extreme value comes back as it was."""
    wrong = []
    with connected("postgres", "postgresql+psycopg", tmp_path) as connection:
        for before, after in itertools.permutations(NUMBERS, 2):
            change = compare_types(before, after, "postgresql")
            if change.narrows or change.loses:
                continue
            values = [each for each in NUMBERS[before] if not _comes_back(connection, each, before, after)]
            wrong += [(before, after, each) for each in values]

    assert wrong == []


MYSQL = (
    *(
        "varchar(20)",
        "varchar(63)",
        "varchar(64)",
        "varchar(90)",
        "text",
        "char(20)",
        "tinyint",
        "int",
        "bigint",
    ),
    *("decimal(9,3)", "decimal(12,3)", "double", "date", "datetime", "datetime(6)", "timestamp"),
    *("enum('a','b')", "enum('a','b','c')", "enum('b','a')"),
)


def test_the_types_for_which_mariadb_copies_a_table(tmp_path: Path) -> None:
    """What the rules take for quick, the server does without a copy. They may take more for a copy than it makes."""
    wrong = []
    with connected("mariadb", "mysql+pymysql", tmp_path) as connection:
        for before, after in itertools.permutations(MYSQL, 2):
            if copies_mysql(compare_types(before, after, "mysql"), 4):
                continue
            connection.exec_driver_sql(f"CREATE OR REPLACE TABLE t (c {before} NULL) CHARACTER SET utf8mb4")
            try:
                connection.exec_driver_sql(f"ALTER TABLE t MODIFY c {after} NULL, ALGORITHM=INPLACE")
            except DBAPIError:
                wrong.append((before, after))

    assert wrong == []
