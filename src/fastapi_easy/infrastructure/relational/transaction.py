"""Several statements that become durable together, or not at all."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from sqlalchemy import Connection, Executable
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from fastapi_easy.infrastructure.relational.driver.error_classification import complaint_of, undoes_all
from fastapi_easy.infrastructure.relational.driver.executor import Answer, Executor, Parameters
from fastapi_easy.infrastructure.relational.driver.pool import Channel
from fastapi_easy.infrastructure.waiting.completion import to_the_end

ROLLBACK_LIMIT: Final = 2.0
"""Seconds to wait for a rollback before its connection is thrown away."""

_SAVEPOINT: Final = "fastapi_easy"


class TransactionLost(Exception):
    """The database has ended the transaction by itself, with everything that was written in it."""


class CommitLost(Exception):
    """The connection broke while the answer to `COMMIT` was awaited."""


class Transaction:
    """One transaction after the other, on one connection at a time. Belongs to one task.

    On SQLite one that has begun is the only one: others wait for its end, also when it has only read so far. What has
    read and then writes would otherwise be refused when somebody else was faster. Reads without a transaction wait
    for nobody.

    Args:
        executor: Runs its statements.

        brief: It is committed right after its last write, so that a last write which is also the first thing to be
            said needs no `BEGIN` and no `COMMIT` around it.
    """

    __slots__ = ("_brief", "_channel", "_executor", "_grouped", "_lost", "_wrote")

    def __init__(self, executor: Executor, *, brief: bool = False) -> None:
        self._executor = executor
        # Where nobody sees that a connection was closed meanwhile, only `BEGIN` finds out without harm.
        self._brief = brief and executor.pool.sees_loss
        self._channel: Channel | None = None
        self._wrote = False
        self._lost = False
        self._grouped = False

    @property
    def has_begun(self) -> bool:
        """There is something to end."""
        return self._channel is not None

    async def execute(
        self,
        statement: Executable,
        parameters: Parameters,
        *,
        writes: bool = False,
        last: bool = False,
    ) -> Answer:
        """Run *statement* after everything that came before. One that fails leaves no trace.

        Args:
            statement: What to run.

            parameters: Its values; several mappings run it for each.

            writes: It changes something.

            last: Nothing follows it when it has succeeded and reached something.

        Raises:
            TransactionLost: The transaction has ended; nothing of it is left.

            CommitLost: Nobody knows whether this statement, the only one, was carried out.
        """
        if last and self._brief and self._channel is None and not self._lost:
            return await self._execute_alone(statement, parameters)
        channel, guarded = await self._enter(writes=writes)
        try:
            answer = await self._executor.run(channel, statement, parameters)
        except SQLAlchemyError as error:
            await self._recover(channel, error, guarded=guarded)
            raise
        except (OSError, asyncio.CancelledError) as error:
            self._give_up(error)
            raise
        await self._leave(channel, writes=writes, guarded=guarded)
        return answer

    @contextlib.asynccontextmanager
    async def lent(self, *, writes: bool) -> AsyncIterator[Connection]:
        """The connection, for one statement that somebody else runs on it.

        As in `execute`, one that fails leaves no trace, provided that it fails with what SQLAlchemy raises.

        Args:
            writes: The statement may change something.

        Raises:
            TransactionLost: The transaction has ended; nothing of it is left.
        """
        channel, guarded = await self._enter(writes=writes)
        try:
            yield channel.connection
        except SQLAlchemyError as error:
            await self._recover(channel, error, guarded=guarded)
            raise
        except BaseException as error:
            self._give_up(error)
            raise
        await self._leave(channel, writes=writes, guarded=guarded)

    async def tell(self, words: str) -> None:
        """Say *words*, which are about a savepoint of somebody else's.

        Raises:
            TransactionLost: The transaction has ended; nothing of it is left.
        """
        await self._say(await self._begun(), words)
        # What follows is not to begin anew after a failure: the savepoint would be gone.
        self._wrote = True

    @contextlib.asynccontextmanager
    async def atomic(self) -> AsyncIterator[None]:
        """What is done inside leaves no trace when it is left by an exception."""
        keeps = self._wrote
        channel = await self._begun()
        if keeps:
            await self._say(channel, f"SAVEPOINT {_SAVEPOINT}")
        self._grouped = True
        try:
            yield
        except Exception:
            if self._channel is not None and not self._lost:
                if keeps:
                    await self._say(channel, f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
                else:
                    await self._start_over(channel)
            raise
        finally:
            self._grouped = False
        if keeps and self._channel is not None:
            await self._say(channel, f"RELEASE SAVEPOINT {_SAVEPOINT}")

    async def commit(self) -> None:
        """Make everything durable; what follows begins anew.

        Raises:
            TransactionLost: Nothing is left to be made durable.

            CommitLost: Nobody knows.
        """
        if self._lost:
            raise TransactionLost
        channel = self._channel
        if channel is None:
            return
        try:
            await self._executor.say(channel, "COMMIT")
        except DBAPIError as error:
            if error.connection_invalidated:
                self._give_up(error)
                raise CommitLost from error
            # Refused, and thereby undone.
            await self._start_over(channel)
            self._wrote = False
            raise
        except OSError as error:
            self._give_up(error)
            raise CommitLost from error
        except asyncio.CancelledError:
            self._give_up()
            raise
        self._channel = None
        self._wrote = False
        self._executor.pool.give_back(channel)

    async def close(self) -> None:
        """Discard what was not committed and give the connection back, also when the task is cancelled."""
        channel, self._channel = self._channel, None
        self._wrote = self._lost = False
        if channel is not None:
            # Leaving an open transaction in the pool is the one thing worse than waiting while cancelled.
            await to_the_end(self._discard(channel))

    async def _execute_alone(self, statement: Executable, parameters: Parameters) -> Answer:
        executor = self._executor
        channel = await executor.pool.take()
        try:
            answer = await executor.run(channel, statement, parameters)
        except BaseException as error:
            executor.let_go(channel, error)
            if isinstance(error, OSError) or (isinstance(error, DBAPIError) and error.connection_invalidated):
                raise CommitLost from error
            raise
        executor.pool.give_back(channel, single=True)
        return answer

    async def _enter(self, *, writes: bool) -> tuple[Channel, bool]:
        """The connection for one statement, and whether a savepoint guards what came before."""
        guarded = writes and self._executor.aborts and self._wrote and not self._grouped
        channel = await self._begun()
        if guarded:
            await self._say(channel, f"SAVEPOINT {_SAVEPOINT}")
        return channel, guarded

    async def _leave(self, channel: Channel, *, writes: bool, guarded: bool) -> None:
        if guarded:
            await self._say(channel, f"RELEASE SAVEPOINT {_SAVEPOINT}")
        self._wrote = self._wrote or writes

    async def _begun(self) -> Channel:
        if self._lost:
            raise TransactionLost
        if self._channel is None:
            try:
                return await self._begin()
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
            # It was stale: the server had closed it, or is a new one by now.
            return await self._begin()
        return self._channel

    async def _begin(self) -> Channel:
        channel = await self._executor.pool.take()
        try:
            await self._executor.say(channel, self._executor.opening)
        except asyncio.CancelledError:
            # On SQLite it has begun all the same.
            self._channel = channel
            self._give_up()
            raise
        except BaseException as error:
            self._executor.let_go(channel, error)
            raise
        self._channel = channel
        return channel

    async def _recover(self, channel: Channel, error: SQLAlchemyError, *, guarded: bool) -> None:
        """Put the transaction back to where it was before the statement that failed, or call it lost."""
        if self._channel is None:
            return
        complaint = complaint_of(error)
        if channel.connection.invalidated:
            self._give_up(error)
        elif complaint is not None and undoes_all(complaint):
            self._lost = True
        elif self._executor.aborts and not self._grouped:
            if guarded:
                await self._say(channel, f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
            elif self._wrote:
                self._lost = True
            else:
                await self._start_over(channel)

    async def _start_over(self, channel: Channel) -> None:
        # Nothing was written yet, so that a new transaction is as good as the old one.
        self._channel = None
        try:
            await self._executor.say(channel, "ROLLBACK")
        except BaseException as error:
            self._executor.pool.throw_away(channel, error)
            if not isinstance(error, SQLAlchemyError | OSError):
                raise
        else:
            self._executor.pool.give_back(channel)

    async def _say(self, channel: Channel, words: str) -> None:
        try:
            await self._executor.say(channel, words)
        except (SQLAlchemyError, OSError, asyncio.CancelledError) as error:
            self._give_up(error)
            raise

    async def _discard(self, channel: Channel) -> None:
        pool = self._executor.pool
        if channel.connection.invalidated:
            pool.throw_away(channel)
            return
        try:
            async with asyncio.timeout(ROLLBACK_LIMIT):
                await self._executor.say(channel, "ROLLBACK")
        except (SQLAlchemyError, OSError) as error:
            # Silence, or a server that has forgotten the transaction: the connection is of no more use.
            pool.throw_away(channel, error)
        else:
            pool.give_back(channel)

    def _give_up(self, error: BaseException | None = None) -> None:
        """The connection cannot be trusted any more: the answer that nobody waits for may still come."""
        self._lost = True
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            self._executor.pool.suspect()
        elif self._executor.finishes:
            return
        channel, self._channel = self._channel, None
        if channel is not None:
            self._executor.pool.throw_away(channel, error)
