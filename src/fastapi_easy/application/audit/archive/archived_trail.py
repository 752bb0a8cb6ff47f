"""A trail as it is in its archive, alone or together with the database."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from returns.result import Failure, Success

from fastapi_easy.application.audit.archive.archive_trail import MANIFEST
from fastapi_easy.application.audit.archive.entry_formats import read_sealed
from fastapi_easy.application.audit.trail_source import TrailSource
from fastapi_easy.domain.audit.entry import Checkpoint, SealedEntry, StoredEntry, StreamHead
from fastapi_easy.domain.audit.notes import UnreadableNote, read_note
from fastapi_easy.domain.errors import Outcome, Unavailable
from fastapi_easy.domain.ports.archive_store import ArchiveStore


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    stream: str
    first: int
    last: int
    file: str
    note: str


@dataclass(slots=True)
class ArchivedTrail:
    """Implements `TrailSource`: the entries of an archive.

    Args:
        archive: The archive. One segment is held at a time.

        name: Of the trail whose segments are read.

        database: Where the later entries are, and the leaves of the archived ones; `None` for what is in the archive
            only.
    """

    archive: ArchiveStore
    name: str
    database: TrailSource | None = None
    _segments: list[_Segment] | None = field(default=None, init=False)
    _loaded: tuple[str, dict[int, SealedEntry]] = field(default=("", {}), init=False)

    async def heads(self) -> Outcome[Sequence[StreamHead]]:
        """Return the head of every stream: that of the database, or the end of the last segment."""
        if self.database is not None:
            return await self.database.heads()
        segments = await self._all_segments()
        if isinstance(segments, Failure):
            return segments
        ends: dict[str, _Segment] = {each.stream: each for each in segments.unwrap()}
        heads: list[StreamHead] = []
        for stream, segment in sorted(ends.items()):
            entries = await self._load(segment)
            if isinstance(entries, Failure):
                return entries
            last = entries.unwrap().get(segment.last)
            heads.append(StreamHead(stream, segment.last, bytes(32) if last is None else last.leaf))
        return Success(heads)

    async def read(self, stream: str, after: int, limit: int, /) -> Outcome[Sequence[StoredEntry]]:
        """Return at most *limit* entries of *stream* with numbers above *after*, with the bodies that are archived."""
        if self.database is None:
            return await self._read_archive(stream, after, limit)
        read = await self.database.read(stream, after, limit)
        if isinstance(read, Failure):
            return read
        whole: list[StoredEntry] = []
        for each in read.unwrap():
            filled = await self._with_body(each)
            if isinstance(filled, Failure):
                return filled
            whole.append(filled.unwrap())
        return Success(whole)

    async def checkpoints(self, stream: str, /) -> Outcome[Sequence[Checkpoint]]:
        """Return the checkpoints of *stream*: those of the database, or those at the ends of segments."""
        if self.database is not None:
            return await self.database.checkpoints(stream)
        segments = await self._all_segments()
        if isinstance(segments, Failure):
            return segments
        return Success([_checkpoint(each) for each in segments.unwrap() if each.stream == stream])

    async def _with_body(self, stored: StoredEntry) -> Outcome[StoredEntry]:
        sealed = stored.sealed
        if sealed.body is not None:
            return Success(stored)
        found = await self._segment_of(sealed.stream, sealed.seq)
        if isinstance(found, Failure):
            return found
        segment = found.unwrap()
        if segment is None:
            return Success(stored)
        entries = await self._load(segment)
        if isinstance(entries, Failure):
            return entries
        archived = entries.unwrap().get(sealed.seq)
        body = None if archived is None else archived.body
        return Success(StoredEntry(sealed=replace(sealed, body=body), columns={}))

    async def _read_archive(self, stream: str, after: int, limit: int) -> Outcome[Sequence[StoredEntry]]:
        segments = await self._all_segments()
        if isinstance(segments, Failure):
            return segments
        for segment in segments.unwrap():
            if segment.stream != stream or segment.last <= after:
                continue
            entries = await self._load(segment)
            if isinstance(entries, Failure):
                return entries
            numbers = sorted(each for each in entries.unwrap() if each > after)[:limit]
            if numbers:
                return Success([StoredEntry(sealed=entries.unwrap()[each], columns={}) for each in numbers])
        return Success([])

    async def _segment_of(self, stream: str, seq: int) -> Outcome[_Segment | None]:
        segments = await self._all_segments()
        if isinstance(segments, Failure):
            return segments
        return Success(
            next(
                (
                    each
                    for each in segments.unwrap()
                    if each.stream == stream and each.first <= seq <= each.last
                ),
                None,
            )
        )

    async def _all_segments(self) -> Outcome[list[_Segment]]:
        if self._segments is None:
            names = await self.archive.names()
            if isinstance(names, Failure):
                return names
            found: list[_Segment] = []
            for each in names.unwrap():
                if not each.endswith(MANIFEST):
                    continue
                try:
                    segment = await self._read_manifest(each)
                except (OSError, ValueError):
                    return Failure(Unavailable(f"{self.archive.name}, file {each}"))
                if segment is not None:
                    found.append(segment)
            self._segments = sorted(found, key=lambda each: (each.stream, each.first))
        return Success(self._segments)

    async def _read_manifest(self, name: str) -> _Segment | None:
        members = await _members(self.archive, name)
        try:
            if members["trail"] != self.name:
                return None
            return _Segment(
                stream=members["stream"],
                first=int(members["first"]),
                last=int(members["last"]),
                file=members["file"],
                note=members["checkpoint"],
            )
        except (KeyError, TypeError) as error:
            raise ValueError("this describes no segment") from error

    async def _load(self, segment: _Segment) -> Outcome[dict[int, SealedEntry]]:
        if self._loaded[0] != segment.file:
            entries: dict[int, SealedEntry] = {}
            try:
                async for line in self.archive.lines(segment.file):
                    sealed = read_sealed(json.loads(line))
                    if sealed.stream == segment.stream:
                        entries[sealed.seq] = sealed
            except (OSError, ValueError):
                return Failure(Unavailable(f"{self.archive.name}, file {segment.file}"))
            self._loaded = (segment.file, entries)
        return Success(self._loaded[1])


async def trails_in(archive: ArchiveStore) -> Outcome[Sequence[str]]:
    """Return the names of the trails whose segments are in *archive*, sorted.

    Fails with:
        Unavailable: The archive does not answer, or a description of a segment cannot be read.
    """
    names = await archive.names()
    if isinstance(names, Failure):
        return names
    trails: set[str] = set()
    for each in names.unwrap():
        if each.endswith(MANIFEST):
            try:
                trails.add((await _members(archive, each))["trail"])
            except (OSError, ValueError, KeyError, TypeError):
                return Failure(Unavailable(f"{archive.name}, file {each}"))
    return Success(sorted(trails))


async def _members(archive: ArchiveStore, name: str) -> Any:
    return json.loads(b"\n".join([line async for line in archive.lines(name)]))


def _checkpoint(segment: _Segment) -> Checkpoint:
    try:
        said = read_note(segment.note).checkpoint
        return Checkpoint(
            stream=segment.stream,
            size=said.size,
            root=said.root,
            note=segment.note,
            created_at=said.created_at,
        )
    except UnreadableNote as error:
        raise ValueError("this describes no segment") from error
