"""What the errors of drivers mean for a migration, and what is shown of them."""

import sqlite3

import pytest
from sqlalchemy.exc import DBAPIError

from fastapi_easy.domain.errors import LockHeld, LockLost, Unavailable
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.infrastructure.migrations.relational.failures import (
    SHORTENED,
    Refused,
    StatementFailed,
    failure_of,
    mask,
    shorten,
)


class DriverError(Exception):
    """An error of a driver, with what drivers put on theirs."""

    def __init__(self, *arguments, **attributes):
        super().__init__(*arguments)
        vars(self).update(attributes)


def raised(*arguments, **attributes):
    return DBAPIError("a statement", None, DriverError(*arguments, **attributes))


@pytest.mark.parametrize(
    "error",
    [
        raised("canceling statement due to lock timeout", sqlstate="55P03"),
        raised("deadlock detected", sqlstate="40P01"),
        raised(1205, "Lock wait timeout exceeded", sqlstate="HY000"),
        raised(1213, "Deadlock found"),
        raised("database is locked", sqlite_errorname="SQLITE_BUSY"),
        raised("database table is locked", sqlite_errorname="SQLITE_LOCKED"),
    ],
    ids=str,
)
def test_a_lock_of_somebody_else_is_waited_for_again(error):
    assert isinstance(failure_of(error, "shop"), LockHeld)
    assert isinstance(failure_of(StatementFailed("DROP TABLE t", error), "shop"), LockHeld)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        raised("terminating connection", sqlstate="57P01"),
        raised(2013, "Lost connection"),
        DBAPIError("a statement", None, DriverError("gone"), connection_invalidated=True),
    ],
    ids=repr,
)
def test_a_server_that_does_not_answer_is_unavailable(error):
    assert failure_of(StatementFailed("DROP TABLE t", error), "shop") == Unavailable("shop")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (raised("relation exists", sqlstate="42P07"), "relation exists"),
        (raised(1050, "Table 't' already exists"), "Table 't' already exists"),
        (raised("database or disk is full", sqlite_errorname="SQLITE_FULL"), "database or disk is full"),
        (raised("could not extend file", sqlstate="53100"), "could not extend file"),
        (raised(1021, "Disk full"), "Disk full"),
        (raised("statement timeout", sqlstate="57014"), "statement timeout"),
        (raised("a\n  b\x00c", sqlstate="42601"), "a bc"),
        (raised(), "DriverError"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_what_the_server_refuses_stops_the_migration_with_what_it_says(error, said):
    failed = failure_of(StatementFailed("CREATE TABLE  t\n  (id int)", error), "shop", "run 1")

    expected = f"{said} in: CREATE TABLE t (id int)"
    assert failed == MigrationStopped("shop", MigrationStop.FAILED, expected, "run 1")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (raised("permission denied for table t", sqlstate="42501"), "permission denied for table t"),
        (raised("no such database", sqlstate="3D000"), "no such database"),
        (raised(1045, "Access denied for user 'ada'@'host'"), "Access denied for user 'ada'@'host'"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_what_is_refused_outside_of_a_run_is_no_failed_step(error, said):
    failed = failure_of(error, "shop")

    assert failed == MigrationStopped("shop", MigrationStop.REFUSED, f"the database shop refuses: {said}")


@pytest.mark.parametrize("run_id", ["", "run 1"])
@pytest.mark.parametrize(
    "error",
    [raised("no", sqlstate="25006"), raised(1290, "no"), raised("no", sqlite_errorname="SQLITE_READONLY")],
    ids=["postgres", "mysql", "sqlite"],
)
def test_a_standby_says_so_whatever_was_asked_of_it(error, run_id):
    failed = failure_of(error, "shop", run_id)

    said = "the database shop cannot be written to, like a standby: no"
    assert failed == MigrationStopped("shop", MigrationStop.REFUSED, said, run_id)


def test_details_with_rows_are_not_shown():
    details = "DETAIL:  Key (email)=(jane@example.org) is duplicated."
    of_psycopg = raised(
        f"could not create unique index\n{details}",
        sqlstate="23505",
        diag=DriverError(message_primary="could not create unique index"),
    )
    of_sqlite = DBAPIError("x", None, sqlite3.IntegrityError("UNIQUE constraint failed: users.email"))

    assert failure_of(of_psycopg, "shop", "run 1").message == "could not create unique index"
    assert failure_of(of_sqlite, "shop", "run 1").message == "UNIQUE constraint failed: users.email"


def test_what_was_refused_is_told_as_it_is():
    assert failure_of(Refused(LockLost("migrations")), "shop") == LockLost("migrations")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql://ada:pass@host/shop", "postgresql://ada:***@host/shop"),
        ("CREATE USER ada IDENTIFIED BY 'it''s'", "CREATE USER ada IDENTIFIED BY '***'"),
        ("ALTER ROLE ada PASSWORD 'secret' VALID", "ALTER ROLE ada PASSWORD '***' VALID"),
        ("OPTIONS (user 'ada', password 'secret')", "OPTIONS (user 'ada', password '***')"),
        ("connect host=h password='p w'", "connect host=h password='***'"),
        ("https://example.org/a:b@c", "https://example.org/a:b@c"),
        ("password_hash VARCHAR(60) DEFAULT 'none'", "password_hash VARCHAR(60) DEFAULT 'none'"),
    ],
)
def test_secrets_are_masked(text, masked):
    assert mask(text) == masked


def test_a_long_statement_is_shown_in_part():
    shown = shorten("SELECT " + "x" * 1000)

    assert (len(shown), shown[-1]) == (SHORTENED, "…")
