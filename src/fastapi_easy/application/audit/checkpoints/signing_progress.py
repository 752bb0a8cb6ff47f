"""How far a stream was signed, and whether what came after may be signed too."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from returns.result import Failure, Success

from fastapi_easy.application.audit.trail_source import TrailSource
from fastapi_easy.domain.audit.entry import StreamHead
from fastapi_easy.domain.audit.findings import Finding, FindingKind
from fastapi_easy.domain.audit.merkle import Frontier, root_of
from fastapi_easy.domain.audit.note_keys import NoteVerifier
from fastapi_easy.domain.audit.notes import Note
from fastapi_easy.domain.audit.sealing import ZERO_LEAF
from fastapi_easy.domain.audit.verification import StreamVerifier
from fastapi_easy.domain.errors import Outcome

_BATCH: Final = 1000


@dataclass(slots=True)
class SigningProgress:
    """How far a stream was signed.

    Attributes:
        frontier: Of the entries that were.

        previous: The leaf of the last of them.

        signed_at: When; `None` for never.

        is_key_new: Whether it was signed so far, but not with the current key.
    """

    frontier: Frontier
    previous: bytes = ZERO_LEAF
    signed_at: datetime.datetime | None = None
    is_key_new: bool = False


async def load_progress(
    source: TrailSource, head: StreamHead, last: Note | None, current: NoteVerifier
) -> Outcome[tuple[SigningProgress, Sequence[Finding]]]:
    """Return how far a stream was signed, and why it is not the stream that was signed.

    A leaf holds the one before it, and so all of them: if the last that was signed is there, then the whole chain that
    leads to it was. It is proved by the smallest of the full subtrees, which it ends.

    Args:
        source: The entries.

        head: The head of the stream.

        last: The last checkpoint of it; `None` for none.

        current: The public key of what signs now.

    Fails with:
        Unavailable: The database does not answer.
    """
    if last is None:
        return Success((SigningProgress(Frontier()), ()))
    checkpoint = last.checkpoint
    progress = SigningProgress(
        Frontier(checkpoint.size, checkpoint.frontier),
        signed_at=checkpoint.created_at,
        is_key_new=last.is_signed_by(current) is None,
    )
    size = checkpoint.size
    if head.seq < size:
        detail = f"a checkpoint says that there are {size} entries"
        return Success((progress, [Finding(FindingKind.TRUNCATED, head.stream, head.seq + 1, size, detail)]))
    if not size:
        return Success((progress, ()))
    first = size - (size & -size)
    leaves = await _read_leaves(source, head.stream, first, size)
    if isinstance(leaves, Failure):
        return leaves
    found = leaves.unwrap()
    if len(found) < size - first:
        detail = f"a checkpoint says that there are {size} entries, and some are missing"
        return Success((progress, [Finding(FindingKind.DELETED, head.stream, first + 1, size, detail)]))
    if root_of(found) != checkpoint.frontier[-1]:
        detail = f"the checkpoint of {size} entries was signed for others"
        return Success((progress, [Finding(FindingKind.REWRITTEN, head.stream, first + 1, size, detail)]))
    progress.previous = found[-1]
    return Success((progress, ()))


async def verify_new_entries(
    source: TrailSource, progress: SigningProgress, head: StreamHead, mac_keys: Mapping[str, bytes]
) -> Outcome[StreamVerifier]:
    """Return what has checked the entries after *progress* up to *head*, with its findings.

    Fails with:
        Unavailable: The database does not answer.
    """
    size = progress.frontier.size
    verifier = StreamVerifier(
        head.stream,
        mac_keys,
        has_anchors=False,
        frontier=Frontier(size, progress.frontier.nodes),
        previous=progress.previous,
    )
    after = size
    while after < head.seq:
        read = await source.read(head.stream, after, min(_BATCH, head.seq - after))
        if isinstance(read, Failure):
            return read
        entries = [each for each in read.unwrap() if each.sealed.seq <= head.seq]
        if not entries:
            break
        for each in entries:
            verifier.check(each)
        after = entries[-1].sealed.seq
    verifier.finish(head)
    return Success(verifier)


async def _read_leaves(source: TrailSource, stream: str, after: int, last: int) -> Outcome[list[bytes]]:
    leaves: list[bytes] = []
    while after < last:
        read = await source.read(stream, after, min(_BATCH, last - after))
        if isinstance(read, Failure):
            return read
        if not read.unwrap():
            break
        leaves += [each.sealed.leaf for each in read.unwrap()]
        after = read.unwrap()[-1].sealed.seq
    return Success(leaves)
