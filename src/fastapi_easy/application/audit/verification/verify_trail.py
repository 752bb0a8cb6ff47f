"""Verify a whole audit trail: its entries, its checkpoints, and what was anchored outside."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from returns.result import Failure, Success

from fastapi_easy.application.audit.signed_roots import SignedRoots
from fastapi_easy.application.audit.trail_source import TrailSource, VerificationKeys
from fastapi_easy.domain.audit.entry import StreamHead
from fastapi_easy.domain.audit.findings import Finding, FindingKind, Verdict, verdict_of
from fastapi_easy.domain.audit.notes import origin_of, stream_in
from fastapi_easy.domain.audit.sealing import empty_head
from fastapi_easy.domain.audit.verification import StreamVerifier
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.anchor_sink import AnchorSink


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedStream:
    """What was verified of a stream.

    Attributes:
        stream: Its name.

        entries: The number of its last entry.

        anchored: The number of entries that the largest anchored checkpoint speaks of; 0 without one.

        without_body: The number of entries whose bodies were archived, and not given.
    """

    stream: str
    entries: int
    anchored: int
    without_body: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport:
    """What a verification has found.

    Attributes:
        streams: What was verified, by name.

        findings: What is wrong, or not known.
    """

    streams: Sequence[VerifiedStream]
    findings: Sequence[Finding]

    @property
    def verdict(self) -> Verdict:
        """What the findings come to."""
        return verdict_of(self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailVerification:
    """How a trail is verified.

    Attributes:
        name: Of the trail: what the origins of its checkpoints begin with.

        source: The entries.

        keys: The keys.

        anchors: Where its checkpoints are outside the database, as far as they can be read back.

        now: The time; `None` for an archive, in which nothing is expected to be recent.

        heartbeat: Within which every stream has an anchored checkpoint.

        is_part: The source is not expected to be complete: checkpoints beyond it, and streams that it does not have,
            say nothing against it.

        batch: Entries that are read at once.
    """

    name: str
    source: TrailSource
    keys: VerificationKeys
    anchors: Sequence[AnchorSink] = ()
    now: datetime.datetime | None = None
    heartbeat: datetime.timedelta = datetime.timedelta(hours=25)
    is_part: bool = False
    batch: int = 1000

    async def verify(self, only: str | None = None) -> Outcome[VerificationReport]:
        """Verify the stream called *only*, or all.

        Fails with:
            Unavailable: The database or an anchor does not answer.
        """
        heads = await self.source.heads()
        if isinstance(heads, Failure):
            return heads
        known = {each.stream: each for each in heads.unwrap()}
        anchored = await self._anchored_streams()
        if isinstance(anchored, Failure):
            return anchored
        findings: list[Finding] = []
        if anchored.unwrap() is None and not self.is_part:
            findings.append(
                Finding(
                    FindingKind.UNANCHORED,
                    "",
                    0,
                    0,
                    "no checkpoints outside the database were given: an older state, or a shorter one, looks the same",
                )
            )
        expected = set() if self.is_part else anchored.unwrap() or set()
        names = sorted({*known, *expected}) if only is None else [only]
        streams: list[VerifiedStream] = []
        for name in names:
            verified = await self._verify_stream(
                name, known.get(name), findings, is_anchored=anchored.unwrap() is not None
            )
            if isinstance(verified, Failure):
                return verified
            streams.append(verified.unwrap())
        return Success(VerificationReport(streams=streams, findings=findings))

    async def _anchored_streams(self) -> Outcome[set[str] | None]:
        """Return the streams of this trail that were anchored; `None` where nothing can be read back."""
        found: set[str] | None = None
        for each in self.anchors:
            origins = await each.origins()
            if isinstance(origins, Failure):
                return origins
            if (given := origins.unwrap()) is not None:
                streams = (stream_in(self.name, origin) for origin in given)
                found = (found or set()) | {stream for stream in streams if stream is not None}
        return Success(found)

    async def _signed_roots(self, stream: str) -> Outcome[SignedRoots]:
        signed = SignedRoots(origin_of(self.name, stream), stream, self.keys.checkpoints)
        for each in self.anchors:
            notes = await each.notes(signed.origin)
            if isinstance(notes, Failure):
                return notes
            signed.add(notes.unwrap() or (), is_anchored=True)
        stored = await self.source.checkpoints(stream)
        if isinstance(stored, Failure):
            return stored
        signed.add((each.note for each in stored.unwrap()), is_anchored=False)
        return Success(signed)

    async def _verify_stream(
        self, stream: str, head: StreamHead | None, findings: list[Finding], *, is_anchored: bool
    ) -> Outcome[VerifiedStream]:
        signed = await self._signed_roots(stream)
        if isinstance(signed, Failure):
            return signed
        roots = signed.unwrap()
        if self.is_part:
            last = 0 if head is None else head.seq
            roots.roots = [each for each in roots.roots if each.size <= last]
        if max((each.size for each in roots.roots), default=0) > (0 if head is None else head.seq):
            # The checkpoint may be younger than the heads that were read.
            newer = await self._head(stream)
            if isinstance(newer, Failure):
                return newer
            head = newer.unwrap()
        head = head or empty_head(stream)
        verifier = StreamVerifier(stream, self.keys.macs, roots.roots, has_anchors=is_anchored)
        read = await self._feed(verifier, stream, head)
        if isinstance(read, Failure):
            return read
        verifier.finish(head)
        findings += [*roots.findings, *verifier.findings]
        began_at = _time(verifier.began_at)
        if is_anchored and self.now is not None and roots.is_silent_at(self.now, self.heartbeat, began_at):
            newest = roots.newest_anchored
            since = "ever" if newest is None else f"since {newest.created_at.isoformat()}"
            findings.append(
                Finding(FindingKind.MISSING_HEARTBEAT, stream, 0, 0, f"no checkpoint was anchored {since}")
            )
        sizes = [each.size for each in roots.roots if each.is_anchored]
        return Success(
            VerifiedStream(
                stream=stream,
                entries=verifier.last,
                anchored=max(sizes, default=0),
                without_body=verifier.without_body,
            )
        )

    async def _feed(self, verifier: StreamVerifier, stream: str, head: StreamHead) -> Outcome[None]:
        """Have *verifier* check the entries up to *head*, and those after it unless they are new."""
        while True:
            read = await self.source.read(stream, verifier.last, self.batch)
            if isinstance(read, Failure):
                return read
            entries = read.unwrap()
            if entries and entries[-1].sealed.seq > head.seq:
                current = await self._head(stream)
                if isinstance(current, Failure):
                    return current
                if (now := current.unwrap()) is not None and now.seq > head.seq:
                    entries = [each for each in entries if each.sealed.seq <= head.seq]
            before = verifier.last
            for each in entries:
                verifier.check(each)
            # Also where numbers are none: what does not lead on is not read again.
            if verifier.last == before:
                return Success(None)

    async def _head(self, stream: str) -> Outcome[StreamHead | None]:
        heads = await self.source.heads()
        if isinstance(heads, Failure):
            return heads
        return Success(next((each for each in heads.unwrap() if each.stream == stream), None))


def _time(text: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
