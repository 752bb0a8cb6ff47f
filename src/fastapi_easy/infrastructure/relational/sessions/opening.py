"""How a connection to PostgreSQL is opened and its session set up: one round trip, which also finds a pooler.

A server tells each connection the number of its process when it begins. A pooler makes up a number of its own for its
clients; so when a statement is carried out in a process of another number, a pooler stands between. The one statement
that sets up a session asks for that, and sets nothing when it is in a session that is not the connection's.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Engine, event

from fastapi_easy.infrastructure.relational.options import ConnectionOptions, PoolerMode
from fastapi_easy.infrastructure.relational.sessions.hosts import Connect, Hosts
from fastapi_easy.infrastructure.relational.sessions.sessions import Sessions, register_sessions
from fastapi_easy.infrastructure.relational.sessions.settings import begin_with_settings, session_settings
from fastapi_easy.infrastructure.relational.sqlalchemy_internals import adapted_error
from fastapi_easy.infrastructure.relational.urls.postgres import addresses_of, pooler_of
from fastapi_easy.infrastructure.relational.urls.words import words_of

T = TypeVar("T")

_UNPREPARED: Final[Mapping[str, Mapping[str, Any]]] = {
    # Parsed anew with each execution. The time zone is one of the few settings that poolers keep for each client.
    "asyncpg": {
        "statement_cache_size": 0,
        "prepared_statement_cache_size": 0,
        "prepared_statement_name_func": str,
        "server_settings": {"TimeZone": "UTC"},
    },
    "psycopg": {"prepare_threshold": None},
}
"""What a driver is given so that it leaves nothing in a session that the next statement would need."""

_OF_PRIMARIES: Final = frozenset({"read-write", "primary"})
_CHOOSING: Final = frozenset({"hostaddr", "load_balance_hosts"})
_TIME_ZONE: Final = "SET TimeZone = 'UTC'"


def open_sessions(
    engine: Engine, url: URL, arguments: Mapping[str, Any], options: ConnectionOptions
) -> Sessions:
    """Have the connections of *engine* opened and their sessions set up; return what becomes known of them.

    Args:
        engine: Its driver is `asyncpg` or `psycopg`.

        url: With what it says about hosts and poolers.

        arguments: What the driver is given of the words of *url*.

        options: What sessions are told.
    """
    sessions = Sessions()
    words = words_of(url)
    addresses = addresses_of(arguments)
    wanted = words.get("target_session_attrs", "any")
    sessions.follows_primary = len(addresses) > 1 and wanted in _OF_PRIMARIES
    hosts = (
        Hosts(addresses, options.connect_timeout, as_text=engine.driver == "psycopg")
        # What the driver asks of all of them, or chooses among, is its own business.
        if len(addresses) > 1 and wanted != "prefer-standby" and not words.keys() & _CHOOSING
        else None
    )
    register_sessions(engine, sessions)
    SessionOpener(engine.driver, options, sessions, pooler_of(url), hosts).listen(engine)
    return sessions


class SessionOpener:
    """Opens the connections of one engine.

    Args:
        driver: `asyncpg` or `psycopg`.

        options: What sessions are told.

        sessions: Told of a pooler that is found.

        mode: What stands between.

        hosts: Where to, when there are several.
    """

    def __init__(
        self,
        driver: str,
        options: ConnectionOptions,
        sessions: Sessions,
        mode: PoolerMode,
        hosts: Hosts | None,
    ) -> None:
        self._driver = driver
        self._sessions = sessions
        self._hosts = hosts
        self._settings = session_settings(options)
        self._begin = begin_with_settings(options)
        self._finds_poolers = mode == "auto"
        if mode == "transaction":
            sessions.share(self._begin)

    def listen(self, engine: Engine) -> None:
        """Open every connection of *engine* from now on."""

        def connect(dialect: Any, _record: object, arguments: Any, words: Any) -> Any:
            return self._open(dialect, lambda extra: dialect.connect(*arguments, **{**words, **extra}))

        event.listen(engine, "do_connect", connect)

    def _open(self, dialect: Any, connect: Connect) -> Any:
        if not self._sessions.are_shared:
            connection = self._connect(dialect, connect, {})
            if _guarded(dialect, connection, self._set_up):
                return connection
            dialect.do_terminate(connection)
            self._sessions.find_pooler(self._begin)
        connection = self._connect(dialect, connect, _UNPREPARED[self._driver])
        if self._driver == "psycopg":
            # Poolers hear of it, and keep to it for this client.
            _ = _guarded(dialect, connection, lambda opened: _execute(opened, _TIME_ZONE))
        return connection

    def _connect(self, dialect: Any, connect: Connect, extra: Mapping[str, Any]) -> Any:
        if self._hosts is None:
            return connect(extra)
        return self._hosts.connect(
            lambda address: connect({**extra, **address}), (dialect.loaded_dbapi.Error, OSError)
        )

    def _set_up(self, connection: Any) -> bool:
        """Set up the session of *connection*, and return whether it is its own."""
        if self._driver == "psycopg":
            process = connection.driver_connection.info.backend_pid
            return _execute(connection, self._setting(process)) == 1
        process = connection.driver_connection.get_server_pid()
        # Without parameters nothing is prepared: one message, one answer.
        status = connection.run_async(lambda driver: driver.execute(self._setting(process)))
        return str(status) == "SELECT 1"

    def _setting(self, process: int) -> str:
        return (
            f"{self._settings} WHERE pg_backend_pid() = {process}" if self._finds_poolers else self._settings
        )


def _guarded(dialect: Any, connection: Any, work: Callable[[Any], T]) -> T:
    """Return what *work* does with *connection*, which ends when it fails; its errors are those of the DBAPI."""
    try:
        return work(connection)
    except Exception as error:
        dialect.do_terminate(connection)
        translated = adapted_error(connection, dialect.loaded_dbapi, error)
        if translated is error:
            raise
        raise translated from error


def _execute(connection: Any, statement: str) -> int:
    """Return how many rows *statement* gave."""
    cursor = connection.cursor()
    try:
        cursor.execute(statement)
        return int(cursor.rowcount)
    finally:
        cursor.close()
