"""Transactions that outlive a failed call and a write conflict, by replaying their writes.

MongoDB aborts a transaction when any call in it fails, also when a unique value is merely taken, and it does not wait
for others that have written the same document: it fails with a write conflict. Units of work promise more, so a
transaction remembers what was written in it. When the server has aborted it, a new one is begun and the writes are
replayed, each of which has to return what it did before. The call that failed is retried after a conflict, until
`lock_timeout`; otherwise it fails alone, with everything before it still in place. See ADR 16.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias, TypeVar

from pymongo.errors import (
    ConnectionFailure,
    DocumentTooLarge,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from fastapi_easy.domain.ports.breaker import CallNotPermitted
from fastapi_easy.infrastructure.persistence.mongo.driver.client import Client
from fastapi_easy.infrastructure.persistence.mongo.driver.driver_client import Session
from fastapi_easy.infrastructure.persistence.mongo.errors import (
    CallRejected,
    CommitOutcomeUnknown,
    PoolExhausted,
    TransactionLost,
    WriteConflict,
    is_conflict,
)
from fastapi_easy.infrastructure.waiting.exclusive_use import ExclusiveUse

T = TypeVar("T")

Work: TypeAlias = Callable[[Any], Awaitable[T]]
"""Something to do in the session it is given; `None` where there is no transaction."""

_UNKNOWN_COMMIT_LABEL: Final = "UnknownTransactionCommitResult"
_MIN_PAUSE: Final = 0.002
_MAX_PAUSE: Final = 0.05
"""Seconds between two attempts: the pause begins at the minimum and doubles up to the maximum."""


class Transaction:
    """One transaction after the other.

    For one task at a time: of two calls at once the second one raises `UnitOfWorkMisuse`.

    Args:
        client: Of the database.

        check_support: Returns whether the server has transactions; `None` when none is wanted. Without transactions
            every call commits by itself, and what is written stays.

    Attributes:
        use: Entered by each call, and by callers around several that belong together.
    """

    __slots__ = (
        "_check_support",
        "_client",
        "_has_written",
        "_is_lost",
        "_is_transactional",
        "_replay_log",
        "_session",
        "use",
    )

    def __init__(self, client: Client, check_support: Callable[[], Awaitable[bool]] | None = None) -> None:
        self._client = client
        self._check_support = check_support
        self._is_transactional: bool | None = None if check_support else False
        self._is_lost = False
        self._session: Session = None
        self._has_written = False
        # Each write, and what it returned the first time: a replay has to return the same.
        self._replay_log: list[tuple[Work[object], object]] = []
        self.use = ExclusiveUse()

    @property
    def is_unprotected(self) -> bool:
        """Whether what is written here cannot be rolled back."""
        return self._is_transactional is False

    @property
    def has_written(self) -> bool:
        """Whether something was written here that stays whatever follows."""
        return self._has_written

    async def is_transactional(self) -> bool:
        """Return whether what is written here can be rolled back."""
        if self._is_transactional is None and self._check_support is not None:
            self._is_transactional = await self._check_support()
        return bool(self._is_transactional)

    async def read(self, work: Work[T]) -> T:
        """Run *work*, which sees everything that was written here before.

        Raises:
            TransactionLost: The transaction was aborted; nothing of it is left.
        """
        with self.use:
            return await self._attempt(work) if await self.is_transactional() else await work(None)

    async def write(self, work: Work[T]) -> T:
        """Run *work*, which changes something, and remember it. When it fails it leaves no trace.

        Args:
            work: Does the same when it is run again.

        Raises:
            TransactionLost: The transaction was aborted; nothing of it is left.
        """
        with self.use:
            if not await self.is_transactional():
                done = await work(None)
                self._has_written = True
                return done
            done = await self._attempt(work)
            self._replay_log.append((work, done))
            return done

    async def commit(self) -> None:
        """Make everything durable; what follows begins a new transaction.

        Raises:
            TransactionLost: Nothing is left to be made durable.

            CommitOutcomeUnknown: No answer to the commit came, twice.
        """
        with self.use:
            await self._commit_or_replay()

    async def rollback(self) -> None:
        """Discard what was not committed; what follows begins a new transaction."""
        with self.use:
            await self._discard()

    async def close(self) -> None:
        """Discard what was not committed, also when the task is cancelled.

        Waits for a call of another task; every further one raises `UnitOfWorkMisuse`.
        """
        # A session runs one call at a time, also the one that aborts its transaction.
        await self.use.end_with(self._discard)

    async def _commit_or_replay(self) -> None:
        if self._is_lost:
            raise TransactionLost
        if self._session is None:
            self._has_written = False
            return
        backoff = _Backoff(self._client.options.lock_timeout)
        while True:
            try:
                await self._commit()
            except PyMongoError as error:
                if not is_conflict(error):
                    self._is_lost = True
                    raise
            except BaseException:
                self._is_lost = True
                raise
            else:
                break
            # In conflict with another transaction at the last moment: nothing was committed, so all is replayed.
            if backoff.is_exhausted:
                self._is_lost = True
                raise WriteConflict
            await backoff.wait()
            await self._restart()
        session, self._session = self._session, None
        self._replay_log.clear()
        await self._client.discard(session)

    async def _discard(self) -> None:
        session, self._session = self._session, None
        self._replay_log.clear()
        self._is_lost = False
        if session is not None:
            await self._client.discard(session)

    async def _require_session(self) -> Session:
        if self._is_lost:
            raise TransactionLost
        if self._session is None:
            self._session = await self._client.begin()
        return self._session

    async def _attempt(self, work: Work[T]) -> T:
        backoff = _Backoff(self._client.options.lock_timeout)
        while True:
            session = await self._require_session()
            try:
                return await work(session)
            except (CallRejected, PoolExhausted, CallNotPermitted):
                # Nothing was sent that changes anything, so the transaction still stands.
                raise
            except DocumentTooLarge:
                # The driver notices it when earlier documents of the same call may have been sent.
                await self._restart()
                raise
            except PyMongoError as error:
                if isinstance(error, ConnectionFailure) and not self._may_retry(error, backoff):
                    self._is_lost = True
                    raise
                is_transient = isinstance(error, ConnectionFailure) or is_conflict(error)
                if not is_transient or backoff.is_exhausted:
                    await self._restart()
                    raise
            except BaseException:
                # Cancelled in the middle: what the server has made of it is not known.
                self._is_lost = True
                raise
            await backoff.wait()
            await self._restart()

    def _may_retry(self, error: ConnectionFailure, backoff: "_Backoff") -> bool:
        """Return whether *error* may mean nothing but a stale connection, so that nothing was lost."""
        return (
            backoff.is_first_attempt
            and not self._replay_log
            and not isinstance(error, ServerSelectionTimeoutError)
        )

    async def _commit(self) -> None:
        try:
            await self._client.commit(self._session)
        except PyMongoError as error:
            if not error.has_error_label(_UNKNOWN_COMMIT_LABEL):
                raise
        else:
            return
        # A second commit does no harm: the server commits once, and the answer may come this time.
        try:
            await self._client.commit(self._session)
        except (PyMongoError, PoolExhausted, CallNotPermitted) as error:
            raise CommitOutcomeUnknown from error

    async def _restart(self) -> None:
        """Begin a new transaction in place of the one that has ended, and make the same writes in it."""
        backoff = _Backoff(self._client.options.lock_timeout)
        while True:
            session, self._session = self._session, None
            if session is not None:
                await self._client.discard(session)
            try:
                await self._replay()
            except PyMongoError as error:
                if not is_conflict(error):
                    self._is_lost = True
                    raise TransactionLost from error
            except BaseException:
                self._is_lost = True
                raise
            else:
                return
            if backoff.is_exhausted:
                self._is_lost = True
                raise WriteConflict
            await backoff.wait()

    async def _replay(self) -> None:
        for work, first_result in self._replay_log:
            try:
                result = await work(await self._require_session())
            except (CallRejected, PoolExhausted, CallNotPermitted) as error:
                raise TransactionLost from error
            if result != first_result:
                # Another transaction has changed what this write was based on: its caller has seen something else.
                raise WriteConflict


class _Backoff:
    """Exponential backoff with jitter.

    Args:
        limit: Seconds in all.
    """

    def __init__(self, limit: float) -> None:
        self._until = time.monotonic() + limit
        self._pause = _MIN_PAUSE
        self.is_first_attempt = True

    @property
    def is_exhausted(self) -> bool:
        """Whether the limit has passed."""
        return time.monotonic() > self._until

    async def wait(self) -> None:
        """Sleep for 50 to 150 % of the pause, and double it."""
        self.is_first_attempt = False
        # Jitter, so that two transactions in conflict do not stay in step.
        await asyncio.sleep(self._pause * (50 + secrets.randbelow(100)) / 100)
        self._pause = min(self._pause * 2, _MAX_PAUSE)
