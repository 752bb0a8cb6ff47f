"""The commit at the end of a use case that changes something."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

from returns.result import Failure

from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork

T = TypeVar("T")

Commit: TypeAlias = Callable[[UnitOfWork, Outcome[Any]], Awaitable[Outcome[Any]]]
"""Commits a unit of work unless an outcome is a failure; returns the outcome, or why the commit failed."""


async def commit_if_successful(work: UnitOfWork, done: Outcome[T]) -> Outcome[T]:
    """Commit *work* unless *done* is a failure; return *done*, or why the commit failed.

    Fails with: what *done* fails with, and then nothing is committed; what `UnitOfWork.commit` fails with.
    """
    if isinstance(done, Failure):
        return done
    committed = await work.commit()
    return committed if isinstance(committed, Failure) else done
