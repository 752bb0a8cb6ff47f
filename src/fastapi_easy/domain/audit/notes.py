"""Checkpoints as signed notes: the text that is anchored, as C2SP's `signed-note` and `tlog-checkpoint` write it."""

import base64
import binascii
import datetime
import re
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi_easy.domain.audit.merkle import Frontier
from fastapi_easy.domain.audit.note_keys import NoteSigner, NoteVerifier

_SIGNATURE: Final = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_LINES: Final = 5
_KEY_ID_BYTES: Final = 4
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")


class UnreadableNote(ValueError):
    """A text is not a signed note of a checkpoint; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointText:
    """What a checkpoint says.

    Attributes:
        origin: Which trail of whom: a name and, after a slash, the stream.

        size: The number of entries.

        root: Their Merkle root: 32 bytes.

        created_at: Aware, UTC, in whole seconds.

        frontier: The roots of the full subtrees, the largest first, from which the next checkpoint goes on.
    """

    origin: str
    size: int
    root: bytes
    created_at: datetime.datetime
    frontier: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """A line below a note: who signed, with which key, and how."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A note that was read; nothing is verified yet.

    Attributes:
        checkpoint: What it says.

        signed: The bytes that were signed.

        below: The lines with the signatures.

        signatures: What they say.
    """

    checkpoint: CheckpointText
    signed: bytes
    below: str
    signatures: tuple[Signature, ...]

    def is_signed_by(self, verifier: NoteVerifier) -> bool | None:
        """Return whether the signature of *verifier* is right; `None` when there is none of it."""
        found = [
            each.signature
            for each in self.signatures
            if each.name == verifier.name and each.key_id == verifier.key_id
        ]
        return all(verifier.verify(self.signed, each) for each in found) if found else None


def origin_of(name: str, stream: str) -> str:
    """Return the origin of the checkpoints of *stream* of the trail called *name*."""
    return f"{name}/{urllib.parse.quote(stream, safe=':')}"


def stream_in(name: str, origin: str) -> str | None:
    """Return the stream that *origin* is of; `None` when it is of another trail than that called *name*."""
    trail, _, stream = origin.rpartition("/")
    return urllib.parse.unquote(stream) if trail == name else None


def write_note(
    origin: str, frontier: Frontier, created_at: datetime.datetime, signers: Sequence[NoteSigner]
) -> str:
    """Return the signed note of the tree that *frontier* stands for.

    Args:
        origin: See `origin_of`.

        frontier: Of all entries of the stream.

        created_at: Aware.

        signers: The keys that sign it; several while one takes the place of another.
    """
    lines = [
        origin,
        str(frontier.size),
        _encode(frontier.root()),
        f"time {int(created_at.timestamp())}",
        " ".join(["frontier", *map(_encode, frontier.nodes)]),
    ]
    text = "".join(f"{each}\n" for each in lines)
    signed = text.encode()
    signatures = "".join(
        f"— {each.verifier.name} {_encode(each.verifier.key_id + each.sign(signed))}\n" for each in signers
    )
    return f"{text}\n{signatures}"


def read_note(note: str) -> Note:
    """Return what *note* says, and who claims to have signed it.

    Raises:
        UnreadableNote: It is not a note of a checkpoint.
    """
    text, separator, below = note.rpartition("\n\n")
    lines = text.split("\n")
    if not separator or len(lines) != _LINES or not lines[0] or not _SIZE.fullmatch(lines[1]):
        raise UnreadableNote("it is not a checkpoint: five lines, an empty one and signatures are expected")
    origin, size, root, time, frontier = lines
    name, _, seconds = time.partition(" ")
    mark, *nodes = frontier.split(" ")
    if name != "time" or not _SIZE.fullmatch(seconds) or mark != "frontier":
        raise UnreadableNote("it does not say its time and its frontier")
    matches = [_SIGNATURE.fullmatch(each) for each in below.removesuffix("\n").split("\n")]
    signatures = tuple(
        Signature(match[1], decoded[:_KEY_ID_BYTES], decoded[_KEY_ID_BYTES:])
        for match in matches
        if match is not None and len(decoded := _decode(match[2])) > _KEY_ID_BYTES
    )
    if len(signatures) != len(matches):
        raise UnreadableNote("a line below it is not a signature")
    try:
        tree = Frontier(int(size), map(_decode, nodes))
        created_at = _EPOCH + datetime.timedelta(seconds=int(seconds))
    except (ValueError, OverflowError) as error:
        raise UnreadableNote(str(error)) from error
    if tree.root() != _decode(root):
        raise UnreadableNote("its root is not that of its frontier")
    checkpoint = CheckpointText(
        origin=origin, size=tree.size, root=tree.root(), created_at=created_at, frontier=tree.nodes
    )
    return Note(checkpoint, f"{text}\n".encode(), below, signatures)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise UnreadableNote("a part of it is not base64") from error
