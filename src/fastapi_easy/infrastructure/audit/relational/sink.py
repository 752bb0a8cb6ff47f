"""The audit trail in SQLite, PostgreSQL, MySQL and MariaDB."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from returns.result import Failure, Success
from sqlalchemy import Executable

from fastapi_easy.domain.audit.entry import AuditEntry, Checkpoint, StoredEntry, StreamHead
from fastapi_easy.domain.audit.sealing import COLUMNS, column_text
from fastapi_easy.domain.errors import Outcome, OutcomeUnknown, Unavailable
from fastapi_easy.domain.ports.audit_sink import Seal
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork, innermost
from fastapi_easy.infrastructure.audit.relational import protection
from fastapi_easy.infrastructure.audit.relational import statements as sql
from fastapi_easy.infrastructure.audit.relational.appending import EntryAppender
from fastapi_easy.infrastructure.audit.relational.closing_append import is_taken, report_tampering
from fastapi_easy.infrastructure.audit.rows import read_parts
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy.schema import create
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS, as_unavailable
from fastapi_easy.infrastructure.relational.system_tables.audit_tables import (
    AUDIT_TABLES,
    CHECKPOINTS,
    SUBJECTS,
)
from fastapi_easy.infrastructure.relational.transaction import CommitOutcomeUnknown, Transaction

_CHECKPOINT_NAMES: Final = tuple(each.name for each in CHECKPOINTS.c)

T = TypeVar("T")


class RelationalAuditSink:
    """Implements `AuditSink` in *database*, whose connections it borrows.

    Whoever appends locks the rows of `fe_audit_head` first, so that a chain is written by one transaction after the
    other; the primary key of `fe_audit` would refuse a second entry with the same number.
    """

    def __init__(self, database: SqlAlchemyDatabase) -> None:
        self._database = database
        self._dialect = database.executor.engine.dialect.name
        self._appender = EntryAppender(database.name, database.executor.engine.dialect)

    async def prepare(self) -> Outcome[tuple[str, ...]]:
        """Create the tables, and the triggers that refuse to change what is in them."""
        if self._database.is_read_only:
            return Success((_READ_ONLY,))
        try:
            # Creates the folder of a temporary SQLite file.
            _ = self._database.begin()
            await self._database.executor.run_sync(lambda connection: create(connection, AUDIT_TABLES))
            await self._database.executor.run_sync(protection.protect)
        except DATABASE_ERRORS as error:
            return self._failed(error)
        return Success(())

    async def find_weaknesses(self) -> Outcome[tuple[str, ...]]:
        """Ask for the triggers, and try to update and to delete no row."""
        try:
            return Success(await self._database.executor.run_sync(protection.find_weaknesses))
        except DATABASE_ERRORS as error:
            return self._failed(error)

    async def append_in(
        self, work: UnitOfWork, entries: Sequence[AuditEntry], seal: Seal, /
    ) -> Outcome[None]:
        """Append *entries* in the transaction of *work*."""
        inner: Any = innermost(work)
        try:
            await self._appender.append(inner.transaction, entries, seal, may_wait=True)
        except DATABASE_ERRORS as error:
            return self._failed(error)
        return Success(None)

    async def append(self, entries: Sequence[AuditEntry], seal: Seal, /) -> Outcome[None]:
        """Append *entries* in a transaction of their own."""
        return await self._change(
            lambda transaction: self._appender.append(transaction, entries, seal, may_wait=False),
            may_autocommit=True,
        )

    async def heads(self) -> Outcome[Sequence[StreamHead]]:
        """Return the head of every stream, by name."""
        found = await self._read(sql.SELECT_HEADS, {})
        if isinstance(found, Failure):
            return found
        # Not by the collation of the server.
        return Success(sorted((_head(row) for row in found.unwrap() if row[1]), key=lambda each: each.stream))

    async def read(self, stream: str, after: int, limit: int, /) -> Outcome[Sequence[StoredEntry]]:
        """Return at most *limit* entries of *stream* with numbers above *after*."""
        found = await self._read(sql.READ, {"of_stream": stream, "after": after, "number": limit})
        if isinstance(found, Failure):
            return found
        entries = [_entry(row) for row in found.unwrap()]
        if len(entries) < limit:
            return Success(entries)
        # Somebody who has taken the primary key away may have put in more with the last number.
        last = entries[-1].sealed.seq
        same = await self._read(sql.READ_ONE, {"of_stream": stream, "at": last})
        if isinstance(same, Failure):
            return same
        return Success([*(each for each in entries if each.sealed.seq < last), *map(_entry, same.unwrap())])

    async def find(
        self, resource: str, keys: Sequence[str], /, *, after: tuple[str, int] | None, limit: int
    ) -> Outcome[Sequence[StoredEntry]]:
        """Return at most *limit* entries about some entities."""
        if not keys:
            return Success(())
        stream, seq = after or ("", 0)
        parameters = {
            **_numbered(keys),
            "of_resource": resource,
            "of_stream": stream,
            "after": seq,
            "number": limit,
        }
        found = await self._read(sql.find(len(keys)), parameters)
        return found if isinstance(found, Failure) else Success([_entry(row) for row in found.unwrap()])

    async def find_keys(
        self, resource: str, /, *, actions: Sequence[str] = (), tenant: str | None = None, limit: int
    ) -> Outcome[Sequence[str]]:
        """Return at most *limit* keys of entities that something was done to."""
        parameters = {**_numbered(actions), "of_resource": resource, "number": limit}
        if tenant is not None:
            parameters["of_tenant"] = column_text(tenant)
        found = await self._read(sql.find_keys(len(actions), in_tenant=tenant is not None), parameters)
        return found if isinstance(found, Failure) else Success([row[0] for row in found.unwrap()])

    async def keep_checkpoint(self, checkpoint: Checkpoint, /) -> Outcome[None]:
        """Store *checkpoint*."""
        values = {name: getattr(checkpoint, name) for name in _CHECKPOINT_NAMES}

        async def keep(transaction: Transaction) -> None:
            try:
                _ = await transaction.execute(sql.INSERT_CHECKPOINT, values, writes=True)
            except DATABASE_ERRORS as error:
                if not is_taken(error):
                    raise

        return await self._change(keep)

    async def checkpoints(self, stream: str, /) -> Outcome[Sequence[Checkpoint]]:
        """Return the checkpoints of *stream*, the smallest first."""
        found = await self._read(sql.SELECT_CHECKPOINTS, {"of_stream": stream})
        if isinstance(found, Failure):
            return found
        rows = (dict(zip(_CHECKPOINT_NAMES, row, strict=True)) for row in found.unwrap())
        return Success([_checkpoint(row) for row in rows])

    async def remove_bodies(self, stream: str, last: int, /) -> Outcome[int]:
        """Remove the bodies of the entries up to number *last*."""

        async def remove(transaction: Transaction) -> int:
            parameters = {"of_stream": stream, "last": last}
            return (await transaction.execute(sql.REMOVE_BODIES, parameters, writes=True)).affected

        return await self._change(remove)

    async def subject_keys_in(
        self, work: UnitOfWork, new: Mapping[str, bytes], /
    ) -> Outcome[Mapping[str, bytes]]:
        """Return the wrapped keys of the subjects of *new*."""
        inner: Any = innermost(work)
        transaction: Transaction = inner.transaction
        # In one order, so that no two transactions wait for each other.
        subjects = sorted(new)
        try:
            known = await self._subjects(transaction, subjects, locks=False)
            missing = [each for each in subjects if each not in known]
            if missing:
                rows = [{"subject": each, "wrapped": new[each]} for each in missing]
                insert = sql.insert_missing(self._dialect, SUBJECTS.name)
                _ = await transaction.execute(insert, rows, writes=True)
                # Others may have been faster.
                known |= await self._subjects(transaction, missing, locks=True)
        except DATABASE_ERRORS as error:
            return self._failed(error)
        return Success(_present(list(known.items())))

    async def subject_keys(self, subjects: Sequence[str], /) -> Outcome[Mapping[str, bytes]]:
        """Return the wrapped keys of *subjects*."""
        if not subjects:
            return Success({})
        found = await self._read(sql.select_subjects(len(subjects), locks=False), _numbered(subjects))
        return found if isinstance(found, Failure) else Success(_present(found.unwrap()))

    async def list_subject_keys(self, after: str, limit: int, /) -> Outcome[Mapping[str, bytes]]:
        """Return the wrapped keys of the subjects after *after*."""
        found = await self._read(sql.LIST_SUBJECTS, {"after": after, "at_most": limit})
        return found if isinstance(found, Failure) else Success(_present(found.unwrap()))

    async def erase_subject(self, subject: str, /) -> Outcome[bool]:
        """Destroy the key of *subject*."""

        async def erase(transaction: Transaction) -> bool:
            erased = await transaction.execute(sql.ERASE, {"of_subject": subject}, writes=True)
            if not erased.affected:
                insert = sql.insert_missing(self._dialect, SUBJECTS.name)
                _ = await transaction.execute(insert, [{"subject": subject, "wrapped": None}], writes=True)
            return erased.affected > 0

        return await self._change(erase)

    async def _subjects(
        self, transaction: Transaction, subjects: Sequence[str], *, locks: bool
    ) -> dict[str, bytes | None]:
        statement = sql.select_subjects(len(subjects), locks=locks)
        found = await transaction.execute(statement, _numbered(subjects))
        return {row[0]: row[1] for row in found.rows}

    async def _read(self, statement: Executable, parameters: Mapping[str, object]) -> Outcome[Sequence[Any]]:
        try:
            return Success((await self._database.executor.read(statement, parameters)).rows)
        except DATABASE_ERRORS as error:
            return self._failed(error)

    async def _change(
        self, change: Callable[[Transaction], Awaitable[T]], *, may_autocommit: bool = False
    ) -> Outcome[T]:
        """Run *change* in a transaction of its own."""
        try:
            transaction = self._database.begin(may_autocommit=may_autocommit)
            try:
                done = await change(transaction)
                await transaction.commit()
            finally:
                await transaction.close()
        except CommitOutcomeUnknown:
            return Failure(OutcomeUnknown(self._database.name))
        except DATABASE_ERRORS as error:
            return self._failed(error)
        return Success(done)

    def _failed(self, error: BaseException) -> Failure[Any]:
        if is_taken(error):
            report_tampering(self._database.name)
            return Failure(Unavailable(self._database.name))
        unavailable = as_unavailable(error, self._database.name)
        if unavailable is None:
            raise error
        return Failure(unavailable)


def _head(row: Sequence[Any]) -> StreamHead:
    return StreamHead(row[0], row[1], bytes(row[2]))


def _entry(row: Sequence[Any]) -> StoredEntry:
    # As the columns of the table are in order: place, columns to search by, what was sealed.
    return read_parts((row[0], row[1]), dict(zip(COLUMNS, row[2:-4], strict=True)), tuple(row[-4:]))


def _checkpoint(row: dict[str, Any]) -> Checkpoint:
    return Checkpoint(**{**row, "root": bytes(row["root"])})


def _present(rows: Sequence[Sequence[Any]]) -> dict[str, bytes]:
    return {subject: bytes(wrapped) for subject, wrapped in rows if wrapped is not None}


def _numbered(names: Sequence[str]) -> dict[str, object]:
    return {f"n{place}": name for place, name in enumerate(names)}


_READ_ONLY: Final = (
    "an audit trail can only be kept where something can be written, and the database takes no changes: declare its "
    "resources without audit"
)
