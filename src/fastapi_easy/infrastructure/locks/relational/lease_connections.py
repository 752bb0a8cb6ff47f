"""The few connections to a relational database that leases have to themselves."""

from typing import Final

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from fastapi_easy.domain.errors import Unavailable
from fastapi_easy.domain.ports.database import Pool
from fastapi_easy.infrastructure.relational.driver.error_classification import is_silence
from fastapi_easy.infrastructure.relational.driver.executor import Executor
from fastapi_easy.infrastructure.relational.driver.pool import ConnectionPool
from fastapi_easy.infrastructure.relational.engine import make_engine, patience
from fastapi_easy.infrastructure.relational.errors import hindrance
from fastapi_easy.infrastructure.relational.options import BACKSTOP, ConnectionOptions

LIMITS: Final = ConnectionOptions(
    pool_size=2,
    pool_timeout=2.0,
    connect_timeout=2.0,
    statement_timeout=3.0,
    lock_timeout=2.0,
    busy_timeout=2.0,
)
"""However many leases there are."""


class LeaseConnections:
    """Never those of the repositories, whose exhaustion must not keep a lease from being renewed.

    Args:
        url: With its driver.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self._engine: AsyncEngine | None = None
        self._executor: Executor | None = None
        self._pools: list[ConnectionPool] = []

    @property
    def executor(self) -> Executor:
        """How statements reach the database; made anew after `close`."""
        if self._executor is None:
            self._executor = Executor(
                engine=self._made.sync_engine,
                pool=self.more(LIMITS.pool_size),
                patience=patience(self.url, LIMITS),
                aborts=False,
                finishes=self.url.get_backend_name() == "sqlite",
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

    def more(self, size: int) -> ConnectionPool:
        """A pool of its own, which whoever asked for it closes."""
        pool = ConnectionPool(
            self._made.sync_engine,
            size=size,
            patience=LIMITS.pool_timeout,
            connect_limit=LIMITS.connect_timeout + BACKSTOP,
            recycle=LIMITS.recycle,
        )
        self._pools.append(pool)
        return pool

    async def close(self) -> None:
        """Give back every connection."""
        executor, engine = self._executor, self._engine
        self._executor = self._engine = None
        self._pools = []
        if executor is not None:
            await executor.pool.close()
        if engine is not None:
            await engine.dispose()

    @property
    def _made(self) -> AsyncEngine:
        if self._engine is None:
            self._engine = make_engine(self.url, LIMITS)
        return self._engine


def hindered(error: BaseException, name: str) -> Unavailable | None:
    """That *name* did not answer, or with nothing but that it cannot be done now, when *error* says so."""
    # That nobody answered in time is silence too.
    return Unavailable(name) if is_silence(error) else hindrance(error, name)
