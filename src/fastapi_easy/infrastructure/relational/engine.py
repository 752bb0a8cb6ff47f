"""The engine for a URL, and the settings of each new connection.

The engine is in autocommit for good: a read costs one round trip, and a unit of work sends `BEGIN`, `COMMIT` and
`ROLLBACK` itself (see `transaction`). This is the only way that costs no extra round trip with any driver, and the
only one in which SQLite, whose driver otherwise begins transactions when it sees fit, gets real transactions.
"""

import contextlib
import importlib
import logging
import sqlite3
from collections.abc import Callable
from typing import Any, Final, assert_never

from sqlalchemy import URL, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from fastapi_easy.domain.queries.case_folding import fold_case
from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.infrastructure.relational.driver.asyncpg_codecs import register_codecs
from fastapi_easy.infrastructure.relational.driver.decoding.json_text import parse_json, write_json
from fastapi_easy.infrastructure.relational.driver.driver_internals import leave_jit_alone
from fastapi_easy.infrastructure.relational.driver.unreadable import as_stored
from fastapi_easy.infrastructure.relational.options import CLIENT_TIMEOUT_MARGIN, ConnectionOptions
from fastapi_easy.infrastructure.relational.server import ServerName, server_name_of
from fastapi_easy.infrastructure.relational.sessions.opening import open_sessions
from fastapi_easy.infrastructure.relational.sessions.sessions import Sessions
from fastapi_easy.infrastructure.relational.sessions.settings import IDLE_IN_TRANSACTION_TIMEOUT
from fastapi_easy.infrastructure.relational.sqlalchemy_internals import keep_json_as_text
from fastapi_easy.infrastructure.relational.sqlite.kept_files import are_files_kept
from fastapi_easy.infrastructure.relational.sqlite.spellings import NORMAL_FORMS
from fastapi_easy.infrastructure.relational.sqlite.text_index import has_all_words
from fastapi_easy.infrastructure.relational.url import Driver, connect_arguments, driver_of

_KEEPALIVE_SETTINGS: Final = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""For psycopg, whose sockets libpq sets up; the values of `sockets` for the other drivers."""


# Values of one type, which is ours: what they stand for is bound as it was stored.
sqlite3.register_adapter(UnexpectedValue, as_stored)


def make_engine(
    url: URL, options: ConnectionOptions, *, scratch: bool = False, only_reads: bool = False
) -> AsyncEngine:
    """Make the asynchronous engine for *url*; nothing is connected yet.

    Args:
        url: With its driver.

        options: Limits.

        scratch: The database is thrown away at the end, so it need not survive a power failure.

        only_reads: A file of SQLite stays as it is, whatever its journal mode.
    """
    plain, words = connect_arguments(url)
    engine = create_async_engine(
        plain,
        isolation_level="AUTOCOMMIT",
        # Nothing to reset: a transaction is always ended by `Transaction`, or its connection thrown away.
        pool_reset_on_return=None,
        skip_autocommit_rollback=True,
        # Connections are kept by `ConnectionPool`.
        poolclass=NullPool,
        json_serializer=write_json,
        json_deserializer=parse_json,
        hide_parameters=True,
        echo=options.echo,
        connect_args={**_connect_arguments(driver_of(url), options), **words},
    )
    if engine.driver == "asyncpg":
        keep_json_as_text(engine.dialect)
    if engine.driver == "asyncmy":
        _keep_warnings_to_themselves()
    server = server_name_of(url.get_backend_name())
    if server == "postgresql":
        sessions = open_sessions(engine.sync_engine, url, words, options)
        event.listen(engine.sync_engine, "connect", lambda connection, _: _leave_jit(connection, sessions))
    set_up = _session_setup(server, driver_of(url), options, scratch=scratch, only_reads=only_reads)
    if server == "mysql" and "ssl" in words:
        event.listen(engine.sync_engine, "connect", _refuse_plain_connection)
    event.listen(engine.sync_engine, "connect", set_up)
    return engine


def _keep_warnings_to_themselves() -> None:
    """Have asyncmy log no warnings of the server, unless the program has said how much it wants to hear of it.

    They repeat the values of rows, and are written to stderr where nothing is configured.
    """
    logger = logging.getLogger("asyncmy")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.ERROR)


def client_timeout(url: URL, options: ConnectionOptions) -> float | None:
    """Return the seconds after which the client gives up on a statement; `None` without a limit.

    asyncpg has a limit of its own, `command_timeout`; aiosqlite works in a thread that cannot be interrupted.
    """
    if driver_of(url) in {"aiosqlite", "asyncpg"} or not options.statement_timeout:
        return None
    return options.statement_timeout + CLIENT_TIMEOUT_MARGIN


def _connect_arguments(driver: Driver, options: ConnectionOptions) -> dict[str, Any]:
    seconds = max(1, round(options.connect_timeout))
    match driver:
        case "asyncpg":
            wait = options.statement_timeout + CLIENT_TIMEOUT_MARGIN if options.statement_timeout else None
            return {"timeout": options.connect_timeout, "command_timeout": wait}
        case "psycopg":
            # Also while its session is set up, before SQLAlchemy says so.
            return {"connect_timeout": seconds, "autocommit": True, **_KEEPALIVE_SETTINGS}
        case "asyncmy" | "aiomysql":
            return {"connect_timeout": seconds, "charset": "utf8mb4"}
        case "aiosqlite":
            return {"timeout": options.busy_timeout}
        case _:
            assert_never(driver)


def _session_setup(
    server: ServerName, driver: Driver, options: ConnectionOptions, *, scratch: bool, only_reads: bool
) -> Callable[[Any, object], None]:
    match server:
        case "sqlite":
            return lambda connection, _: _set_up_sqlite(
                connection, options, scratch=scratch, only_reads=only_reads
            )
        case "postgresql":
            register = _postgres_values(driver)
            return lambda connection, _: register(connection)
        case "mysql":
            return lambda connection, _: _set_up_mysql(connection, options)
        case _:
            assert_never(server)


def _set_up_sqlite(connection: Any, options: ConnectionOptions, *, scratch: bool, only_reads: bool) -> None:
    # The driver must not begin transactions of its own: it would do so before writes only, never before DDL.
    connection.isolation_level = None
    connection.create_function("fold_case", 1, _fold_case, deterministic=True)
    connection.create_function("has_all_words", 2, has_all_words, deterministic=True)
    for name, form in NORMAL_FORMS.items():
        connection.create_function(name, 1, form, deterministic=True)
    # Foreign keys are not enforced unless a connection asks for it.
    _execute_all(
        connection, f"PRAGMA busy_timeout = {round(options.busy_timeout * 1000)}", "PRAGMA foreign_keys = ON"
    )
    if only_reads or are_files_kept():
        _execute_all(connection, "PRAGMA query_only = ON")
        return
    if _fetch_scalar(connection, "PRAGMA journal_mode") != "wal":
        # Of several processes that start at once one switches the file; for the others it is locked, and then done.
        with contextlib.suppress(sqlite3.OperationalError):
            _execute_all(connection, "PRAGMA journal_mode = WAL")
    # With WAL, NORMAL keeps the file consistent; a power failure may undo the last commits, a crash does not.
    _execute_all(connection, f"PRAGMA synchronous = {'OFF' if scratch else 'NORMAL'}")


def _fold_case(text: bytes | None) -> str | None:
    # As bytes, because a text that is no UTF-8 would be an error before it is here.
    return None if text is None else fold_case(text.decode(errors="replace"))


def _postgres_values(driver: Driver) -> Callable[[Any], None]:
    """Return what lets a connection of *driver* read and write the values that Python's types cannot hold."""
    if driver == "asyncpg":
        return lambda connection: connection.run_async(register_codecs)
    # It imports psycopg, which is installed by those who use it.
    module = importlib.import_module("fastapi_easy.infrastructure.relational.driver.psycopg_adapters")
    return lambda connection: module.register_adapters(connection.driver_connection)


def _leave_jit(connection: Any, sessions: Sessions) -> None:
    if sessions.are_shared:
        leave_jit_alone(connection.driver_connection)


def _set_up_mysql(connection: Any, options: ConnectionOptions) -> None:
    is_mariadb = "mariadb" in str(_fetch_scalar(connection, "SELECT VERSION()")).lower()
    limit = (
        f"max_statement_time = {options.statement_timeout},"
        f" idle_transaction_timeout = {IDLE_IN_TRANSACTION_TIMEOUT}"
        if is_mariadb
        else f"max_execution_time = {round(options.statement_timeout * 1000)}"
    )
    _execute_all(
        connection,
        f"SET SESSION time_zone = '+00:00', {limit},"
        f" innodb_lock_wait_timeout = {max(1, round(options.lock_timeout))},"
        # Without it the server shortens what does not fit instead of refusing it.
        " sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')",
        # As on PostgreSQL: a statement sees what was committed before it began.
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    )


def _refuse_plain_connection(connection: Any, _: object) -> None:
    # The drivers go on without TLS when the server does not offer it.
    cursor = connection.cursor()
    try:
        cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
        cipher = cursor.fetchone()
    finally:
        cursor.close()
    if not cipher or not cipher[1]:
        raise ConnectionError("the server offers no TLS, which the database URL asks for")


def _execute_all(connection: Any, *statements: str) -> None:
    cursor = connection.cursor()
    try:
        for statement in statements:
            cursor.execute(statement)
    finally:
        cursor.close()


def _fetch_scalar(connection: Any, statement: str) -> Any:
    cursor = connection.cursor()
    try:
        cursor.execute(statement)
        return cursor.fetchone()[0]
    finally:
        cursor.close()
