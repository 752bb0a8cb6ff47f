"""How a use case that changes something ends."""

from typing import TypeVar

from returns.result import Failure, Success

from fastapi_easy.application.context import Context
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork

T = TypeVar("T")


async def settle(work: UnitOfWork, context: Context, answer: T) -> Outcome[T]:
    """Commit, and answer *answer*; in a dry run only note what would have been published.

    Fails with: what `UnitOfWork.commit` fails with.
    """
    if context.dry_run is not None:
        context.dry_run.events.extend(work.events)
        return Success(answer)
    committed = await work.commit()
    return committed if isinstance(committed, Failure) else Success(answer)
