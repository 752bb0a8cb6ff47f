"""What a driver's exception means: numbers and states that no server of the tests gives by itself."""

from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from fastapi_easy.domain import (
    Deadlock,
    LockWaitTimeout,
    SerializationConflict,
    Unavailable,
    UnavailableReason,
)
from fastapi_easy.infrastructure.relational.driver.error_classification import (
    as_connect_failure,
    classify_error,
    is_unreachable,
    unavailable_for,
    unavailable_reason_of,
)
from fastapi_easy.infrastructure.relational.error_codes import ErrorCause


class MysqlError(Exception):
    """What the drivers for MySQL raise: a number and a message."""


class PostgresError(Exception):
    """What the drivers for PostgreSQL raise."""

    def __init__(self, sqlstate: str, **details: str) -> None:
        self.sqlstate = sqlstate
        vars(self).update(details)
        super().__init__(sqlstate)


class SqliteError(Exception):
    """What sqlite3 raises."""

    def __init__(self, name: str, message: str) -> None:
        self.sqlite_errorname = name
        super().__init__(message)


FULL = (ErrorCause.STORAGE_FULL, None)


@pytest.mark.parametrize(
    ("driver_error", "cause", "sentence"),
    [
        (MysqlError(1644, "too low"), ErrorCause.RAISED, "too low"),
        (MysqlError(1643, "not found"), ErrorCause.RAISED, "not found"),
        (MysqlError(31000, "our own"), ErrorCause.RAISED, "our own"),
        (MysqlError(5000, "our own"), ErrorCause.RAISED, "our own"),
        (MysqlError(1001, "as in the manual"), ErrorCause.RAISED, "as in the manual"),
        (MysqlError(1339, "Case not found for CASE statement"), ErrorCause.RAISED, None),
        (MysqlError(1365, "Division by 0"), ErrorCause.INVALID_VALUE, None),
        (MysqlError(1369, "CHECK OPTION failed"), ErrorCause.CHECK, None),
        (MysqlError(1526, "Table has no partition for value 2"), ErrorCause.CHECK, None),
        (MysqlError(1288, "not updatable"), ErrorCause.NOT_CHANGEABLE, None),
        (PostgresError("20000", message="case not found"), ErrorCause.RAISED, None),
        (PostgresError("44000", message="violates check option"), ErrorCause.CHECK, None),
        (PostgresError("54000", message="index row too large"), ErrorCause.INVALID_VALUE, None),
        (PostgresError("55000", message="cannot update view"), ErrorCause.NOT_CHANGEABLE, None),
        (MysqlError(1290, "--read-only"), ErrorCause.READ_ONLY, None),
        (MysqlError(1792, "READ ONLY transaction"), ErrorCause.READ_ONLY, None),
        (MysqlError(1836, "Running in read-only mode"), ErrorCause.READ_ONLY, None),
        (MysqlError(1021, "Disk full (/tmp/#sql); waiting for someone to free some space"), *FULL),
        (MysqlError(1114, "The table 'book' is full"), *FULL),
        (MysqlError(1030, 'Got error 28 "No space left on device" from storage engine InnoDB'), *FULL),
        (MysqlError(1026, "Error writing file 'binlog' (errno: 28 \"No space left on device\")"), *FULL),
        (MysqlError(3, "Error writing file '/tmp/ML' (Errcode: 28 \"No space left on device\")"), *FULL),
        (PostgresError("53100", message="could not extend file: No space left on device"), *FULL),
        (SqliteError("SQLITE_FULL", "database or disk is full"), *FULL),
        (SqliteError("SQLITE_IOERR_SHMSIZE", "disk I/O error"), *FULL),
        (MysqlError(1142, "INSERT command denied"), ErrorCause.NOT_PERMITTED, None),
        (MysqlError(1143, "column denied"), ErrorCause.NOT_PERMITTED, None),
        (PostgresError("P0001", message="too low"), ErrorCause.RAISED, "too low"),
        (PostgresError("45000", message="too low"), ErrorCause.RAISED, "too low"),
        (PostgresError("P0003", message="more than one row"), ErrorCause.RAISED, None),
        (PostgresError("P0004", message="a secret"), ErrorCause.RAISED, None),
        (PostgresError("25006", message="read-only"), ErrorCause.READ_ONLY, None),
        (PostgresError("42501", message="row-level security"), ErrorCause.NOT_PERMITTED, None),
        (PostgresError("22003", message="overflow"), ErrorCause.INVALID_VALUE, None),
        *(
            (
                PostgresError(state, message="of ours", server_source_function="exec_stmt_raise"),
                ErrorCause.RAISED,
                "of ours",
            )
            for state in ("UX001", "22003", "42501", "XX000", "57P01", "0A000", "23514")
        ),
        *(
            (PostgresError(state, message="m", server_source_function="exec_stmt_raise"), cause, None)
            for state, cause in (
                ("23505", ErrorCause.UNIQUE),
                ("23503", ErrorCause.FOREIGN_KEY),
                ("23502", ErrorCause.NOT_NULL),
                ("40001", ErrorCause.SERIALIZATION),
            )
        ),
        (SqliteError("SQLITE_CONSTRAINT_TRIGGER", "too low"), ErrorCause.RAISED, "too low"),
        (
            SqliteError("SQLITE_CONSTRAINT_TRIGGER", "FOREIGN KEY constraint failed"),
            ErrorCause.FOREIGN_KEY,
            None,
        ),
        (SqliteError("SQLITE_READONLY", "readonly database"), ErrorCause.READ_ONLY, None),
        (SqliteError("SQLITE_READONLY_DBMOVED", "readonly database"), ErrorCause.READ_ONLY, None),
        (SqliteError("SQLITE_AUTH", "not authorized"), ErrorCause.NOT_PERMITTED, None),
    ],
    ids=lambda each: repr(each) if isinstance(each, Exception) else None,
)
def test_a_refusal_of_the_database_is_told_from_a_defect(
    driver_error: Any, cause: ErrorCause, sentence: str | None
) -> None:
    error = DBAPIError("INSERT", {}, driver_error)

    classified = classify_error(error)

    assert classified is not None
    assert (classified.cause, classified.sentence) == (cause, sentence)
    assert not is_unreachable(error)
    if cause is ErrorCause.READ_ONLY:
        assert unavailable_reason_of(error) is UnavailableReason.READ_ONLY
    if cause is ErrorCause.STORAGE_FULL:
        assert unavailable_reason_of(error) is UnavailableReason.STORAGE_FULL


@pytest.mark.parametrize(
    "driver_error",
    [
        SqliteError("SQLITE_IOERR_WRITE", "disk I/O error"),
        SqliteError("SQLITE_CANTOPEN", "unable to open database file"),
        PostgresError("53300", message="sorry, too many clients already"),
    ],
    ids=repr,
)
def test_a_store_that_fails_for_another_reason_than_its_size_does_not_answer(driver_error: Any) -> None:
    assert is_unreachable(DBAPIError("INSERT", {}, driver_error))


def test_another_error_of_the_engine_is_no_full_disk() -> None:
    error = DBAPIError("INSERT", {}, MysqlError(1030, "Got error 128 from storage engine InnoDB"))

    assert classify_error(error) is None


class PsycopgRefusal(Exception):
    """What psycopg raises while it connects: no SQLSTATE, and what libpq says."""

    sqlstate = None


PsycopgRefusal.__module__ = "psycopg"
OperationalError = type("OperationalError", (PsycopgRefusal,), {"__module__": "psycopg.errors"})


@pytest.mark.parametrize(
    ("driver_error", "kind", "reason"),
    [
        (PostgresError("40P01", message="deadlock detected"), Deadlock, UnavailableReason.CONFLICT),
        (PostgresError("40001", message="conflict"), SerializationConflict, UnavailableReason.CONFLICT),
        (PostgresError("55P03", message="canceled"), LockWaitTimeout, UnavailableReason.TIMEOUT),
        (PostgresError("57014", message="canceled"), Unavailable, UnavailableReason.TIMEOUT),
        (PostgresError("28P01", message="password"), Unavailable, UnavailableReason.ACCESS_DENIED),
        (PostgresError("28000", message="no entry"), Unavailable, UnavailableReason.ACCESS_DENIED),
        (PostgresError("3D000", message="no such"), Unavailable, UnavailableReason.UNKNOWN_DATABASE),
        (MysqlError(1213, "Deadlock found"), Deadlock, UnavailableReason.CONFLICT),
        (MysqlError(1020, "Record has changed"), SerializationConflict, UnavailableReason.CONFLICT),
        (MysqlError(1205, "Lock wait timeout"), LockWaitTimeout, UnavailableReason.TIMEOUT),
        (MysqlError(3572, "NOWAIT is set"), LockWaitTimeout, UnavailableReason.TIMEOUT),
        (MysqlError(1969, "max_statement_time"), Unavailable, UnavailableReason.TIMEOUT),
        (MysqlError(1045, "Access denied"), Unavailable, UnavailableReason.ACCESS_DENIED),
        (MysqlError(1049, "Unknown database"), Unavailable, UnavailableReason.UNKNOWN_DATABASE),
        (SqliteError("SQLITE_BUSY", "database is locked"), LockWaitTimeout, UnavailableReason.TIMEOUT),
    ],
    ids=repr,
)
def test_what_was_in_the_way_has_an_error_of_its_own(
    driver_error: Any, kind: type[Unavailable], reason: UnavailableReason
) -> None:
    found = unavailable_for(DBAPIError("UPDATE", {}, driver_error), "default")

    assert (type(found), found and found.reason) == (kind, reason)


@pytest.mark.parametrize(
    ("driver_error", "reason"),
    [
        (PostgresError("42501", message="permission denied for database"), UnavailableReason.ACCESS_DENIED),
        (MysqlError(1044, "Access denied for user"), UnavailableReason.ACCESS_DENIED),
        (PostgresError("55000", message="database is not accepting"), UnavailableReason.NO_RESPONSE),
        (MysqlError(1820, "You must reset your password"), UnavailableReason.NO_RESPONSE),
        *(
            (OperationalError(f'connection failed: server at "::1" failed: FATAL:  {said}'), reason)
            for said, reason in (
                ('password authentication failed for user "ada"', UnavailableReason.ACCESS_DENIED),
                ('role "ada" does not exist', UnavailableReason.ACCESS_DENIED),
                ('no pg_hba.conf entry for host "::1"', UnavailableReason.ACCESS_DENIED),
                ('database "shop" does not exist', UnavailableReason.UNKNOWN_DATABASE),
                ("the database system is starting up", UnavailableReason.NO_RESPONSE),
            )
        ),
    ],
    ids=repr,
)
def test_whatever_keeps_a_connection_from_being_opened_is_no_defect(
    driver_error: Any, reason: UnavailableReason
) -> None:
    failure = as_connect_failure(DBAPIError("connect", {}, driver_error))

    assert unavailable_reason_of(failure) is reason
    assert is_unreachable(failure)
