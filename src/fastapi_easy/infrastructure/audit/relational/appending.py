"""Appends entries to their chains, in as few statements as the server and what is known of the heads allow."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy.engine import Dialect

from fastapi_easy.domain.audit.entry import AuditEntry, StreamHead
from fastapi_easy.domain.audit.sealing import empty_head
from fastapi_easy.domain.ports.audit_sink import Seal
from fastapi_easy.infrastructure.audit.relational import statements as sql
from fastapi_easy.infrastructure.audit.relational.closing_append import ClosingAppend
from fastapi_easy.infrastructure.audit.relational.head_guesses import HeadGuesses
from fastapi_easy.infrastructure.audit.relational.prepared_append import PreparedAppend
from fastapi_easy.infrastructure.audit.rows import seal_all, seal_one
from fastapi_easy.infrastructure.persistence.sqlalchemy.statements.array_inserts import insert_arrays
from fastapi_easy.infrastructure.relational.system_tables.audit_tables import ENTRIES, HEADS
from fastapi_easy.infrastructure.relational.transaction import Transaction

_BESIDE_HEAD: Final = tuple(
    (f"entry_{each.name}", each.name) for each in ENTRIES.c if each.name not in HEADS.c
)
"""The parameters and columns of an entry that do not come from the head."""


class EntryAppender:
    """Appends entries in the transactions of one database.

    One entry after a head that is guessed rightly takes one statement on PostgreSQL, which asyncpg sends together with
    the `COMMIT`, and two elsewhere. Otherwise the heads are locked first.

    Args:
        database: Its name, for people.

        dialect: Its dialect.

    Attributes:
        database: Its name.
    """

    def __init__(self, database: str, dialect: Dialect) -> None:
        self.database = database
        self._dialect = dialect.name
        self._is_postgres = dialect.name == "postgresql"
        self._prepared = PreparedAppend(dialect)
        self._guesses = HeadGuesses()
        # Of many entries one list for each column, where the driver can send lists.
        takes_lists = dialect.driver == "asyncpg"
        names = [each.name for each in ENTRIES.c]
        self._insert_lists = insert_arrays(ENTRIES, names, dialect) if takes_lists else None

    async def append(
        self, transaction: Transaction, entries: Sequence[AuditEntry], seal: Seal, *, may_wait: bool
    ) -> None:
        """Append *entries* in *transaction*.

        Args:
            transaction: Of the database.

            entries: What happened, in its order.

            seal: Seals each.

            may_wait: Whether that may happen with the commit. What is executed before that comes after it all the same.
        """
        if len(entries) == 1:
            entry = entries[0]
            guess = self._guesses.take(entry.stream)
            if guess is not None:
                if may_wait and self._prepared.is_usable and self._guesses.are_reliable:
                    closing = ClosingAppend(self, self._prepared, transaction, entry, seal)
                    if transaction.close_with(closing):
                        return
                if await self._append_after(transaction, entry, guess, seal):
                    return
        await self.append_locked(transaction, entries, seal)

    async def append_locked(
        self, transaction: Transaction, entries: Sequence[AuditEntry], seal: Seal
    ) -> None:
        """Append *entries* after the heads of their streams, which are locked in the order of their names."""
        streams = sorted({entry.stream for entry in entries})
        heads = await self._lock(transaction, streams)
        if len(heads) < len(streams):
            missing = [_row_of(empty_head(each)) for each in streams if each not in heads]
            _ = await transaction.execute(sql.insert_missing(self._dialect, HEADS.name), missing)
            heads = await self._lock(transaction, streams)
        if len(entries) == 1 and self._is_postgres:
            _ = await self._append_after(transaction, entries[0], heads[streams[0]], seal)
            return
        rows, ends = seal_all(entries, heads, seal)
        for each in ends:
            self._guesses.put(each)
        moved = [{"of_stream": each.stream, "head_seq": each.seq, "head_leaf": each.leaf} for each in ends]
        # Not called writes: each would set a savepoint before it, and nothing follows but the commit.
        if len(rows) == 1:
            _ = await transaction.execute(sql.INSERT_ENTRIES, rows[0])
        elif self._insert_lists is None:
            _ = await transaction.execute(sql.INSERT_ENTRIES, rows)
        else:
            lists = {name: [row[name] for row in rows] for name in rows[0]}
            _ = await transaction.execute(self._insert_lists, lists)
        _ = await transaction.execute(sql.MOVE_HEAD, moved[0] if len(moved) == 1 else moved)

    def guessed(self, entry: AuditEntry, seal: Seal) -> dict[str, Any] | None:
        """Return the parameters of `APPEND_ONE` for *entry* after the head as it is guessed; `None` without a guess."""
        head = self._guesses.latest(entry.stream)
        return None if head is None else _joined(*self._sealed(entry, head, seal))

    def learn(self, *, is_right: bool) -> None:
        """Remember whether a head was what it was taken for."""
        self._guesses.learn(is_right=is_right)

    async def _append_after(
        self, transaction: Transaction, entry: AuditEntry, head: StreamHead, seal: Seal
    ) -> bool:
        """Append *entry* after *head*; return whether that was the end of the chain. Waits until nobody moves it."""
        parameters, row = self._sealed(entry, head, seal)
        if self._is_postgres:
            done = await transaction.execute(sql.APPEND_ONE, _joined(parameters, row), last=True)
            is_right = bool(done.records)
        else:
            moved = await transaction.execute(sql.MOVE_KNOWN_HEAD, parameters)
            is_right = moved.affected == 1
            if is_right:
                _ = await transaction.execute(sql.INSERT_ENTRIES, row)
        self._guesses.learn(is_right=is_right)
        return is_right

    def _sealed(
        self, entry: AuditEntry, head: StreamHead, seal: Seal
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the parameters that move *head* behind *entry*, and the row of that."""
        row, end = seal_one(entry, head, seal)
        # Known before the statement is sent: whoever comes next then waits for this one, and finds what it expects.
        self._guesses.put(end)
        moves = {
            "of_stream": head.stream,
            "known_seq": head.seq,
            "known_leaf": head.leaf,
            "head_seq": end.seq,
            "head_leaf": end.leaf,
        }
        return moves, row

    async def _lock(self, transaction: Transaction, streams: Sequence[str]) -> dict[str, StreamHead]:
        locked = await transaction.execute(sql.lock_heads(len(streams)), _numbered(streams))
        return {row[0]: StreamHead(row[0], row[1], bytes(row[2])) for row in locked.rows}


def _joined(parameters: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of `APPEND_ONE`."""
    return {**parameters, **{parameter: row[name] for parameter, name in _BESIDE_HEAD}}


def _row_of(head: StreamHead) -> dict[str, object]:
    return {"stream": head.stream, "seq": head.seq, "leaf": head.leaf}


def _numbered(names: Sequence[str]) -> dict[str, object]:
    return {f"n{place}": name for place, name in enumerate(names)}
