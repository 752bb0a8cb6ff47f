"""The few connections to a relational database that leases have to themselves."""

from typing import Final

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from fastapi_easy.infrastructure.persistence.sqlalchemy.complaints import Cause, complaint_of
from fastapi_easy.infrastructure.persistence.sqlalchemy.engine import make_engine, patience
from fastapi_easy.infrastructure.persistence.sqlalchemy.executor import Executor
from fastapi_easy.infrastructure.persistence.sqlalchemy.options import BACKSTOP, ConnectionOptions
from fastapi_easy.infrastructure.persistence.sqlalchemy.pool import ConnectionPool
from fastapi_easy.infrastructure.persistence.sqlalchemy.transaction import TransactionLost

LIMITS: Final = ConnectionOptions(
    pool_size=2,
    pool_timeout=2.0,
    connect_timeout=2.0,
    statement_timeout=3.0,
    lock_timeout=2.0,
    busy_timeout=2.0,
)
"""However many leases there are."""

_SILENCE: Final = frozenset({Cause.SILENT, Cause.BUSY, Cause.UNDONE})


class LeaseConnections:
    """Never those of the repositories, whose exhaustion must not keep a lease from being renewed.

    Args:
        url: With its driver.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self._engine: AsyncEngine | None = None
        self._executor: Executor | None = None

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

    def more(self, size: int) -> ConnectionPool:
        """A pool of its own, which whoever asked for it closes."""
        return ConnectionPool(
            self._made.sync_engine,
            size=size,
            patience=LIMITS.pool_timeout,
            connect_limit=LIMITS.connect_timeout + BACKSTOP,
            recycle=LIMITS.recycle,
        )

    async def close(self) -> None:
        """Give back every connection."""
        executor, engine = self._executor, self._engine
        self._executor = self._engine = None
        if executor is not None:
            await executor.pool.close()
        if engine is not None:
            await engine.dispose()

    @property
    def _made(self) -> AsyncEngine:
        if self._engine is None:
            self._engine = make_engine(self.url, LIMITS)
        return self._engine


def is_silence(error: BaseException) -> bool:
    """Whether the database did not answer, or with nothing but that it cannot be done now."""
    complaint = complaint_of(error)
    return isinstance(error, TransactionLost) or (complaint is not None and complaint.cause in _SILENCE)
