"""Where the audit trail of one database is kept."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

from fastapi_easy.domain.audit.entry import AuditEntry, Checkpoint, SealedEntry, StoredEntry, StreamHead
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork

Seal: TypeAlias = Callable[[AuditEntry, StreamHead], SealedEntry]
"""Seals an entry as the next one after a head."""


@runtime_checkable
class AuditSink(Protocol):
    """Entries that are appended, read, and never changed.

    Every method fails with `Unavailable` when the database does not answer.
    """

    async def prepare(self) -> Outcome[tuple[str, ...]]:
        """Create the tables, and protect them from changes as far as the database can.

        Returns:
            Why the database cannot hold an audit trail, each a sentence with the way to mend it.
        """
        ...

    async def find_weaknesses(self) -> Outcome[tuple[str, ...]]:
        """Try, without touching a row, what nobody should be able to do; return what is permitted, in sentences."""
        ...

    async def append_in(
        self, work: UnitOfWork, entries: Sequence[AuditEntry], seal: Seal, /
    ) -> Outcome[None]:
        """Append *entries* in the transaction of *work*, a unit of work of the store.

        The heads of their streams are locked, in the order of their names, until *work* has ended: nothing but the
        commit is to follow.
        """
        ...

    async def append(self, entries: Sequence[AuditEntry], seal: Seal, /) -> Outcome[None]:
        """Append *entries* in a transaction of their own."""
        ...

    async def heads(self) -> Outcome[Sequence[StreamHead]]:
        """Return the head of every stream, by name."""
        ...

    async def read(self, stream: str, after: int, limit: int, /) -> Outcome[Sequence[StoredEntry]]:
        """Return at most *limit* entries of *stream* with numbers above *after*, ascending.

        Entries with the same number, of which there should be none, are all returned with the first of them.
        """
        ...

    async def find(
        self, resource: str, keys: Sequence[str], /, *, after: tuple[str, int] | None, limit: int
    ) -> Outcome[Sequence[StoredEntry]]:
        """Return at most *limit* entries about some entities, in their order, after the entry *after* (stream, seq).

        Args:
            resource: The name of their resource.

            keys: As `sealing.key_column` spells them; a few hundred at most.

            after: The entry behind which to begin; `None` for the first.

            limit: 1 or more.
        """
        ...

    async def find_keys(
        self, resource: str, /, *, actions: Sequence[str] = (), tenant: str | None = None, limit: int
    ) -> Outcome[Sequence[str]]:
        """Return at most *limit* keys of entities that something was done to, each once, in any order.

        Args:
            resource: The name of their resource.

            actions: What was done to them, any of these; anything unless given.

            tenant: Only what happened in it, or in none; `None` for all.

            limit: 1 or more.

        Returns:
            Each as `sealing.key_column` spells it.
        """
        ...

    async def keep_checkpoint(self, checkpoint: Checkpoint, /) -> Outcome[None]:
        """Store *checkpoint*."""
        ...

    async def checkpoints(self, stream: str, /) -> Outcome[Sequence[Checkpoint]]:
        """Return the checkpoints of *stream*, the smallest first."""
        ...

    async def remove_bodies(self, stream: str, last: int, /) -> Outcome[int]:
        """Remove the bodies, and the columns beside them, of the entries up to number *last*; return their number.

        For what was archived: it is the one change that what protects the trail lets pass. The leaves stay, so that
        every proof holds.
        """
        ...

    async def subject_keys_in(
        self, work: UnitOfWork, new: Mapping[str, bytes], /
    ) -> Outcome[Mapping[str, bytes]]:
        """Return the wrapped keys of the subjects of *new*, without those that were erased.

        A subject without a key gets that of *new*, in the transaction of *work*, a unit of work of the store.
        """
        ...

    async def subject_keys(self, subjects: Sequence[str], /) -> Outcome[Mapping[str, bytes]]:
        """Return the wrapped keys of *subjects*, without those that have none or whose key was erased."""
        ...

    async def list_subject_keys(self, after: str, limit: int, /) -> Outcome[Mapping[str, bytes]]:
        """Return the wrapped keys of at most *limit* subjects whose names sort after *after*, the first of them."""
        ...

    async def erase_subject(self, subject: str, /) -> Outcome[bool]:
        """Destroy the key of *subject*, and never give it another; return whether it had one."""
        ...
