"""Move the oldest entries of a trail into an archive, with what proves them."""

import datetime
import hashlib
import json
import urllib.parse
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from returns.result import Failure, Success

from fastapi_easy.application.audit.archive.entry_formats import sealed_members
from fastapi_easy.application.audit.signed_roots import SignedRoots
from fastapi_easy.application.audit.trail_source import VerificationKeys
from fastapi_easy.domain.audit.entry import SECURITY_STREAM, AuditEntry, StoredEntry
from fastapi_easy.domain.audit.findings import Finding, Verdict, verdict_of
from fastapi_easy.domain.audit.merkle import Frontier
from fastapi_easy.domain.audit.notes import Note, origin_of
from fastapi_easy.domain.audit.sealing import ZERO_LEAF
from fastapi_easy.domain.audit.verification import SignedRoot, StreamVerifier
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.anchor_sink import AnchorSink
from fastapi_easy.domain.ports.archive_store import ArchiveStore
from fastapi_easy.domain.ports.audit_sink import AuditSink, Seal
from fastapi_easy.domain.ports.clock import Clock

ARCHIVED: Final = "audit.archived"
MANIFEST: Final = ".json"
_BATCH: Final = 1000
_SEGMENT: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedSegment:
    """What became of a stretch of a stream.

    Attributes:
        stream: The stream.

        first, last: The numbers of its entries.

        file: Where they are now; empty when they were not moved.

        findings: Why they were not moved.
    """

    stream: str
    first: int
    last: int
    file: str = ""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailArchiving:
    """Moves what anchored checkpoints cover and is old enough. Leaves and MACs stay, so that every proof holds.

    A file with the entries, as `entry_formats.sealed_members` writes them, and then one that describes it are there,
    on the disk, before the bodies are removed. What was cut short is done again.

    Attributes:
        name: Of the trail: what the origins of its checkpoints begin with.

        sink: The entries.

        seal: Seals the entry that tells of what was moved.

        keys: The keys.

        anchors: Where checkpoints are outside the database; those that cannot be read back are trusted to have all.

        archive: Where they go.

        clock: Says what is old.
    """

    name: str
    sink: AuditSink
    seal: Seal
    keys: VerificationKeys
    anchors: Sequence[AnchorSink]
    archive: ArchiveStore
    clock: Clock

    async def archive_older_than(self, age: datetime.timedelta) -> Outcome[Sequence[ArchivedSegment]]:
        """Move the entries under checkpoints that are older than *age*; return what became of them.

        Fails with:
            Unavailable: The database, an anchor or the archive does not answer.
        """
        heads = await self.sink.heads()
        if isinstance(heads, Failure):
            return heads
        moved: list[ArchivedSegment] = []
        for head in heads.unwrap():
            notes = await self._anchored_notes(head.stream)
            if isinstance(notes, Failure):
                return notes
            old = [each for each in notes.unwrap() if each.checkpoint.created_at <= self.clock.now() - age]
            segments = await self._move_stream(head.stream, old)
            if isinstance(segments, Failure):
                return segments
            moved += segments.unwrap()
        return Success(moved)

    async def _anchored_notes(self, stream: str) -> Outcome[list[Note]]:
        signed = SignedRoots(origin_of(self.name, stream), stream, self.keys.checkpoints)
        can_be_read = False
        for each in self.anchors:
            notes = await each.notes(signed.origin)
            if isinstance(notes, Failure):
                return notes
            if (found := notes.unwrap()) is not None:
                can_be_read = True
                signed.add(found, is_anchored=True)
        if self.anchors and not can_be_read:
            stored = await self.sink.checkpoints(stream)
            if isinstance(stored, Failure):
                return stored
            signed.add((each.note for each in stored.unwrap()), is_anchored=True)
        return Success(sorted(signed.notes, key=lambda each: each.checkpoint.size))

    async def _move_stream(self, stream: str, notes: Sequence[Note]) -> Outcome[list[ArchivedSegment]]:
        names = await self.archive.names()
        if isinstance(names, Failure):
            return names
        frontier, previous, done = Frontier(), ZERO_LEAF, last_archived(names.unwrap(), stream)
        moved: list[ArchivedSegment] = []
        if done:
            # The bodies may still be there, if the process ended before they were removed.
            removed = await self.sink.remove_bodies(stream, done)
            if isinstance(removed, Failure):
                return removed
            before = await self._last_leaf(stream, done)
            note = next((each for each in notes if each.checkpoint.size == done), None)
            if isinstance(before, Failure):
                return before
            if note is None or before.unwrap() is None:
                return Success([])
            frontier = Frontier(done, note.checkpoint.frontier)
            previous = before.unwrap() or ZERO_LEAF
        while (note := _next_end(notes, frontier.size)) is not None:
            segment = await self._move_segment(stream, frontier, previous, note)
            if isinstance(segment, Failure):
                return segment
            moved.append(segment.unwrap())
            if segment.unwrap().findings:
                break
            leaf = await self._last_leaf(stream, note.checkpoint.size)
            if isinstance(leaf, Failure):
                return leaf
            frontier = Frontier(note.checkpoint.size, note.checkpoint.frontier)
            previous = leaf.unwrap() or ZERO_LEAF
        return Success(moved)

    async def _last_leaf(self, stream: str, seq: int) -> Outcome[bytes | None]:
        read = await self.sink.read(stream, seq - 1, 1)
        if isinstance(read, Failure):
            return read
        return Success(next((each.sealed.leaf for each in read.unwrap() if each.sealed.seq == seq), None))

    async def _move_segment(
        self, stream: str, frontier: Frontier, previous: bytes, note: Note
    ) -> Outcome[ArchivedSegment]:
        first, last = frontier.size + 1, note.checkpoint.size
        writing = _SegmentWriting(self, stream, frontier, previous, note)
        name = segment_name(stream, first, last)
        try:
            written = await self.archive.write(f"{name}.ndjson", writing.lines())
            if isinstance(written, Failure):
                return written
        except _Doubted as doubted:
            return Success(ArchivedSegment(stream=stream, first=first, last=last, findings=doubted.findings))
        except _SourceFailed as failed:
            return failed.failure
        manifest = {
            "trail": self.name,
            "stream": stream,
            "first": first,
            "last": last,
            "file": f"{name}.ndjson",
            "sha256": writing.digest.hexdigest(),
            "checkpoint": note.signed.decode() + "\n" + note.below,
        }
        described = await self.archive.write(
            f"{name}{MANIFEST}", _once(json.dumps(manifest, indent=2).encode())
        )
        if isinstance(described, Failure):
            return described
        told = await self._tell(manifest)
        if isinstance(told, Failure):
            return told
        removed = await self.sink.remove_bodies(stream, last)
        if isinstance(removed, Failure):
            return removed
        return Success(ArchivedSegment(stream=stream, first=first, last=last, file=f"{name}.ndjson"))

    async def _tell(self, manifest: Mapping[str, Any]) -> Outcome[None]:
        entry = AuditEntry(
            stream=SECURITY_STREAM,
            occurred_at=self.clock.now(),
            action=ARCHIVED,
            changes={each: manifest[each] for each in ("stream", "first", "last", "sha256")},
        )
        return await self.sink.append([entry], self.seal)


class _SegmentWriting:
    """The lines of one segment, verified while they are written."""

    def __init__(
        self, archiving: TrailArchiving, stream: str, frontier: Frontier, previous: bytes, note: Note
    ) -> None:
        checkpoint = note.checkpoint
        self.digest = hashlib.sha256()
        self._archiving = archiving
        self._stream = stream
        self._last = checkpoint.size
        self._verifier = StreamVerifier(
            stream,
            archiving.keys.macs,
            [SignedRoot(checkpoint.size, checkpoint.root, is_anchored=True)],
            has_anchors=False,
            frontier=Frontier(frontier.size, frontier.nodes),
            previous=previous,
        )

    async def lines(self) -> AsyncIterator[bytes]:
        """Return the lines.

        Raises:
            _Doubted: After the last line: something is wrong with them.

            _SourceFailed: They could not be read.
        """
        while self._verifier.last < self._last:
            read = await self._archiving.sink.read(
                self._stream, self._verifier.last, min(_BATCH, self._last - self._verifier.last)
            )
            if isinstance(read, Failure):
                raise _SourceFailed(read)
            entries = [each for each in read.unwrap() if each.sealed.seq <= self._last]
            if not entries:
                break
            for each in entries:
                yield self._line(each)
        self._verifier.finish(None)
        findings = self._verifier.findings
        if verdict_of(findings) is not Verdict.INTACT or self._verifier.without_body:
            raise _Doubted(findings)

    def _line(self, stored: StoredEntry) -> bytes:
        self._verifier.check(stored)
        members = sealed_members(self._archiving.name, stored.sealed)
        line = json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        self.digest.update(line)
        return line


class _Doubted(Exception):
    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("a segment is not archived")
        self.findings = tuple(findings)


class _SourceFailed(Exception):
    def __init__(self, failure: Failure[Any]) -> None:
        super().__init__("a segment cannot be read")
        self.failure = failure


def segment_name(stream: str, first: int, last: int) -> str:
    """Return the name of the files of a segment, without what they end with."""
    return f"{urllib.parse.quote(stream, safe='')}.{first:012d}-{last:012d}"


def last_archived(names: Sequence[str], stream: str) -> int:
    """Return the number of the last entry of *stream* that is described by a file among *names*; 0 for none."""
    start = f"{urllib.parse.quote(stream, safe='')}."
    ends = [
        each.removeprefix(start).removesuffix(MANIFEST).partition("-")[2]
        for each in names
        if each.startswith(start) and each.endswith(MANIFEST)
    ]
    return max((int(each) for each in ends if each.isdecimal()), default=0)


def _next_end(notes: Sequence[Note], size: int) -> Note | None:
    """Return the checkpoint at which the next segment ends: the last within its size, or the first beyond it."""
    later = [each for each in notes if each.checkpoint.size > size]
    within = [each for each in later if each.checkpoint.size <= size + _SEGMENT]
    return within[-1] if within else next(iter(later), None)


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
