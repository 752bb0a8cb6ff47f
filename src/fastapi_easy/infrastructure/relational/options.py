"""The limits of a connection pool: how long to wait, and how many connections to keep."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

PoolerMode: TypeAlias = Literal["auto", "session", "transaction"]
"""What stands between: `auto` finds it out, `session` is nothing or a pooler that gives each connection a session of
its own, `transaction` one that gives a session to each transaction."""

CLIENT_TIMEOUT_MARGIN: Final = 1.0
"""Seconds that the client waits longer than the server, so that the server's answer is the usual one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionOptions:
    """The limits of one pool. All times in seconds.

    Attributes:
        pool_size: Connections at most, a hard number.

        pool_timeout: Wait for a free connection.

        queue_time: A caller who would have to wait longer for one is rejected at once (load shedding).

        connect_timeout: Wait until a new connection is open and set up.

        statement_timeout: The server gives up on a statement; 0 for never. SQLite has no such limit.

        lock_timeout: The server gives up waiting for a lock.

        transaction_timeout: The server gives up on a transaction; 0 for never. PostgreSQL does from version 17 on.

        recycle: Age at which a connection is replaced.

        echo: Log every statement, without its values.

        busy_timeout: Wait for another writer of a SQLite file.

        pooler: What stands between the connections and PostgreSQL; `auto` finds it out.

        row_security: PostgreSQL is told with each transaction which tenant it is for.
    """

    pool_size: int = 10
    pool_timeout: float = 2.0
    queue_time: float = 0.5
    connect_timeout: float = 3.0
    statement_timeout: float = 10.0
    lock_timeout: float = 3.0
    transaction_timeout: float = 30.0
    recycle: int = 1800
    echo: bool = False
    busy_timeout: float = 5.0
    pooler: PoolerMode = "auto"
    row_security: bool = False
