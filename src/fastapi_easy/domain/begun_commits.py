"""Tells whether the current call has begun to commit something: then nobody may say that nothing was changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_CURRENT: Final[ContextVar[list[str] | None]] = ContextVar("fastapi_easy_begun_commits", default=None)


@contextmanager
def watched_commits() -> Iterator[list[str]]:
    """Collect the names of the databases in which commits are begun during the block, also in tasks of it."""
    begun: list[str] = []
    token = _CURRENT.set(begun)
    try:
        yield begun
    finally:
        _CURRENT.reset(token)


def note_commit(database: str) -> None:
    """Note that a commit in *database* is begun."""
    begun = _CURRENT.get()
    if begun is not None:
        begun.append(database)


def take_back_commit(database: str) -> None:
    """Note that the commit in *database* that was begun last has changed nothing."""
    begun = _CURRENT.get()
    if begun is not None and database in begun:
        begun.remove(database)
