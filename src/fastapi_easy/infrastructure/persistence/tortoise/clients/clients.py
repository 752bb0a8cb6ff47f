"""Tortoise's clients, outside and inside of a transaction of ours (ADR 15)."""

import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

from tortoise.backends.base.client import TransactionContext
from tortoise.exceptions import OperationalError, TransactionManagementError

from fastapi_easy.infrastructure.persistence.tortoise.clients.borrowing_client import BorrowingClientMixin
from fastapi_easy.infrastructure.persistence.tortoise.clients.connections import SingleClientHandler
from fastapi_easy.infrastructure.relational.driver.executor import Executor
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS
from fastapi_easy.infrastructure.relational.transaction import (
    CommitOutcomeUnknown,
    Transaction,
    TransactionLost,
)

_SAVEPOINTS: Final = itertools.count()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientDependencies:
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
    connections: SingleClientHandler


class PooledClientMixin(BorrowingClientMixin):
    """A client whose statements stand alone, each on a connection from the pool.

    Attributes:
        transaction_client: The client for statements in a transaction.
    """

    transaction_client: type["TransactionClientMixin"]

    def configure(self, dependencies: ClientDependencies) -> None:
        """Take connections from the pool of *dependencies*."""
        self._dependencies = dependencies
        self.use_connections_from(
            dependencies.name,
            dependencies.executor,
            lambda _: dependencies.executor.lend_connection(),
            shared=False,
        )

    def _in_transaction(self) -> TransactionContext:
        return _NewTransaction(self._dependencies, self.transaction_client)


class TransactionClientMixin(BorrowingClientMixin):
    """A client inside a transaction, which only its owner ends."""

    _transaction: Transaction
    _finalized: bool
    _savepoint: str | None

    def __init__(
        self, dependencies: ClientDependencies, transaction: Transaction, savepoint: str | None = None
    ) -> None:
        self._dependencies = dependencies
        self._transaction = transaction
        self._finalized = False
        self._savepoint = savepoint
        self.use_connections_from(
            dependencies.name,
            dependencies.executor,
            lambda writes: transaction.lend_connection(writes=writes),
            shared=True,
        )

    def _in_transaction(self) -> TransactionContext:
        return _NestedTransaction(self._dependencies, self._transaction, type(self))

    async def begin(self) -> None:
        """Do nothing: the transaction begins with its first statement."""

    async def savepoint(self) -> None:
        """Do nothing: the savepoint exists before this client does."""

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
        """Release the savepoint, as `commit` does."""
        await self.commit()

    async def savepoint_rollback(self) -> None:
        """Roll back to the savepoint, as `rollback` does."""
        await self.rollback()

    async def _finish(self, sql: str) -> None:
        if self._finalized:
            raise TransactionManagementError("Transaction already finalised")
        if self._savepoint is None:
            raise TransactionManagementError(
                "only the owner ends the transaction: leave its block, or commit the unit of work"
            )
        self._finalized = True
        await self._transaction.run_savepoint_command(f"{sql} {self._savepoint}")


class _NestedTransaction(TransactionContext):
    """Tortoise's `in_transaction()` where there is a transaction already: a savepoint."""

    def __init__(
        self,
        dependencies: ClientDependencies,
        transaction: Transaction,
        transaction_client: type[TransactionClientMixin],
    ) -> None:
        self._dependencies = dependencies
        self._transaction = transaction
        self._transaction_client = transaction_client
        self.client: Any = None

    async def __aenter__(self) -> Any:
        name = f"fastapi_easy_{next(_SAVEPOINTS)}"
        await self._transaction.run_savepoint_command(f"SAVEPOINT {name}")
        self.client = self._transaction_client(self._dependencies, self._transaction, name)
        return self.client

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.client._finalized:  # noqa: SLF001 - as Tortoise's own does
            return
        if error is None:
            await self.client.commit()
            return
        # When the database has ended the whole transaction, its savepoints are gone too.
        with contextlib.suppress(TransactionLost):
            await self.client.rollback()


class _NewTransaction(TransactionContext):
    """Tortoise's `in_transaction()` where there is none yet."""

    def __init__(
        self, dependencies: ClientDependencies, transaction_client: type[TransactionClientMixin]
    ) -> None:
        self._dependencies = dependencies
        self._transaction = dependencies.begin()
        self.client: Any = transaction_client(dependencies, self._transaction)
        self._token: Any = None

    async def __aenter__(self) -> Any:
        self._token = self._dependencies.connections.set(self._dependencies.name, self.client)
        return self.client

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is None:
                await self._transaction.commit()
        except (*DATABASE_ERRORS, CommitOutcomeUnknown) as refusal:
            raise OperationalError(str(refusal)) from refusal
        finally:
            self._dependencies.connections.reset(self._token)
            await self._transaction.close()
