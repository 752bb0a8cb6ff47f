"""One statement that reads, changes nothing, and ends after a while."""

import contextlib
import math
import time
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection

from fastapi_easy.infrastructure.relational.server import ServerName

_INSTRUCTIONS: Final = 10_000
"""Of SQLite's machine, between two looks at the clock."""


@contextlib.contextmanager
def bounded(connection: Connection, server: ServerName, is_mariadb: bool, seconds: float) -> Iterator[None]:
    """Let statements of the block end after *seconds*, and undo whatever they have done.

    Locks are those of a SELECT, and are given back at the end.
    """
    is_own = not connection.in_transaction()
    transaction = connection.begin() if is_own else connection.begin_nested()
    try:
        with _limited(connection, server, is_mariadb, seconds):
            yield
    finally:
        if transaction.is_active:
            transaction.rollback()


@contextlib.contextmanager
def _limited(connection: Connection, server: ServerName, is_mariadb: bool, seconds: float) -> Iterator[None]:
    match server:
        case "postgresql":
            milliseconds = max(1, round(seconds * 1000))
            execute(
                connection,
                f"SELECT set_config('statement_timeout', '{milliseconds}', true),"
                " set_config('transaction_read_only', 'on', true)",
            )
            yield
        case "mysql":
            with _limited_mysql(connection, is_mariadb, seconds):
                yield
        case "sqlite":
            with _limited_sqlite(connection, seconds):
                yield


@contextlib.contextmanager
def _limited_mysql(connection: Connection, is_mariadb: bool, seconds: float) -> Iterator[None]:
    limits: dict[str, float] = {
        "lock_wait_timeout": max(1, math.ceil(seconds)),
        "max_statement_time" if is_mariadb else "max_execution_time": seconds
        if is_mariadb
        else max(1, round(seconds * 1000)),
    }
    names = ", ".join(f"@@SESSION.{name}" for name in limits)
    before = execute(connection, f"SELECT {names}").one()
    try:
        _set_session(connection, limits)
        yield
    finally:
        if not connection.invalidated:
            _set_session(connection, dict(zip(limits, before, strict=True)))


def _set_session(connection: Connection, values: dict[str, Any]) -> None:
    execute(connection, "SET " + ", ".join(f"SESSION {name} = {value}" for name, value in values.items()))


@contextlib.contextmanager
def _limited_sqlite(connection: Connection, seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds

    def is_late() -> bool:
        return time.monotonic() > end

    before = execute(connection, "PRAGMA query_only").scalar_one()
    execute(connection, "PRAGMA query_only = ON")
    _set_progress_handler(connection, is_late)
    try:
        yield
    finally:
        _set_progress_handler(connection, None)
        execute(connection, f"PRAGMA query_only = {before}")


def _set_progress_handler(connection: Connection, handler: Any) -> None:
    adapted: Any = connection.connection.dbapi_connection
    if hasattr(adapted, "run_async"):
        adapted.run_async(lambda driver: driver.set_progress_handler(handler, _INSTRUCTIONS))
    else:
        adapted.set_progress_handler(handler, _INSTRUCTIONS)


def execute(connection: Connection, statement: str) -> Any:
    """Execute *statement* as it is written: `%` and `:` mean themselves."""
    return connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
