"""What is verified, and with which keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fastapi_easy.domain.audit.entry import Checkpoint, StoredEntry, StreamHead
from fastapi_easy.domain.audit.note_keys import NoteVerifier
from fastapi_easy.domain.errors import Outcome


class TrailSource(Protocol):
    """What is read of an audit trail to verify it: an `AuditSink`, or an archive."""

    async def heads(self) -> Outcome[Sequence[StreamHead]]:
        """Return the head of every stream, by name."""
        ...

    async def read(self, stream: str, after: int, limit: int, /) -> Outcome[Sequence[StoredEntry]]:
        """Return at most *limit* entries of *stream* with numbers above *after*, ascending.

        Entries with the same number, of which there should be none, are all returned with the first of them.
        """
        ...

    async def checkpoints(self, stream: str, /) -> Outcome[Sequence[Checkpoint]]:
        """Return the checkpoints of *stream*, the smallest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointKey:
    """A public key, and which checkpoints it may have signed.

    Attributes:
        verifier: The key.

        stream: The only stream that it signs; `None` for all.

        first_size, last_size: The number of entries that checkpoints of it have, at least and at most.
    """

    verifier: NoteVerifier
    stream: str | None = None
    first_size: int = 0
    last_size: int | None = None

    def covers(self, stream: str, size: int) -> bool:
        """Return whether it may have signed the checkpoint of *stream* with *size* entries."""
        return (
            self.stream in {None, stream}
            and self.first_size <= size
            and (self.last_size is None or size <= self.last_size)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationKeys:
    """All keys that verifying takes.

    Attributes:
        macs: The keys of MACs by id.

        checkpoints: The public keys of checkpoints.
    """

    macs: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    checkpoints: Sequence[CheckpointKey] = ()
