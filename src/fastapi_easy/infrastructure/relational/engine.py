"""The engine of a URL, and what is said to each new connection.

The engine is in autocommit for good: a read costs one trip, and a unit of work says `BEGIN`, `COMMIT` and
`ROLLBACK` itself (see `transaction`). That is the one way which costs no extra trip with any driver, and it
gives SQLite, whose driver otherwise begins transactions when it sees fit, real ones.
"""

import contextlib
import datetime
import sqlite3
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import URL, event
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from fastapi_easy.domain.queries.specification import fold_case
from fastapi_easy.infrastructure.relational.driver.json_text import parse_json, write_json
from fastapi_easy.infrastructure.relational.options import BACKSTOP, ConnectionOptions

CONNECTIONS_IDLE_IN_TRANSACTION: Final = 15
"""Seconds after which PostgreSQL and MariaDB give up on a transaction nobody works in; MySQL never does."""

_SINCE_TRANSACTION_TIMEOUT: Final = 17_00_00
"""The version of PostgreSQL that gives up on long transactions too."""

_HOST_LIMITS: Final = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""As `sockets` has it for drivers that leave their sockets to us."""


def make_engine(url: URL, options: ConnectionOptions, *, scratch: bool = False) -> Any:
    """The asynchronous engine of *url*; nothing is connected yet.

    Args:
        url: With its driver.

        options: Limits.

        scratch: The database is thrown away at the end, so it need not survive a power failure.
    """
    engine = create_async_engine(
        url,
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
        connect_args=_connect_arguments(url.get_driver_name(), options),
    )
    if engine.driver == "asyncpg":
        _keep_json_as_text(engine.dialect)
    event.listen(engine.sync_engine, "connect", _greeting(url.get_backend_name(), options, scratch=scratch))
    return engine


def _keep_json_as_text(dialect: Any) -> None:
    """Have asyncpg hand over JSON as the text it is, which is parsed when somebody looks at it."""

    async def leave(connection: Any) -> None:
        """Nothing: the codec that asyncpg brings is the one."""

    dialect.setup_asyncpg_json_codec = dialect.setup_asyncpg_jsonb_codec = leave
    dialect.supports_native_json_deserialization = False


def patience(url: URL, options: ConnectionOptions) -> float | None:
    """Seconds after which the client gives up on a statement; `None` where the driver sees to it."""
    if url.get_driver_name() in {"aiosqlite", "asyncpg"} or not options.statement_timeout:
        return None
    return options.statement_timeout + BACKSTOP


def _connect_arguments(driver: str, options: ConnectionOptions) -> dict[str, Any]:
    seconds = max(1, round(options.connect_timeout))
    match driver:
        case "asyncpg":
            wait = options.statement_timeout + BACKSTOP if options.statement_timeout else None
            return {"timeout": options.connect_timeout, "command_timeout": wait}
        case "psycopg":
            return {"connect_timeout": seconds, **_HOST_LIMITS}
        case "asyncmy" | "aiomysql":
            return {"connect_timeout": seconds, "charset": "utf8mb4"}
        case _:
            return {"timeout": options.busy_timeout}


def _greeting(backend: str, options: ConnectionOptions, *, scratch: bool) -> Callable[[Any, Any], None]:
    match backend:
        case "sqlite":
            return lambda connection, _: _greet_sqlite(connection, options, scratch=scratch)
        case "postgresql":
            return lambda connection, _: _say(connection, _postgres_settings(options))
        case _:
            return lambda connection, _: _greet_mysql(connection, options)


def _greet_sqlite(connection: Any, options: ConnectionOptions, *, scratch: bool) -> None:
    # The driver must not begin transactions of its own: it would do so before writes only, never before DDL.
    connection.isolation_level = None
    connection.create_function("fold_case", 1, _folded, deterministic=True)
    connection.create_function("utc_text", 1, _utc_text, deterministic=True)
    _say(
        connection, f"PRAGMA busy_timeout = {round(options.busy_timeout * 1000)}", "PRAGMA foreign_keys = ON"
    )
    if _ask(connection, "PRAGMA journal_mode") != "wal":
        # Of several processes that start at once one switches; the others find it done on their next look.
        with contextlib.suppress(sqlite3.OperationalError):
            _say(connection, "PRAGMA journal_mode = WAL")
    _say(connection, f"PRAGMA synchronous = {'OFF' if scratch else 'NORMAL'}")


def _folded(text: Any) -> Any:
    return fold_case(text) if isinstance(text, str) else text


def _utc_text(written: Any) -> Any:
    """A time as we write it, in UTC and with microseconds; anything else as it is."""
    try:
        moment = datetime.datetime.fromisoformat(written)
    except (TypeError, ValueError):
        return written
    utc = moment if moment.tzinfo is None else moment.astimezone(datetime.UTC).replace(tzinfo=None)
    return utc.isoformat(" ", "microseconds")


def _postgres_settings(options: ConnectionOptions) -> str:
    settings = {
        "TimeZone": "UTC",
        # Compiling costs more than short statements do.
        "jit": "off",
        "statement_timeout": str(round(options.statement_timeout * 1000)),
        "lock_timeout": str(round(options.lock_timeout * 1000)),
        "idle_in_transaction_session_timeout": str(CONNECTIONS_IDLE_IN_TRANSACTION * 1000),
        "default_transaction_isolation": "read committed",
    }
    said = [f"set_config('{name}', '{value}', false)" for name, value in settings.items()]
    said.append(
        f"CASE WHEN current_setting('server_version_num')::int >= {_SINCE_TRANSACTION_TIMEOUT}"
        f" THEN set_config('transaction_timeout', '{round(options.transaction_timeout * 1000)}', false) END"
    )
    # A statement and not start-up options, which poolers refuse.
    return f"SELECT {', '.join(said)}"


def _greet_mysql(connection: Any, options: ConnectionOptions) -> None:
    is_mariadb = "mariadb" in str(_ask(connection, "SELECT VERSION()")).lower()
    limit = (
        f"max_statement_time = {options.statement_timeout},"
        f" idle_transaction_timeout = {CONNECTIONS_IDLE_IN_TRANSACTION}"
        if is_mariadb
        else f"max_execution_time = {round(options.statement_timeout * 1000)}"
    )
    _say(
        connection,
        f"SET SESSION time_zone = '+00:00', {limit},"
        f" innodb_lock_wait_timeout = {max(1, round(options.lock_timeout))},"
        # Without it the server shortens what does not fit instead of refusing it.
        " sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')",
        # As on PostgreSQL: a statement sees what was committed before it began.
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    )


def _say(connection: Any, *statements: str) -> None:
    cursor = connection.cursor()
    try:
        for statement in statements:
            cursor.execute(statement)
    finally:
        cursor.close()


def _ask(connection: Any, statement: str) -> Any:
    cursor = connection.cursor()
    try:
        cursor.execute(statement)
        return cursor.fetchone()[0]
    finally:
        cursor.close()
