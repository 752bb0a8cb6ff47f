"""Leases as rows: what SQLite, PostgreSQL, MySQL and MariaDB have in common.

Every statement stands alone, in autocommit, on one of two connections that leases have to themselves. Times are
microseconds since 1970 by the server's clock, which is the only clock for expiry: those of the processes differ. SQLite
has no server, and its processes share the clock of their machine: there they count from its start.
"""

import asyncio
import json
import operator
from abc import ABC, abstractmethod
from collections.abc import Container, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, Final, TypeAlias

from returns.result import Failure, Success
from sqlalchemy import URL, BigInteger, Connection, Executable, String, bindparam, text
from sqlalchemy.types import TypeEngine

from fastapi_easy.domain.errors import Error, Outcome
from fastapi_easy.domain.locks.lease import (
    EVERY_LOCK_CAPABILITY,
    Acquired,
    Busy,
    LockCapability,
    LockInfo,
    WaitEdge,
)
from fastapi_easy.domain.locks.renewal import Renewal
from fastapi_easy.domain.ports.database import Pool
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.infrastructure.locks.relational.lease_connections import (
    LeaseConnections,
    classify_unavailable,
)
from fastapi_easy.infrastructure.locks.wakeups import OwnerEvents
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.relational.driver.error_classification import classify_error, is_rolled_back
from fastapi_easy.infrastructure.relational.driver.executor import StatementResult
from fastapi_easy.infrastructure.relational.error_codes import ErrorCause
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS
from fastapi_easy.infrastructure.relational.system_tables.lease_tables import make_tables
from fastapi_easy.infrastructure.relational.transaction import Transaction
from fastapi_easy.infrastructure.unit_of_work import TransactionalUnitOfWork

NO_TICKET: Final = 2**62
"""Stands for no ticket: behind every other."""

MAX_ATTEMPTS: Final = 4
"""How often a statement is sent that the database rolls back because of a deadlock or a conflict."""

_CLEANUP_INTERVAL: Final = 600.0
"""Seconds between two deletions of what is not needed any more."""

_RELEASE: Final = "UPDATE fe_lock SET owner = NULL, expires_at = NULL WHERE name = :name AND owner = :owner"
_EVICT: Final = """
UPDATE fe_lock SET owner = NULL, expires_at = NULL
 WHERE name = :name AND token = :token AND owner IS NOT NULL AND expires_at > {now}
"""
_DEQUEUE: Final = "DELETE FROM fe_lock_wait WHERE owner = :owner"
_EDGES: Final = """
SELECT w.name, w.owner, l.owner, w.ticket, l.token FROM fe_lock_wait w JOIN fe_lock l ON l.name = w.name
 WHERE w.expires_at > {now} AND l.owner IS NOT NULL AND l.expires_at > {now}
"""
_SELECT_HELD: Final = """
SELECT name, owner, token, {now} - acquired_at, expires_at - {now} FROM fe_lock
 WHERE owner IS NOT NULL AND expires_at > {now} AND SUBSTR(name, 1, LENGTH(:name)) = :name
"""
_SELECT_WAITING: Final = """
SELECT name, owner FROM fe_lock_wait
 WHERE expires_at > {now} AND SUBSTR(name, 1, LENGTH(:name)) = :name ORDER BY ticket
"""
SELECT_GRANT: Final = """
SELECT 1 FROM fe_lock
 WHERE name = :name AND owner = :owner AND token = :token AND expires_at > {now} {keeps_token}
"""
_PING: Final = text("SELECT 1")
_CLEANUP_STATEMENTS: Final = (
    "DELETE FROM fe_lock_wait WHERE expires_at < {now} - 60000000",
    "DELETE FROM fe_lock WHERE (owner IS NULL OR expires_at < {now}) AND acquired_at < {now} - 604800000000",
)
"""After a week a name is forgotten; its tokens go on growing, since they contain the time."""


Parameters: TypeAlias = Mapping[str, str | int]
"""The parameters of a statement, by name."""


_WAITED_TOO_LONG: Final = frozenset({ErrorCause.TIMEOUT, ErrorCause.LOCK_TIMEOUT})


class RelationalLeaseStore(ABC):
    """Implements `LeaseStore` but for what the databases do differently.

    Args:
        url: With its driver. Nothing is connected before the first call.

    Attributes:
        connections: The connections that statements are sent on.

        dialect: What replaces `{now}`, `{keeps_token}` and other placeholders in statements, in this order.

    """

    capabilities: ClassVar[frozenset[LockCapability]] = EVERY_LOCK_CAPABILITY
    dialect: ClassVar[Mapping[str, str]]

    def __init__(self, url: URL) -> None:
        self.name = f"locks in {url.get_backend_name()}"
        self.connections = LeaseConnections(url)
        self._is_ready = False
        self._cleaned_up_at = 0.0
        self._statements: dict[str, Executable] = {}
        self._events = OwnerEvents()

    async def try_acquire(
        self, name: str, owner: str, ttl: float, ticket: int | None = None
    ) -> Outcome[Acquired | Busy]:
        """Give *name* to *owner* if it is free, or is its already, and no earlier ticket waits."""
        parameters: Parameters = {
            "name": self.encode_name(name),
            "owner": owner,
            "ttl": _micros(ttl),
            "ticket": NO_TICKET if ticket is None else ticket,
        }
        try:
            return Success(await self.acquire_row(parameters))
        except DATABASE_ERRORS as error:
            return self._unavailable(error)

    async def renew(self, leases: Sequence[Renewal]) -> Outcome[Sequence[bool]]:
        """Let each of *leases* run for its `ttl` from now, in one statement; return whether its owner still had it."""
        rows = [
            {
                "name": self.encode_name(each.name),
                "owner": each.owner,
                "token": each.token,
                "ttl": _micros(each.ttl),
            }
            # In one order, so that two batches which meet do not wait for each other in a circle.
            for each in sorted(leases, key=operator.attrgetter("name"))
        ]
        try:
            held = await self.renew_rows({"leases": json.dumps(rows, ensure_ascii=False)}, len(rows))
        except DATABASE_ERRORS as error:
            return self._unavailable(error)
        return Success([each.name in held for each in leases])

    async def release(self, name: str, owner: str) -> Outcome[bool]:
        """Release *name*; return whether *owner* had it."""
        return await self._update(_RELEASE, name=name, owner=owner)

    async def enqueue(self, name: str, owner: str, seconds: float) -> Outcome[int]:
        """Register or prolong the wait of *owner* for *name*, for the next *seconds*; return its ticket."""
        try:
            await self._clean_up()
            parameters: Parameters = {"name": self.encode_name(name), "owner": owner, "ttl": _micros(seconds)}
            return Success(await self.insert_wait(parameters))
        except DATABASE_ERRORS as error:
            return self._unavailable(error)

    async def dequeue(self, name: str, owner: str) -> Outcome[None]:
        """End the wait of *owner* for *name*."""
        changed = await self._update(_DEQUEUE, owner=owner)
        return changed if isinstance(changed, Failure) else Success(None)

    async def edges(self) -> Outcome[Sequence[WaitEdge]]:
        """List who waits for whom, at one moment."""
        try:
            rows = (await self.execute(_EDGES, {})).rows
        except DATABASE_ERRORS as error:
            return self._unavailable(error)
        return Success([WaitEdge(self.decode_name(each[0]), *each[1:]) for each in rows])

    async def inspect(self, prefix: str = "") -> Outcome[Sequence[LockInfo]]:
        """List the names that are held and begin with *prefix*, in their order."""
        try:
            held = (await self.execute(_SELECT_HELD, {"name": self.encode_name(prefix)})).rows
            waiting = (await self.execute(_SELECT_WAITING, {"name": self.encode_name(prefix)})).rows
        except DATABASE_ERRORS as error:
            return self._unavailable(error)
        return Success(
            [
                LockInfo(
                    name=self.decode_name(name),
                    owner=owner,
                    token=token,
                    age=max(0, age) / 1e6,
                    remaining=remaining / 1e6,
                    waiters=tuple(each[1] for each in waiting if each[0] == name),
                )
                for name, owner, token, age, remaining in sorted(tuple(each) for each in held)
            ]
        )

    async def evict(self, name: str, token: int) -> Outcome[bool]:
        """Take *name* from its holder by *token*; return whether there was one."""
        return await self._update(_EVICT, name=name, token=token)

    async def guard(self, work: UnitOfWork, name: str, owner: str, token: int) -> Outcome[bool] | None:
        """Return whether *owner* has the lease; its row is locked until the transaction of *work* has ended."""
        if not isinstance(work, TransactionalUnitOfWork) or not self._is_same_database(work.database):
            return None
        parameters: Parameters = {"name": self.encode_name(name), "owner": owner, "token": token}
        try:
            return Success(await self.guard_row(work.transaction, parameters))
        except DATABASE_ERRORS as error:
            return self._unavailable(error)

    @property
    def sends_wakeups(self) -> bool:
        """Whether waiters are woken up; they poll unless the database can notify."""
        return False

    def wakeups(self, name: str, owner: str) -> AbstractAsyncContextManager[asyncio.Event]:
        """Return an event that nobody sets, unless the database can notify."""
        return self._events.register(owner)

    @property
    def pool(self) -> Pool | None:
        """Its connections; `None` before the first call."""
        return self.connections.pool

    async def answers(self) -> Outcome[None]:
        """Ask whether the database answers."""
        try:
            _ = await self.connections.executor.read(_PING, {})
        except DATABASE_ERRORS as error:
            return self._unavailable(error)
        return Success(None)

    async def check(self) -> Outcome[Sequence[str]]:
        """Return no problems: nothing about these databases breaks a promise."""
        return Success(())

    async def close(self) -> None:
        """Close every connection."""
        await self.connections.close()

    def prepare(self, connection: Connection) -> None:
        """Make ready what the first statement needs: the tables."""
        make_tables(connection)

    @abstractmethod
    async def acquire_row(self, parameters: Parameters) -> Acquired | Busy:
        """Try to acquire the lease that *parameters* name."""

    @abstractmethod
    async def renew_rows(self, parameters: Parameters, count: int) -> Container[str]:
        """Renew the *count* leases that *parameters* have as `leases`, in JSON; return the names that are held."""

    @abstractmethod
    async def insert_wait(self, parameters: Parameters) -> int:
        """Insert or prolong a wait; return its ticket."""

    async def guard_row(self, transaction: Transaction, parameters: Parameters) -> bool:
        """Return whether the lease is held, and let nobody else acquire it before *transaction* has ended.

        The lease itself is renewed and released meanwhile on other connections, which must not wait for that.
        """
        answer = await transaction.execute(self.statement(SELECT_GRANT, parameters), parameters)
        return bool(answer.rows)

    async def execute_unless_guarded(self, sql: str, parameters: Parameters) -> StatementResult | None:
        """Execute *sql* as `execute` does; `None`, and nothing is done, when a guard made it wait for too long."""
        try:
            return await self.execute(sql, parameters)
        except DATABASE_ERRORS as error:
            classified = classify_error(error)
            if classified is None or classified.cause not in _WAITED_TOO_LONG:
                raise
            return None

    def encode_name(self, name: str) -> str:
        """Return *name* as it is sent."""
        return name

    def decode_name(self, name: Any) -> str:
        """Return the name that a column has kept."""
        return str(name)

    async def execute(self, sql: str, parameters: Parameters) -> StatementResult:
        """Execute *sql* in autocommit, on a connection of its own.

        It is sent again when the connection was stale, or the database has rolled it back because of a deadlock or a
        conflict. Each of these statements may safely be executed twice.
        """
        executor = self.connections.executor
        if not self._is_ready:
            await executor.run_sync(self.prepare)
            self._is_ready = True
        statement = self.statement(sql, parameters)
        for _ in range(MAX_ATTEMPTS - 1):
            try:
                return await executor.read(statement, parameters)
            except DATABASE_ERRORS as error:
                if not is_rolled_back(error):
                    raise
        return await executor.read(statement, parameters)

    def statement(self, sql: str, parameters: Parameters) -> Executable:
        """Return *sql* in the dialect of this database; made once."""
        found = self._statements.get(sql)
        if found is None:
            rendered = sql
            for placeholder, replacement in self.dialect.items():
                rendered = rendered.replace(placeholder, replacement)
            types: dict[str, TypeEngine[Any]] = {each: String() for each in ("name", "owner", "leases")}
            found = self._statements[sql] = text(rendered).bindparams(
                *(bindparam(each, type_=types.get(each, BigInteger())) for each in parameters)
            )
        return found

    async def _update(self, sql: str, *, name: str | None = None, **parameters: str | int) -> Outcome[bool]:
        try:
            answer = await self.execute(
                sql, parameters if name is None else {"name": self.encode_name(name), **parameters}
            )
        except DATABASE_ERRORS as error:
            return self._unavailable(error)
        return Success(answer.affected > 0)

    async def _clean_up(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._cleaned_up_at < _CLEANUP_INTERVAL:
            return
        self._cleaned_up_at = now
        for sql in _CLEANUP_STATEMENTS:
            _ = await self.execute(sql, {})

    def _is_same_database(self, database: object) -> bool:
        return isinstance(database, SqlAlchemyDatabase) and _database_identity(
            database.url
        ) == _database_identity(self.connections.url)

    def _unavailable(self, error: BaseException) -> Failure[Error]:
        unavailable = classify_unavailable(error, self.name)
        if unavailable is None:
            raise error
        return Failure(unavailable)


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)


def _database_identity(url: URL) -> tuple[str | None, ...]:
    """Return what identifies the database at *url*, whatever the driver and the user."""
    hosts = url.query.get("host", "")
    several = hosts if isinstance(hosts, str) else ",".join(hosts)
    return url.host, str(url.port), several, url.database, url.get_backend_name().replace("mariadb", "mysql")
