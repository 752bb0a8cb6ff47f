"""What the checkpoints of a stream say, as far as their signatures hold."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from fastapi_easy.application.audit.trail_source import CheckpointKey
from fastapi_easy.domain.audit.findings import Finding, FindingKind
from fastapi_easy.domain.audit.notes import CheckpointText, Note, UnreadableNote, read_note
from fastapi_easy.domain.audit.verification import SignedRoot


@dataclass(slots=True)
class SignedRoots:
    """The checkpoints of one stream, sorted by whether they can be believed.

    Attributes:
        origin: What they begin with.

        stream: The stream.

        keys: That may have signed them.

        roots: What they say.

        notes: Those that are believed.

        newest: That which was signed last.

        newest_anchored: That of the anchored ones which was signed last.

        findings: What is wrong with them.
    """

    origin: str
    stream: str
    keys: Sequence[CheckpointKey]
    roots: list[SignedRoot] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    newest: Note | None = None
    newest_anchored: CheckpointText | None = None
    findings: list[Finding] = field(default_factory=list)

    def add(self, notes: Iterable[str], *, is_anchored: bool) -> None:
        """Take *notes*, which were found outside the database, or in it."""
        for text in notes:
            note = self._verified(text, is_anchored=is_anchored)
            if note is None:
                continue
            self.notes.append(note)
            checkpoint = note.checkpoint
            self.roots.append(SignedRoot(checkpoint.size, checkpoint.root, is_anchored))
            if self.newest is None or self.newest.checkpoint.created_at <= checkpoint.created_at:
                self.newest = note
            before = self.newest_anchored
            if is_anchored and (before is None or before.created_at <= checkpoint.created_at):
                self.newest_anchored = checkpoint

    def is_silent_at(
        self, now: datetime.datetime, heartbeat: datetime.timedelta, began_at: datetime.datetime | None
    ) -> bool:
        """Return whether no checkpoint was anchored for *heartbeat*.

        Args:
            now: The time.

            heartbeat: How long that may take.

            began_at: When the stream began, for one that was never anchored yet; `None` when nobody knows.
        """
        last = began_at if self.newest_anchored is None else self.newest_anchored.created_at
        return last is None or last + heartbeat < now

    def _verified(self, text: str, *, is_anchored: bool) -> Note | None:
        where = "an anchored" if is_anchored else "a stored"
        try:
            note = read_note(text)
        except UnreadableNote as error:
            self._find(FindingKind.BAD_SIGNATURE, 0, f"{where} checkpoint cannot be read: {error}")
            return None
        checkpoint = note.checkpoint
        if checkpoint.origin != self.origin:
            self._find(FindingKind.BAD_SIGNATURE, checkpoint.size, f"{where} checkpoint is of another stream")
            return None
        found = [
            note.is_signed_by(each.verifier)
            for each in self.keys
            if each.covers(self.stream, checkpoint.size)
        ]
        if False in found:
            self._find(
                FindingKind.BAD_SIGNATURE, checkpoint.size, f"{where} checkpoint was changed, or not signed"
            )
            return None
        if True not in found:
            names = ", ".join(sorted({each.name for each in note.signatures}))
            self._find(
                FindingKind.UNKNOWN_KEY,
                checkpoint.size,
                f"{where} checkpoint was signed with other keys: {names}",
            )
            return None
        return note

    def _find(self, kind: FindingKind, size: int, detail: str) -> None:
        found = Finding(kind, self.stream, size, size, detail)
        if found not in self.findings:
            self.findings.append(found)
