"""What the verification of an audit trail can find."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass


class Verdict(enum.IntEnum):
    """What a verification comes to; the numbers are the exit codes of `fastapi-easy audit verify`."""

    INTACT = 0
    TAMPERED = 1
    UNKNOWN = 2


class FindingKind(enum.StrEnum):
    """What is wrong with a stretch of a stream, or not known about it."""

    EDITED = "edited"
    """The body is not the one that was hashed."""

    DELETED = "deleted"
    """The numbers have a gap, or a body is gone that no checkpoint covers."""

    REORDERED = "reordered"
    """The body belongs to another place."""

    FORKED = "forked"
    """There are two histories: two entries with one number, or one that follows on another past."""

    TRUNCATED = "truncated"
    """The end is gone: the head of the stream, or a checkpoint, knows of more."""

    REWRITTEN = "rewritten"
    """The entries up to a checkpoint are not those that were signed."""

    BAD_SIGNATURE = "bad-signature"
    """A checkpoint was not signed by the key that it names."""

    BAD_MAC = "bad-mac"
    """The entry was sealed by somebody who does not have the key."""

    COLUMN_MISMATCH = "column-mismatch"
    """A column to search by says something else than the body."""

    MISSING_HEARTBEAT = "missing-heartbeat"
    """No checkpoint was anchored for too long: whether writing was stopped cannot be told."""

    UNKNOWN_KEY = "unknown-key"
    """A key that is needed to verify was not given."""

    UNANCHORED = "unanchored"
    """Nothing outside the database says how much there should be."""

    UNSIGNED_TAIL = "unsigned-tail"
    """The entries after the last anchored checkpoint, which only their MACs vouch for."""

    @property
    def verdict(self) -> Verdict:
        """What it makes of a trail in which it is found."""
        if self is FindingKind.UNSIGNED_TAIL:
            return Verdict.INTACT
        if self in {FindingKind.MISSING_HEARTBEAT, FindingKind.UNKNOWN_KEY, FindingKind.UNANCHORED}:
            return Verdict.UNKNOWN
        return Verdict.TAMPERED


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about a stretch of a stream.

    Attributes:
        kind: What.

        stream: Which stream; empty for all.

        seq, last: The numbers of the first and the last entry that it is about; 0 for none.

        detail: A sentence for people.
    """

    kind: FindingKind
    stream: str
    seq: int
    last: int
    detail: str


def verdict_of(findings: Sequence[Finding]) -> Verdict:
    """Return what *findings* come to: tampered if anything was, else unknown if anything is."""
    verdicts = {each.kind.verdict for each in findings}
    return next((each for each in (Verdict.TAMPERED, Verdict.UNKNOWN) if each in verdicts), Verdict.INTACT)
