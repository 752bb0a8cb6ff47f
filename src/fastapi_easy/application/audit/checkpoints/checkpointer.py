"""Checkpoints: signed statements of what each stream is, sent to where the database's owner cannot change them."""

import datetime
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from returns.result import Failure, Success

from fastapi_easy.application.audit.checkpoints.signing_progress import (
    SigningProgress,
    load_progress,
    verify_new_entries,
)
from fastapi_easy.application.audit.signed_roots import SignedRoots
from fastapi_easy.application.audit.trail_source import CheckpointKey
from fastapi_easy.domain.audit.entry import AuditEntry, Checkpoint, StreamHead
from fastapi_easy.domain.audit.findings import Finding, Verdict, verdict_of
from fastapi_easy.domain.audit.note_keys import NoteSigner
from fastapi_easy.domain.audit.notes import origin_of, write_note
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.locks.lock_errors import LeaseLost, LockTimeout, LockUnavailable
from fastapi_easy.domain.ports.anchor_sink import AnchorSink
from fastapi_easy.domain.ports.audit_sink import AuditSink, Seal
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.lock_provider import LockProvider

LOCK: Final = "audit:checkpoint"
KEY_ROTATED: Final = "audit.key.rotated"

_logger: Final = logging.getLogger("fastapi_easy.audit")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointRules:
    """When a checkpoint is due.

    Attributes:
        every: The time between two of a stream that is written.

        entries: Entries after which one is due at once.

        heartbeat: The time between two of a stream that is not written.
    """

    every: datetime.timedelta = datetime.timedelta(seconds=60)
    entries: int = 1000
    heartbeat: datetime.timedelta = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SignedStream:
    """What became of one stream.

    Attributes:
        stream: Its name.

        checkpoint: The new checkpoint; `None` when it was refused.

        findings: Why.
    """

    stream: str
    checkpoint: Checkpoint | None
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True, kw_only=True)
class Checkpointer:
    """Signs the streams of one trail, and anchors what it signed. Any number of processes may have one.

    What was written since the last checkpoint is verified before it is signed, and the last checkpoint is that of the
    anchors where they can be read back. A stream in which anything is wrong is not signed any more: that is logged as
    critical each time, and the missing heartbeat is seen by whoever verifies.

    Attributes:
        trail: The name of the trail: what the origins of its checkpoints begin with.

        sink: The entries.

        seal: Seals the entry that tells of a new key.

        mac_keys: The keys of MACs by id.

        signers: The keys that sign; the current one first, the others for as long as they sign as well.

        keys: The public keys of earlier checkpoints.

        anchors: Where checkpoints are sent.

        locks: Keep two processes from signing the same.

        clock: Says when a checkpoint is due, and when it was signed.

        rules: When one is due.

        name: For logs.
    """

    trail: str
    sink: AuditSink
    seal: Seal
    mac_keys: Mapping[str, bytes]
    signers: Sequence[NoteSigner]
    keys: Sequence[CheckpointKey]
    anchors: Sequence[AnchorSink]
    locks: LockProvider
    clock: Clock
    rules: CheckpointRules = field(default_factory=CheckpointRules)
    name: str = field(init=False)
    _progress: dict[str, SigningProgress] = field(default_factory=dict, init=False)
    _refused: dict[str, datetime.datetime] = field(default_factory=dict, init=False)
    _unsent: dict[tuple[int, str], Checkpoint] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Name the task after its trail."""
        self.name = f"checkpoints of {self.trail}"

    async def run_once(self) -> bool:
        """Sign what is due; return whether there is more to do at once."""
        signed = await self.sign_due()
        if isinstance(signed, Failure):
            _logger.warning("no checkpoint of %s could be made: %s", self.trail, signed.failure().code)
        return False

    async def sign_due(self, *, all_streams: bool = False) -> Outcome[Sequence[SignedStream]]:
        """Sign the streams whose checkpoints are due, and anchor what was not anchored yet.

        Args:
            all_streams: Sign each that has entries, whether or not it is due.

        Returns:
            What became of each; nothing while another process does it.

        Fails with:
            Unavailable: The database, the locks or an anchor does not answer. What was signed is kept, and anchored
                next time.
        """
        try:
            async with self.locks.hold(f"{LOCK}:{self.trail}", wait=0, max_hold=None):
                return await self._sign_due(all_streams=all_streams)
        except (LockTimeout, LeaseLost):
            return Success(())
        except LockUnavailable as unavailable:
            return Failure(unavailable.error)

    async def _sign_due(self, *, all_streams: bool) -> Outcome[Sequence[SignedStream]]:
        heads = await self.sink.heads()
        if isinstance(heads, Failure):
            return heads
        signed: list[SignedStream] = []
        for head in heads.unwrap():
            if not all_streams and self._was_refused_lately(head.stream):
                continue
            made = await self._sign_if_due(head, is_asked=all_streams)
            if isinstance(made, Failure):
                return made
            if (one := made.unwrap()) is not None:
                signed.append(one)
        sent = await self._send()
        return sent if isinstance(sent, Failure) else Success(signed)

    def _was_refused_lately(self, stream: str) -> bool:
        refused_at = self._refused.get(stream)
        return refused_at is not None and self.clock.now() - refused_at < self.rules.every

    async def _sign_if_due(self, head: StreamHead, *, is_asked: bool) -> Outcome[SignedStream | None]:
        if head.stream not in self._progress:
            loaded = await self._load(head)
            if isinstance(loaded, Failure):
                return loaded
            if findings := loaded.unwrap():
                return Success(self._refuse(head.stream, findings))
        progress = self._progress[head.stream]
        if not head.seq or not (is_asked or self._is_due(progress, head)):
            return Success(None)
        if progress.is_key_new:
            told = await self._tell_of_new_key(head)
            if isinstance(told, Failure):
                return told
            progress.is_key_new = False
            head = told.unwrap()
        return await self._sign(progress, head)

    def _is_due(self, progress: SigningProgress, head: StreamHead) -> bool:
        new = head.seq - progress.frontier.size
        if progress.signed_at is None or progress.is_key_new or new >= self.rules.entries or new < 0:
            return True
        age = self.clock.now() - progress.signed_at
        return age >= (self.rules.every if new else self.rules.heartbeat)

    async def _load(self, head: StreamHead) -> Outcome[Sequence[Finding]]:
        """Find out how far a stream was signed; return why nothing more of it may be."""
        signed = await self._signed_roots(head.stream)
        if isinstance(signed, Failure):
            return signed
        roots = signed.unwrap()
        if roots.findings:
            return Success(roots.findings)
        loaded = await load_progress(self.sink, head, roots.newest, self.signers[0].verifier)
        if isinstance(loaded, Failure):
            return loaded
        progress, findings = loaded.unwrap()
        if not findings:
            self._progress[head.stream] = progress
        return Success(findings)

    async def _signed_roots(self, stream: str) -> Outcome[SignedRoots]:
        """Return the checkpoints of *stream*; the last of the database is sent to the anchors that do not have it."""
        roots = SignedRoots(origin_of(self.trail, stream), stream, self.keys)
        stored = await self.sink.checkpoints(stream)
        if isinstance(stored, Failure):
            return stored
        last = stored.unwrap()[-1] if stored.unwrap() else None
        if last is not None:
            roots.add([last.note], is_anchored=False)
        for index, each in enumerate(self.anchors):
            notes = await each.notes(roots.origin)
            if isinstance(notes, Failure):
                return notes
            if (found := notes.unwrap()) is None:
                continue
            roots.add(found, is_anchored=True)
            if last is not None and last.note not in found and not roots.findings:
                self._unsent[index, stream] = last
        return Success(roots)

    async def _tell_of_new_key(self, head: StreamHead) -> Outcome[StreamHead]:
        """Append an entry that tells of the current key; return the new head."""
        verifier = self.signers[0].verifier
        entry = AuditEntry(
            stream=head.stream,
            occurred_at=self.clock.now(),
            action=KEY_ROTATED,
            changes={"key": f"{verifier.name}+{verifier.key_id.hex()}", "last_signed": head.seq},
        )
        appended = await self.sink.append([entry], self.seal)
        if isinstance(appended, Failure):
            return appended
        heads = await self.sink.heads()
        if isinstance(heads, Failure):
            return heads
        return Success(next((each for each in heads.unwrap() if each.stream == head.stream), head))

    async def _sign(self, progress: SigningProgress, head: StreamHead) -> Outcome[SignedStream | None]:
        verified = await verify_new_entries(self.sink, progress, head, self.mac_keys)
        if isinstance(verified, Failure):
            return verified
        verifier = verified.unwrap()
        if verdict_of(verifier.findings) is not Verdict.INTACT:
            return Success(self._refuse(head.stream, verifier.findings))
        now = self.clock.now()
        frontier = verifier.frontier
        checkpoint = Checkpoint(
            stream=head.stream,
            size=frontier.size,
            root=frontier.root(),
            note=write_note(origin_of(self.trail, head.stream), frontier, now, self.signers),
            created_at=now,
        )
        kept = await self.sink.keep_checkpoint(checkpoint)
        if isinstance(kept, Failure):
            return kept
        for index in range(len(self.anchors)):
            self._unsent[index, head.stream] = checkpoint
        progress.frontier, progress.previous, progress.signed_at = frontier, head.leaf, now
        _ = self._refused.pop(head.stream, None)
        return Success(SignedStream(head.stream, checkpoint))

    def _refuse(self, stream: str, findings: Sequence[Finding]) -> SignedStream:
        self._refused[stream] = self.clock.now()
        for each in findings:
            _logger.critical(
                "the audit trail was tampered with, and is not signed any more: %s, stream %s, entries %d to %d: %s",
                each.kind.value,
                stream,
                each.seq,
                each.last,
                each.detail,
            )
        return SignedStream(stream, None, tuple(findings))

    async def _send(self) -> Outcome[None]:
        failed: Outcome[None] = Success(None)
        for (index, stream), checkpoint in list(self._unsent.items()):
            sent = await self.anchors[index].anchor(checkpoint)
            if isinstance(sent, Failure):
                failed = sent
            else:
                del self._unsent[index, stream]
        return failed
