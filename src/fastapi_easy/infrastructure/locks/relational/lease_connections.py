"""The few connections to a relational database that leases have to themselves."""

from typing import Final

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from fastapi_easy.domain.errors import Unavailable
from fastapi_easy.domain.ports.database import Pool
from fastapi_easy.domain.unavailable import REFUSALS
from fastapi_easy.infrastructure.relational.driver.error_classification import is_unreachable
from fastapi_easy.infrastructure.relational.driver.executor import Executor
from fastapi_easy.infrastructure.relational.driver.pool import ConnectionPool
from fastapi_easy.infrastructure.relational.engine import client_timeout, make_engine
from fastapi_easy.infrastructure.relational.errors import as_unavailable
from fastapi_easy.infrastructure.relational.options import CLIENT_TIMEOUT_MARGIN, ConnectionOptions
from fastapi_easy.infrastructure.relational.sessions.sessions import Sessions, sessions_of

CONNECTION_LIMITS: Final = ConnectionOptions(
    pool_size=2,
    pool_timeout=2.0,
    connect_timeout=2.0,
    statement_timeout=3.0,
    lock_timeout=2.0,
    busy_timeout=2.0,
)
"""Two connections, however many leases there are."""


class LeaseConnections:
    """The connections of one lease store, apart from those of repositories.

    An exhausted pool of repositories must not keep a lease from being renewed.

    Args:
        url: With its driver.

        limits: Of the connections.
    """

    def __init__(self, url: URL, limits: ConnectionOptions = CONNECTION_LIMITS) -> None:
        self.url = url
        self._limits = limits
        self._engine: AsyncEngine | None = None
        self._executor: Executor | None = None
        self._pools: list[ConnectionPool] = []

    @property
    def executor(self) -> Executor:
        """The executor of statements; made anew after `close`."""
        if self._executor is None:
            self._executor = Executor(
                engine=self._lease_engine.sync_engine,
                pool=self.open_pool(self._limits.pool_size),
                client_timeout=client_timeout(self.url, self._limits),
                aborts_on_error=False,
                is_uninterruptible=self.url.get_backend_name() == "sqlite",
                sessions=self.sessions,
            )
        return self._executor

    @property
    def pool(self) -> Pool | None:
        """All connections; `None` before the first was needed, and after `close`."""
        pools = self._pools
        if not pools:
            return None
        return Pool(
            limit=sum(each.size for each in pools),
            open=sum(each.open for each in pools),
            in_use=sum(each.in_use for each in pools),
            waiting=sum(each.waiting for each in pools),
            shed=sum(each.shed for each in pools),
            waits=sum(each.waits[0] for each in pools),
            wait_seconds=sum(each.waits[1] for each in pools),
        )

    @property
    def sessions(self) -> Sessions:
        """What is known of the sessions behind the connections."""
        return sessions_of(self._lease_engine.sync_engine)

    def open_pool(self, size: int) -> ConnectionPool:
        """Open a pool of its own, which the caller closes."""
        pool = ConnectionPool(
            self._lease_engine.sync_engine,
            size=size,
            checkout_timeout=self._limits.pool_timeout,
            connect_timeout=self._limits.connect_timeout + CLIENT_TIMEOUT_MARGIN,
            recycle=self._limits.recycle,
        )
        self._pools.append(pool)
        return pool

    async def close(self) -> None:
        """Close every connection."""
        executor, engine = self._executor, self._engine
        self._executor = self._engine = None
        self._pools = []
        if executor is not None:
            await executor.pool.close()
        if engine is not None:
            await engine.dispose()

    @property
    def _lease_engine(self) -> AsyncEngine:
        if self._engine is None:
            self._engine = make_engine(self.url, self._limits)
        return self._engine


def classify_unavailable(error: BaseException, name: str) -> Unavailable | None:
    """Return that *name* did not answer, or cannot do it now, when *error* says so."""
    found = as_unavailable(error, name)
    if not is_unreachable(error) or (found is not None and found.reason in REFUSALS):
        return found
    # Without an answer in time there was none at all, whatever `as_unavailable` makes of a timeout.
    return Unavailable(name, detail="" if found is None else found.detail)
