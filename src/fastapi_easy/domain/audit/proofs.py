"""Proofs as texts that anybody can check who has the public key: C2SP's `tlog-proof`."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi_easy.domain.audit.merkle import is_included
from fastapi_easy.domain.audit.notes import Note, UnreadableNote, read_note
from fastapi_easy.domain.audit.sealing import leaf_of

_FIRST_LINE: Final = "c2sp.org/tlog-proof@v1"
_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class EntryProof:
    """The proof that an entry was there when a checkpoint was signed.

    Attributes:
        body: The entry, as it was hashed.

        seq: Its number in the stream, from 1.

        path: The nodes beside its way up to the root.

        note: The checkpoint, as it was signed.
    """

    body: bytes
    seq: int
    path: Sequence[bytes]
    note: str

    def __str__(self) -> str:
        """Return it as text."""
        lines = [
            _FIRST_LINE,
            f"extra {base64.b64encode(self.body).decode()}",
            f"index {self.seq - 1}",
            *(base64.b64encode(each).decode() for each in self.path),
        ]
        return "\n".join([*lines, "", self.note])

    def holds(self, note: Note) -> bool:
        """Return whether *note*, which is that of the proof, stands for a tree with the entry in it."""
        checkpoint = note.checkpoint
        return is_included(leaf_of(self.body), self.seq - 1, checkpoint.size, self.path, checkpoint.root)


def read_proof(text: str) -> EntryProof:
    """Return the proof that *text* is; nothing is verified yet.

    Raises:
        UnreadableNote: It is none.
    """
    above, separator, note = text.partition("\n\n")
    lines = above.split("\n")
    if not separator or lines[0] != _FIRST_LINE or len(lines) < len(("first", "extra", "index")):
        raise UnreadableNote(f"it is not a proof: its first line is not {_FIRST_LINE}")
    _ = read_note(note)
    index = _INDEX.fullmatch(lines[2])
    mark, _, body = lines[1].partition(" ")
    if index is None or mark != "extra":
        raise UnreadableNote("it is not a proof with its entry: extra and index are expected")
    try:
        decoded = [base64.b64decode(each, validate=True) for each in (body, *lines[3:])]
    except binascii.Error as error:
        raise UnreadableNote("a part of it is not base64") from error
    return EntryProof(decoded[0], int(index[1]) + 1, decoded[1:], note)
