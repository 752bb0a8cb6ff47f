"""The settings of databases, of the locks in them, and of calls that are made again."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, SecretStr, model_validator

from fastapi_easy.domain.locks.lease import LockCapability
from fastapi_easy.domain.migrations.policy import MigrationPolicy
from fastapi_easy.settings.reading.renamed import with_new_name
from fastapi_easy.settings.section import Seconds, Section

DEFAULT_DATABASE_URL: Final = "sqlite:///app.sqlite3"

_SCHEMA_MODES: Final = {
    "create": MigrationPolicy.AUTO,
    "fresh": MigrationPolicy.CHECK,
    "check": MigrationPolicy.CHECK,
    "off": MigrationPolicy.OFF,
}
"""What `schema_mode`, as `migrations` was called, could be."""


class BreakerSettings(Section):
    """When a database that has gone silent is not asked any more; none around SQLite and memory.

    Attributes:
        ratio: The share of calls that has to stay unanswered.

        calls: How many there have to have been in the window; so many in a row are enough whatever was before.

        window: Seconds that are looked back upon.

        pause: Seconds without a call; twice as many each time that the next one stays unanswered too. It ends sooner
            when a probe finds out that the database answers again.

        longest_pause: But no more than these.

        slow_after, slow_ratio: Seconds after which an answer to a single statement is slow, and the share of calls that
            has to be answered so, or not at all. Unset, it does not matter how long one takes. As many calls are enough
            as there are connections, since these cannot make more that are slow.

        probes: Calls that then have to be answered.
    """

    ratio: Annotated[float, Field(gt=0, le=1)] = 0.5
    calls: Annotated[int, Field(ge=1)] = 20
    window: Seconds = 10.0
    pause: Seconds = 2.0
    longest_pause: Seconds = 5.0
    slow_after: Seconds | None = None
    slow_ratio: Annotated[float, Field(gt=0, le=1)] = 0.9
    probes: Annotated[int, Field(ge=1)] = 1


class RetrySettings(Section):
    """When and how often a failed call is retried.

    Attributes:
        attempts: Of one call, the first among them; with 1 nothing is made again.

        share: Retries per call, over all calls to a database (the retry budget).

        floor: Retries per second that are always allowed, in addition to the ratio.

        burst: Retries that can accumulate in the budget.
    """

    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    share: Annotated[float, Field(ge=0, le=1)] = 0.1
    floor: Annotated[float, Field(ge=0)] = 1.0
    burst: Annotated[int, Field(ge=1)] = 20


class DatabaseSettings(Section):
    """One database.

    Attributes:
        url: Where it is, like `postgresql+asyncpg://user:password@host/name`; `memory://` keeps nothing.

        migrations: What happens to its schema at start; unset means `auto` on SQLite and in memory, elsewhere `check`.

        pool_size: Connections at most per process.

        pool_timeout: Seconds a call waits for a connection.

        queue_time: Calls that would wait longer than so many seconds for one are sent away at once.

        connect_timeout: Seconds a new connection may take.

        statement_timeout: Seconds one statement may take.

        lock_timeout: Seconds one statement waits for another's lock.

        transaction_timeout: Seconds one transaction may take, 0 for any number; only on PostgreSQL, from 17 on.

        recycle: Seconds after which a connection is made anew.

        pooler: What stands before PostgreSQL: `auto` finds it out, `session` is nothing or a pooler that gives each
            connection a session of its own, `transaction` one that gives each transaction some session.

        row_security: Tell PostgreSQL which tenant each statement is for, so that its row-level security keeps tenants
            apart too.

        breaker: When it is not asked any more.
    """

    url: SecretStr = SecretStr(DEFAULT_DATABASE_URL)
    migrations: MigrationPolicy | None = None
    pool_size: Annotated[int, Field(ge=1, le=1000)] = 10
    pool_timeout: Seconds = 2.0
    queue_time: Seconds = 0.5
    connect_timeout: Seconds = 3.0
    statement_timeout: Seconds = 10.0
    lock_timeout: Seconds = 3.0
    transaction_timeout: Annotated[float, Field(ge=0)] = 30.0
    recycle: Annotated[int, Field(ge=1)] = 1800
    pooler: Literal["auto", "session", "transaction"] = "auto"
    row_security: bool = False
    breaker: BreakerSettings = BreakerSettings()

    @model_validator(mode="before")
    @classmethod
    def _accept_schema_mode(cls, values: Any) -> Any:
        return with_new_name(values, "schema_mode", "migrations", _SCHEMA_MODES)


class LockSettings(Section):
    """The store of locks.

    Attributes:
        url: Like `redis://host/0`, `postgresql://…`, `mongodb://…`, `sqlite:///locks.sqlite3`, `file:///var/lock/shop`
            or `memory://`; unset, in the default database.

        requires: What the store has to be able to do.

        breaker: When the store is not asked for new locks any more; none around memory, files and SQLite.
    """

    url: SecretStr | None = None
    requires: tuple[LockCapability, ...] = ()
    # Few calls, each with its own limit.
    breaker: BreakerSettings = BreakerSettings(calls=10)
