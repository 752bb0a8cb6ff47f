"""Tortoise's clients, outside and inside of a transaction of ours (ADR 15)."""

import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

from tortoise.backends.base.client import TransactionContext
from tortoise.exceptions import OperationalError, TransactionManagementError

from fastapi_easy.infrastructure.persistence.tortoise.clients.borrowing_client import Borrowing
from fastapi_easy.infrastructure.persistence.tortoise.clients.connections import OneConnection
from fastapi_easy.infrastructure.relational.driver.executor import Executor
from fastapi_easy.infrastructure.relational.errors import REFUSALS
from fastapi_easy.infrastructure.relational.transaction import (
    CommitLost,
    Transaction,
    TransactionLost,
)

_SAVEPOINTS: Final = itertools.count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the clients of one database stand on.

    Attributes:
        name: Unlike that of any other database in this process.

        executor: Lends connections.

        begin: Makes a transaction.

        connections: Where Tortoise looks for the client to use.
    """

    name: str
    executor: Executor
    begin: Callable[[], Transaction]
    connections: OneConnection


class Pooled(Borrowing):
    """A client whose statements stand alone, each on a connection from the pool.

    Attributes:
        joined: The client for statements in a transaction.
    """

    joined: type["Joined"]

    def stand_on(self, ground: Ground) -> None:
        """Take connections from the pool of *ground*."""
        self._ground = ground
        self.borrow(ground.name, ground.executor, lambda _: ground.executor.alone(), shared=False)

    def _in_transaction(self) -> TransactionContext:
        return _OwnTransaction(self._ground, self.joined)


class Joined(Borrowing):
    """A client inside a transaction; nobody but whoever began that ends it."""

    _transaction: Transaction
    _finalized: bool
    _savepoint: str | None

    def __init__(self, ground: Ground, transaction: Transaction, savepoint: str | None = None) -> None:
        self._ground = ground
        self._transaction = transaction
        self._finalized = False
        self._savepoint = savepoint
        self.borrow(
            ground.name,
            ground.executor,
            lambda writes: transaction.lent(writes=writes),
            shared=True,
        )

    def _in_transaction(self) -> TransactionContext:
        return _Nested(self._ground, self._transaction, type(self))

    async def begin(self) -> None:
        """Nothing: the transaction begins with its first statement."""

    async def savepoint(self) -> None:
        """Nothing: the savepoint was made by whoever made this client."""

    async def commit(self) -> None:
        """Keep what was done since the savepoint.

        Raises:
            TransactionManagementError: It is the unit of work that commits, or this was done before.
        """
        await self._finish("RELEASE SAVEPOINT")

    async def rollback(self) -> None:
        """Discard what was done since the savepoint.

        Raises:
            TransactionManagementError: It is the unit of work that rolls back, or this was done before.
        """
        await self._finish("ROLLBACK TO SAVEPOINT")

    async def release_savepoint(self) -> None:
        """As `commit`."""
        await self.commit()

    async def savepoint_rollback(self) -> None:
        """As `rollback`."""
        await self.rollback()

    async def _finish(self, words: str) -> None:
        if self._finalized:
            raise TransactionManagementError("Transaction already finalised")
        if self._savepoint is None:
            raise TransactionManagementError(
                "the transaction is ended by whoever began it: leave its block, or commit the unit of work"
            )
        self._finalized = True
        await self._transaction.tell(f"{words} {self._savepoint}")


class _Nested(TransactionContext):
    """Tortoise's `in_transaction()` where there is a transaction already: a savepoint."""

    def __init__(self, ground: Ground, transaction: Transaction, joined: type[Joined]) -> None:
        self._ground = ground
        self._transaction = transaction
        self._joined = joined
        self.client: Any = None

    async def __aenter__(self) -> Any:
        name = f"fastapi_easy_{next(_SAVEPOINTS)}"
        await self._transaction.tell(f"SAVEPOINT {name}")
        self.client = self._joined(self._ground, self._transaction, name)
        return self.client

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.client._finalized:  # noqa: SLF001 - as Tortoise's own does
            return
        if error is None:
            await self.client.commit()
            return
        # Where nothing is left of the whole, there is nothing to go back to.
        with contextlib.suppress(TransactionLost):
            await self.client.rollback()


class _OwnTransaction(TransactionContext):
    """Tortoise's `in_transaction()` where there is none yet."""

    def __init__(self, ground: Ground, joined: type[Joined]) -> None:
        self._ground = ground
        self._transaction = ground.begin()
        self.client: Any = joined(ground, self._transaction)
        self._token: Any = None

    async def __aenter__(self) -> Any:
        self._token = self._ground.connections.set(self._ground.name, self.client)
        return self.client

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is None:
                await self._transaction.commit()
        except (*REFUSALS, CommitLost) as refusal:
            raise OperationalError(str(refusal)) from refusal
        finally:
            self._ground.connections.reset(self._token)
            await self._transaction.close()
