"""The audit trail of a database in memory; it lives as long as that."""

import weakref
from collections.abc import Mapping, Sequence
from typing import Any, Final

from returns.result import Success

from fastapi_easy.domain.audit.entry import AuditEntry, Checkpoint, StoredEntry, StreamHead
from fastapi_easy.domain.audit.sealing import column_text, columns_of, empty_head, head_after
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.audit_sink import Seal
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork, innermost
from fastapi_easy.infrastructure.audit.rows import emptied
from fastapi_easy.infrastructure.persistence.memory.connection import MemoryDatabase


class _Trail:
    """What one database holds."""

    __slots__ = ("__weakref__", "checkpoints", "entries", "subjects")

    def __init__(self) -> None:
        self.entries: dict[str, list[StoredEntry]] = {}
        self.checkpoints: dict[str, list[Checkpoint]] = {}
        self.subjects: dict[str, bytes | None] = {}

    def head(self, stream: str) -> StreamHead:
        entries = self.entries.get(stream)
        return head_after(entries[-1].sealed) if entries else empty_head(stream)

    def append(self, entries: Sequence[AuditEntry], seal: Seal) -> None:
        for entry in entries:
            sealed = seal(entry, self.head(entry.stream))
            self.entries.setdefault(entry.stream, []).append(
                StoredEntry(sealed=sealed, columns=columns_of(entry))
            )


_trails: Final["weakref.WeakKeyDictionary[MemoryDatabase, _Trail]"] = weakref.WeakKeyDictionary()


class MemoryAuditSink:
    """Implements `AuditSink` for *database*: what is appended in a unit of work is there when that commits."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._trail = _trails.setdefault(database, _Trail())

    async def prepare(self) -> Outcome[tuple[str, ...]]:
        """Have everything ready."""
        return Success(())

    async def find_weaknesses(self) -> Outcome[tuple[str, ...]]:
        """Return none: nobody but this process has the memory."""
        return Success(())

    async def append_in(
        self, work: UnitOfWork, entries: Sequence[AuditEntry], seal: Seal, /
    ) -> Outcome[None]:
        """Append *entries* at the moment when *work* commits."""
        inner: Any = innermost(work)
        inner.after_commit(lambda: self._trail.append(entries, seal))
        return Success(None)

    async def append(self, entries: Sequence[AuditEntry], seal: Seal, /) -> Outcome[None]:
        """Append *entries* now."""
        self._trail.append(entries, seal)
        return Success(None)

    async def heads(self) -> Outcome[Sequence[StreamHead]]:
        """Return the head of every stream, by name."""
        return Success([self._trail.head(stream) for stream in sorted(self._trail.entries)])

    async def read(self, stream: str, after: int, limit: int, /) -> Outcome[Sequence[StoredEntry]]:
        """Return at most *limit* entries of *stream* with numbers above *after*."""
        return Success(self._trail.entries.get(stream, [])[after : after + limit])

    async def find(
        self, resource: str, keys: Sequence[str], /, *, after: tuple[str, int] | None, limit: int
    ) -> Outcome[Sequence[StoredEntry]]:
        """Return at most *limit* entries about some entities."""
        found = [
            each
            for _, entries in sorted(self._trail.entries.items())
            for each in entries
            if each.columns["resource"] == resource
            and each.columns["key"] in keys
            and (after is None or (each.sealed.stream, each.sealed.seq) > after)
        ]
        return Success(found[:limit])

    async def find_keys(
        self, resource: str, /, *, actions: Sequence[str] = (), tenant: str | None = None, limit: int
    ) -> Outcome[Sequence[str]]:
        """Return at most *limit* keys of entities that something was done to."""
        wanted = None if tenant is None else {None, column_text(tenant)}
        found = {
            key: None
            for entries in self._trail.entries.values()
            for columns in (each.columns for each in entries)
            if columns["resource"] == resource
            and columns["outcome"] == "ok"
            and (not actions or columns["action"] in actions)
            and (wanted is None or columns["tenant"] in wanted)
            and (key := columns["key"]) is not None
        }
        return Success(list(found)[:limit])

    async def keep_checkpoint(self, checkpoint: Checkpoint, /) -> Outcome[None]:
        """Store *checkpoint*."""
        kept = self._trail.checkpoints.setdefault(checkpoint.stream, [])
        if checkpoint not in kept:
            kept.append(checkpoint)
            kept.sort(key=lambda each: (each.size, each.created_at))
        return Success(None)

    async def checkpoints(self, stream: str, /) -> Outcome[Sequence[Checkpoint]]:
        """Return the checkpoints of *stream*, the smallest first."""
        return Success(list(self._trail.checkpoints.get(stream, [])))

    async def remove_bodies(self, stream: str, last: int, /) -> Outcome[int]:
        """Remove the bodies of the entries up to number *last*."""
        entries = self._trail.entries.get(stream, [])
        places = [place for place, each in enumerate(entries[:last]) if each.sealed.body is not None]
        for place in places:
            entries[place] = emptied(entries[place])
        return Success(len(places))

    async def subject_keys_in(
        self, _work: UnitOfWork, new: Mapping[str, bytes], /
    ) -> Outcome[Mapping[str, bytes]]:
        """Return the wrapped keys of the subjects of *new*; a key that was made for nothing does no harm."""
        kept = {subject: self._trail.subjects.setdefault(subject, key) for subject, key in new.items()}
        return Success({subject: key for subject, key in kept.items() if key is not None})

    async def subject_keys(self, subjects: Sequence[str], /) -> Outcome[Mapping[str, bytes]]:
        """Return the wrapped keys of *subjects*."""
        found = {subject: self._trail.subjects.get(subject) for subject in subjects}
        return Success({subject: key for subject, key in found.items() if key is not None})

    async def list_subject_keys(self, after: str, limit: int, /) -> Outcome[Mapping[str, bytes]]:
        """Return the wrapped keys of the subjects after *after*."""
        kept = sorted((subject, key) for subject, key in self._trail.subjects.items() if key is not None)
        return Success(dict([each for each in kept if each[0] > after][:limit]))

    async def erase_subject(self, subject: str, /) -> Outcome[bool]:
        """Destroy the key of *subject*."""
        had_one = self._trail.subjects.get(subject) is not None
        self._trail.subjects[subject] = None
        return Success(had_one)
