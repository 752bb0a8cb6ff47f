"""Prove that an entry is in a stream, and that one state of it grew out of another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from returns.result import Failure, Success

from fastapi_easy.application.audit.signed_roots import SignedRoots
from fastapi_easy.application.audit.trail_source import CheckpointKey, TrailSource
from fastapi_easy.domain.audit.findings import Finding, FindingKind
from fastapi_easy.domain.audit.merkle import is_consistent, prove_consistency, prove_inclusion, root_of
from fastapi_easy.domain.audit.notes import CheckpointText, Note, UnreadableNote, origin_of, read_note
from fastapi_easy.domain.audit.proofs import EntryProof, read_proof
from fastapi_easy.domain.errors import Fault, Invalid, NotFound, Outcome

_BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class GrowthProof:
    """Whether one state of a stream grew out of another.

    Attributes:
        old, new: What the two checkpoints say.

        path: The nodes that show it.

        holds: Whether they do.
    """

    old: CheckpointText
    new: CheckpointText
    path: Sequence[bytes]
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailProofs:
    """Makes proofs about a trail. Each reads the leaves of one stream: 32 bytes an entry are held at a time.

    Attributes:
        name: Of the trail: what the origins of its checkpoints begin with.

        source: The entries.

        keys: The public keys of checkpoints.
    """

    name: str
    source: TrailSource
    keys: Sequence[CheckpointKey]

    async def prove(self, stream: str, seq: int) -> Outcome[EntryProof]:
        """Return the proof that the entry *seq* of *stream* was there when the next checkpoint after it was signed.

        Fails with:
            NotFound: There is no such entry, or its body was archived.

            Invalid: No checkpoint covers it yet, or the stream is not what was signed.

            Unavailable: The database does not answer.
        """
        read = await self.source.read(stream, seq - 1, 1)
        if isinstance(read, Failure):
            return read
        found = [each.sealed for each in read.unwrap() if each.sealed.seq == seq]
        if not found or found[0].body is None:
            return Failure(NotFound("audit", f"{stream}/{seq}"))
        notes = await self._notes(stream)
        if isinstance(notes, Failure):
            return notes
        note = next((each for each in notes.unwrap() if each.checkpoint.size >= seq), None)
        if note is None:
            return _invalid(
                "no checkpoint covers the entry yet: make one with fastapi-easy audit anchor", "uncovered"
            )
        leaves = await self._leaves(stream, note.checkpoint.size)
        if isinstance(leaves, Failure):
            return leaves
        if root_of(leaves.unwrap()) != note.checkpoint.root:
            return _invalid("the stream is not what was signed: run fastapi-easy audit verify", "rewritten")
        text = note.signed.decode() + "\n" + note.below
        return Success(EntryProof(found[0].body, seq, prove_inclusion(leaves.unwrap(), seq - 1), text))

    async def prove_growth(self, stream: str, old: str, new: str) -> Outcome[GrowthProof]:
        """Return whether the state *new* of *stream* grew out of the state *old*.

        Args:
            stream: The stream.

            old: The number of entries of a stored checkpoint; or a note.

            new: The same, of the later one.

        Fails with:
            Invalid: One of them is no checkpoint of the stream that was signed with a known key.

            Unavailable: The database does not answer.
        """
        states: list[CheckpointText] = []
        for given in (old, new):
            state = await self._state(stream, given)
            if isinstance(state, Failure):
                return state
            states.append(state.unwrap())
        before, after = states
        if before.size > after.size:
            return _invalid(
                "the first has more entries than the second: give them the other way round", "order"
            )
        leaves = await self._leaves(stream, after.size)
        if isinstance(leaves, Failure):
            return leaves
        has_all = len(leaves.unwrap()) == after.size
        path = prove_consistency(leaves.unwrap(), before.size) if has_all else []
        holds = has_all and is_consistent(before.size, before.root, after.size, after.root, path)
        return Success(GrowthProof(before, after, path, holds))

    async def _state(self, stream: str, given: str) -> Outcome[CheckpointText]:
        signed = SignedRoots(origin_of(self.name, stream), stream, self.keys)
        if not given.isdecimal():
            signed.add([given], is_anchored=True)
            if signed.newest is None:
                return _invalid(signed.findings[0].detail, signed.findings[0].kind.value)
            return Success(signed.newest.checkpoint)
        notes = await self._notes(stream)
        if isinstance(notes, Failure):
            return notes
        found = [each.checkpoint for each in notes.unwrap() if each.checkpoint.size == int(given)]
        if not found:
            return _invalid(f"there is no signed checkpoint of {stream} with {given} entries", "unknown")
        return Success(found[0])

    async def _notes(self, stream: str) -> Outcome[list[Note]]:
        """Return the stored checkpoints of *stream* whose signatures hold, the smallest first."""
        stored = await self.source.checkpoints(stream)
        if isinstance(stored, Failure):
            return stored
        signed = SignedRoots(origin_of(self.name, stream), stream, self.keys)
        signed.add((each.note for each in stored.unwrap()), is_anchored=False)
        return Success(sorted(signed.notes, key=lambda each: each.checkpoint.size))

    async def _leaves(self, stream: str, size: int) -> Outcome[list[bytes]]:
        leaves: list[bytes] = []
        while len(leaves) < size:
            read = await self.source.read(stream, len(leaves), min(_BATCH, size - len(leaves)))
            if isinstance(read, Failure):
                return read
            if not read.unwrap():
                break
            leaves += [each.sealed.leaf for each in read.unwrap()]
        return Success(leaves)


def verify_proof(text: str, keys: Sequence[CheckpointKey]) -> tuple[EntryProof | None, list[Finding]]:
    """Return the proof that *text* is, and what is wrong with it. It takes no database.

    Args:
        text: The proof.

        keys: The public keys of checkpoints.
    """
    try:
        proof = read_proof(text)
        checkpoint = read_note(proof.note).checkpoint
    except UnreadableNote as error:
        return None, [Finding(FindingKind.BAD_SIGNATURE, "", 0, 0, f"the proof cannot be read: {error}")]
    stream = checkpoint.origin.rpartition("/")[2]
    signed = SignedRoots(checkpoint.origin, stream, keys)
    signed.add([proof.note], is_anchored=True)
    if signed.newest is None:
        return proof, signed.findings
    if not proof.holds(signed.newest):
        detail = "the entry is not among those that were signed"
        return proof, [Finding(FindingKind.REWRITTEN, stream, proof.seq, proof.seq, detail)]
    return proof, []


def _invalid(message: str, code: str) -> Failure[Invalid]:
    return Failure(Invalid((Fault("", message, code),)))
