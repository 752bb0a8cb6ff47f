"""Makes a change once, however often it is called with the same idempotency key."""

import asyncio
import contextvars
import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from returns.result import Failure, Success

from fastapi_easy.application.idempotency.answer_seal import AnswerSeal
from fastapi_easy.application.idempotency.idempotency import CAPABILITY, Complete, KeyedChange
from fastapi_easy.domain import deadline
from fastapi_easy.domain.errors import (
    Error,
    IdempotencyMismatch,
    InFlight,
    Outcome,
    OutcomeUnknown,
    TooLarge,
    Unavailable,
    Unsupported,
)
from fastapi_easy.domain.ports.cipher import Cipher
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.idempotency_store import CallRecord, IdempotencyStore
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork, innermost

T = TypeVar("T")
W = TypeVar("W", bound=UnitOfWork)

_ATTEMPTS: Final = 3
"""Times a record is claimed when the one in the way has expired, or was rolled back, meanwhile."""

_REMOVAL_INTERVAL: Final = 60.0
"""Seconds from one removal of expired records to the next."""

_REMOVED_AT_ONCE: Final = 100
"""Records that were removed, after which others are likely to be left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyLimits:
    """The limits of idempotency keys.

    Attributes:
        retention: How long a repetition gets the first answer.

        wait: Seconds that a repetition waits while the first call is in progress in this process.

        max_answer: Characters of a stored answer at most.
    """

    retention: datetime.timedelta = datetime.timedelta(days=1)
    wait: float = 3.0
    max_answer: int = 1_048_576


class IdempotencyManager:
    """Implements `Idempotency` in the databases of one application.

    The record of a call is claimed first, and completed last, in the transaction of its change. So a second call waits
    for the first, a failure leaves no record, and neither does a process that is killed before its commit.

    Args:
        find_store: Returns where the records beside a unit of work are kept; `None` when its database keeps none.

        clock: The clock of expiry.

        limits: The limits.

        cipher: Encrypts the stored answers; without one they are stored as they are.
    """

    def __init__(
        self,
        find_store: Callable[[UnitOfWork], IdempotencyStore | None],
        clock: Clock,
        limits: IdempotencyLimits = IdempotencyLimits(),
        cipher: Cipher | None = None,
    ) -> None:
        self._find_store = find_store
        self._clock = clock
        self._limits = limits
        self._seal = AnswerSeal(cipher)
        self._in_progress: dict[tuple[str, str], asyncio.Event] = {}
        self._removals: dict[str, float] = {}
        self._removing: set[asyncio.Task[None]] = set()

    @property
    def expires_at(self) -> datetime.datetime:
        """When the record of a call that begins now expires."""
        return self._clock.now() + self._limits.retention

    async def make_once(self, change: KeyedChange[W, T]) -> Outcome[T]:
        """Make *change*, or return what it was answered when it was made before.

        Fails with: what *change* fails with; nothing is recorded then, and a repetition tries again. Besides that:

            IdempotencyMismatch: The key was used with another call.

            InFlight: The first call with this key has not ended yet.

            TooLarge: The answer is too large to be kept.

            Unsupported: The store has no transactions.
        """
        store = self._find_store(innermost(change.open_work()))
        if store is None:
            return Failure(Unsupported(change.call.resource.name, CAPABILITY))
        place = change.database, change.call.id
        until = self._clock.monotonic() + deadline.within(self._limits.wait)
        while (others := self._in_progress.get(place)) is not None:
            # Waiting here holds no connection, while waiting for the database would hold one for each call.
            if not await self._wait(others, until):
                return Failure(InFlight(change.call.key))
            answered = await self._find_answer(store, change)
            if answered is not None:
                return answered
        ended = self._in_progress[place] = asyncio.Event()
        try:
            outcome = await self._attempt(store, change)
            if isinstance(outcome, Failure) and isinstance(outcome.failure(), OutcomeUnknown):
                return await self._resolve(store, change, outcome)
        finally:
            del self._in_progress[place]
            ended.set()
        if not isinstance(outcome, Failure):
            self._remove_expired(change.database, store)
        return outcome

    async def aclose(self) -> None:
        """Wait for what is still being removed. The databases have to be open."""
        while self._removing:
            _ = await asyncio.wait(self._removing)

    async def _wait(self, ended: asyncio.Event, until: float) -> bool:
        """Wait for *ended*, no longer than *until*; return whether it has come."""
        try:
            async with asyncio.timeout(until - self._clock.monotonic()):
                return await ended.wait()
        except TimeoutError:
            return False

    async def _attempt(self, store: IdempotencyStore, change: KeyedChange[W, T]) -> Outcome[T]:
        for _ in range(_ATTEMPTS):
            async with change.open_work() as work:
                claimed = await store.claim(innermost(work), change.call)
                if isinstance(claimed, Failure):
                    return claimed
                if claimed.unwrap():
                    return await change.make(work, self._completing(store, change))
            answered = await self._find_answer(store, change)
            if answered is not None:
                return answered
        return Failure(InFlight(change.call.key))

    def _completing(self, store: IdempotencyStore, change: KeyedChange[W, T]) -> Complete:
        limit = self._limits.max_answer

        async def complete(work: UnitOfWork, answer: object) -> Outcome[None]:
            text = change.answers.write(answer)
            if len(text) > limit:
                return Failure(TooLarge("answer", limit, "characters"))
            return await store.complete(innermost(work), change.call, self._seal.seal(change.call.id, text))

        return complete

    async def _find_answer(self, store: IdempotencyStore, change: KeyedChange[W, T]) -> Outcome[T] | None:
        """Return what the call was answered before; `None` when there is no record, or only one that has expired."""
        call = change.call
        found = await store.find(call.id)
        if isinstance(found, Failure):
            return found
        record: CallRecord | None = found.unwrap()
        if record is None:
            return None
        now = self._clock.now()
        if record.expires_at <= now:
            removed = await store.remove_expired(now, call.id)
            return removed if isinstance(removed, Failure) else None
        if record.fingerprint != call.fingerprint:
            return Failure(IdempotencyMismatch(call.key))
        answer = self._seal.open(call.id, record.answer)
        if answer is None:
            # The change was made, and nobody can tell its answer any more.
            return Failure(OutcomeUnknown(change.database))
        return Success(change.show(change.answers.read(answer)))

    async def _resolve(
        self, store: IdempotencyStore, change: KeyedChange[W, T], unknown: Failure[Error]
    ) -> Outcome[T]:
        """Return what became of *change*, whose commit was not answered.

        Whoever can claim the record knows that the commit came to nothing: while its transaction is open, nobody can.
        """
        async with change.open_work() as work:
            claimed = await store.claim(innermost(work), change.call)
        if isinstance(claimed, Failure):
            return unknown
        if claimed.unwrap():
            return Failure(Unavailable(change.database))
        answered = await self._find_answer(store, change)
        return unknown if answered is None or isinstance(answered, Failure) else answered

    def _remove_expired(self, database: str, store: IdempotencyStore) -> None:
        """Have expired records removed beside the calls, from time to time."""
        now = self._clock.monotonic()
        if now < self._removals.get(database, now):
            return
        self._removals[database] = now + _REMOVAL_INTERVAL
        # A context of its own: the deadline of the call is none of its business.
        task = asyncio.create_task(self._remove_all(store), context=contextvars.Context())
        self._removing.add(task)
        task.add_done_callback(self._removing.discard)

    async def _remove_all(self, store: IdempotencyStore) -> None:
        while True:
            removed = await store.remove_expired(self._clock.now())
            # A store that does not answer now is asked again after the next interval.
            if isinstance(removed, Failure) or removed.unwrap() < _REMOVED_AT_ONCE:
                return
