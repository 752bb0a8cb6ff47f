"""Tells whether the current task has an open transaction: then it must not wait for a lock.

The holder of the lock may wait for a row that the transaction has locked: a deadlock that no store can see.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

_LATEST: Final[ContextVar[Callable[[], bool] | None]] = ContextVar("fastapi_easy_open_work", default=None)


def register_transaction(is_open: Callable[[], bool]) -> None:
    """Register a transaction that a unit of work has begun; *is_open* says whether it is still open."""
    _ = _LATEST.set(is_open)


def has_open_transaction() -> bool:
    """Return whether the latest transaction of the current task, or of the one that started it, is still open."""
    latest = _LATEST.get()
    return latest is not None and latest()
