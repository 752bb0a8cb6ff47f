"""A change that is to be made once, and what does so."""

import datetime
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeAlias, TypeVar

from fastapi_easy.application.idempotency.stored_answers import StoredAnswers
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.idempotency_store import KeyedCall
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork

T = TypeVar("T")
W = TypeVar("W", bound=UnitOfWork)

Complete: TypeAlias = Callable[[UnitOfWork, object], Awaitable[Outcome[None]]]
"""Writes the answer of a change into its record, in the unit of work that is committed next."""

CAPABILITY: Final = "transactions, which an idempotency key needs"
"""What a store lacks, in `Unsupported`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedChange(Generic[W, T]):
    """A change that is to be made once.

    Attributes:
        call: The call.

        database: The name of its database.

        answers: Writes and reads its answer.

        open_work: Makes a unit of work of the caller; it is entered here.

        make: Makes the change in a unit of work, completes the record, and commits.

        show: Reduces an earlier answer to what the caller may see now, and notes that it was one.
    """

    call: KeyedCall
    database: str
    answers: StoredAnswers
    open_work: Callable[[], W]
    make: Callable[[W, Complete], Awaitable[Outcome[T]]]
    show: Callable[[T], T]


class Idempotency(Protocol):
    """Makes a change once, however often it is called with the same idempotency key."""

    @property
    def expires_at(self) -> datetime.datetime:
        """When the record of a call that begins now expires."""
        ...

    async def make_once(self, change: KeyedChange[W, T]) -> Outcome[T]:
        """Make *change*, or return what it was answered when it was made before.

        Fails with: what *change* fails with; nothing is recorded then, and a repetition tries again. Besides that:

            IdempotencyMismatch: The key was used with another call.

            InFlight: The first call with this key has not ended yet.

            TooLarge: The answer is too large to be kept.

            Unsupported: The store has no transactions.
        """
        ...

    async def aclose(self) -> None:
        """Wait for what is still being done beside the calls. The databases have to be open."""
        ...
