"""Verifying one stream, an entry after the other, in constant memory."""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

from fastapi_easy.domain.audit.entry import SealedEntry, StoredEntry, StreamHead
from fastapi_easy.domain.audit.findings import Finding, FindingKind
from fastapi_easy.domain.audit.merkle import Frontier
from fastapi_easy.domain.audit.sealing import ZERO_LEAF, column_text, key_column, leaf_of, mac_of

_DECODER: Final = json.JSONDecoder()
_TEXT_COLUMNS: Final = ("actor", "action", "resource", "outcome")
_COPIED: Final = itemgetter(*_TEXT_COLUMNS, "tenant")


@dataclass(frozen=True, slots=True)
class SignedRoot:
    """What a checkpoint, whose signature was verified, says of a stream.

    Attributes:
        size: The number of entries.

        root: Their Merkle root.

        is_anchored: Whether it was found outside the database.
    """

    size: int
    root: bytes
    is_anchored: bool


class StreamVerifier:
    """Compares the entries of one stream, in their order, with each other and with what was signed.

    Args:
        stream: Its name.

        mac_keys: By id; entries under other keys are vouched for by checkpoints only.

        signed: What checkpoints say.

        has_anchors: Whether checkpoints of this stream should be outside the database.

        frontier: Of the entries before the first that is checked.

        previous: The leaf of the last of those; `None` when it is not known.

    Attributes:
        findings: What was found, ascending.

        frontier: Of the entries so far; it stands still once a number was missing or there twice.

        without_body: The number of entries whose bodies were archived.

        began_at: What the first entry with a body says of its time; empty before that.
    """

    def __init__(
        self,
        stream: str,
        mac_keys: Mapping[str, bytes],
        signed: Sequence[SignedRoot] = (),
        *,
        has_anchors: bool = True,
        frontier: Frontier | None = None,
        previous: bytes | None = ZERO_LEAF,
    ) -> None:
        self.findings: list[Finding] = []
        self.frontier = frontier or Frontier()
        self.without_body = 0
        self.began_at = ""
        self._stream = stream
        self._mac_keys = mac_keys
        self._has_anchors = has_anchors
        self._signed = sorted(signed, key=lambda each: each.size)
        self._next_signed = 0
        self._first = self._matched = self._anchored = self._last = self.frontier.size
        self._previous = previous
        self._is_previous_doubted = False
        self._is_tree_broken = False
        self._unknown_macs: list[Finding] = []
        self._bodiless: list[Finding] = []
        self._latest: dict[FindingKind, int] = {}
        self._compare_roots()

    @property
    def last(self) -> int:
        """The number of the last entry that was checked."""
        return self._last

    def check(self, stored: StoredEntry) -> None:
        """Check the next entry. They are given ascending by number, those with the same number one after the other."""
        sealed = stored.sealed
        seq = sealed.seq
        if seq <= self._last:
            self._find(FindingKind.FORKED, seq, "there are two entries with this number")
            self._is_tree_broken = self._is_previous_doubted = True
            return
        if seq > self._last + 1:
            self._find(
                FindingKind.DELETED, self._last + 1, "there is no entry with this number", last=seq - 1
            )
            self._is_tree_broken, self._previous = True, None
        mac_holds = self._check_mac(sealed)
        is_doubted = mac_holds is False
        if sealed.body is None:
            self.without_body += 1
            _add(self._bodiless, Finding(FindingKind.DELETED, self._stream, seq, seq, "its body is gone"))
        else:
            is_doubted |= self._check_body(stored, sealed.body, mac_holds=mac_holds)
        self._previous, self._is_previous_doubted, self._last = sealed.leaf, is_doubted, seq
        if not self._is_tree_broken:
            self.frontier.append(sealed.leaf)
            self._compare_roots()

    def finish(self, head: StreamHead | None) -> None:
        """Compare what was checked with *head*, and with the checkpoints that say there was more.

        Args:
            head: The head of the stream, as it was before the first entry was read; `None` when there is none to
                compare with.
        """
        expected = max((each.size for each in self._signed), default=0)
        if head is not None and head.seq < self._first:
            self._find(
                FindingKind.TRUNCATED,
                head.seq + 1,
                f"{self._first} entries were there before",
                last=self._first,
            )
        elif head is not None and head.seq < self._last:
            self._find(
                FindingKind.FORKED, head.seq + 1, "it comes after the head of the stream", last=self._last
            )
        elif head is not None and head.seq == self._last and head.seq and head.leaf != self._previous:
            self._find(FindingKind.FORKED, head.seq, "the head of the stream stands for another entry")
        if head is not None and head.seq > max(expected, self._last):
            self._find(
                FindingKind.TRUNCATED,
                self._last + 1,
                f"the head of the stream says that there are {head.seq} entries",
                last=head.seq,
            )
        elif expected > self._last:
            where = "an anchored checkpoint" if self._is_size_anchored(expected) else "a stored checkpoint"
            self._find(
                FindingKind.TRUNCATED,
                self._last + 1,
                f"{where} says that there are {expected} entries",
                last=expected,
            )
        # A checkpoint vouches for everything before it. MACs vouch for what came after.
        self.findings += _after(self._unknown_macs, self._matched)
        self.findings += _after(self._bodiless, self._matched)
        if self._has_anchors and self._last > self._anchored:
            self._find(
                FindingKind.UNSIGNED_TAIL,
                self._anchored + 1,
                "it was written after the last anchored checkpoint that matches",
                last=self._last,
            )

    def _is_size_anchored(self, size: int) -> bool:
        return any(each.is_anchored for each in self._signed if each.size == size)

    def _check_mac(self, sealed: SealedEntry) -> bool | None:
        key = self._mac_keys.get(sealed.key_id)
        if key is None:
            detail = f"the key {sealed.key_id!r} of its MAC was not given, and no signed checkpoint covers it"
            seq = sealed.seq
            _add(self._unknown_macs, Finding(FindingKind.UNKNOWN_KEY, self._stream, seq, seq, detail))
            return None
        if hmac.compare_digest(mac_of(key, sealed.leaf), sealed.mac):
            return True
        self._find(FindingKind.BAD_MAC, sealed.seq, f"it was not sealed with the key {sealed.key_id!r}")
        return False

    def _check_body(self, stored: StoredEntry, body: bytes, *, mac_holds: bool | None) -> bool:
        """Check what an entry says of itself; return whether it is doubted."""
        sealed = stored.sealed
        members = _read(body)
        if members is None:
            self._find(FindingKind.EDITED, sealed.seq, "its body is no entry")
            return True
        self.began_at = self.began_at or str(members.get("ts"))
        if members.get("seq") != sealed.seq or members.get("stream") != self._stream:
            self._find(FindingKind.REORDERED, sealed.seq, "its body belongs to another place")
            return True
        if leaf_of(body) != sealed.leaf:
            self._find(FindingKind.EDITED, sealed.seq, "its body is not the one that was hashed")
            return True
        is_chained = self._previous is None or members.get("prev") == self._previous.hex()
        # A break after an entry with a finding of its own says nothing new.
        if not is_chained and not self._is_previous_doubted and mac_holds is not False:
            if mac_holds:
                self._find(
                    FindingKind.FORKED, sealed.seq, "it was chained to another entry than the one before"
                )
            else:
                self._find(FindingKind.EDITED, sealed.seq - 1, "the entry after it was chained to another")
        if mac_holds is not False and (wrong := _wrong_columns(members, stored.columns)):
            self._find(FindingKind.COLUMN_MISMATCH, sealed.seq, f"not as in its body: {', '.join(wrong)}")
        return False

    def _compare_roots(self) -> None:
        size = self.frontier.size
        while self._next_signed < len(self._signed) and self._signed[self._next_signed].size <= size:
            signed = self._signed[self._next_signed]
            self._next_signed += 1
            if signed.size < size:
                continue
            if signed.root == self.frontier.root():
                self._matched = size
                if signed.is_anchored:
                    self._anchored = size
                continue
            where = "anchored" if signed.is_anchored else "stored"
            if not any(each.kind is FindingKind.REWRITTEN for each in self.findings):
                self._find(
                    FindingKind.REWRITTEN,
                    self._matched + 1,
                    f"the {where} checkpoint of {size} entries was signed for others",
                    last=size,
                )

    def _find(self, kind: FindingKind, seq: int, detail: str, *, last: int | None = None) -> None:
        """Add a finding, or make the latest of its kind longer when this is more of the same."""
        found = Finding(kind, self._stream, seq, seq if last is None else last, detail)
        index = self._latest.get(kind)
        longer = None if index is None else _joined(self.findings[index], found)
        if index is not None and longer is not None:
            self.findings[index] = longer
        else:
            self._latest[kind] = len(self.findings)
            self.findings.append(found)


def _read(body: bytes) -> Mapping[str, Any] | None:
    """Return the members of *body*; `None` when it is no JSON object. Canonical JSON has no white space around it."""
    try:
        text = body.decode()
        members, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return members if end == len(text) and isinstance(members, dict) else None


def _wrong_columns(members: Mapping[str, Any], columns: Mapping[str, str | None]) -> list[str]:
    """Return the columns that say something else than the body.

    What is shortened, or spelt differently, in a column is worked out only where the two are not the same text.
    """
    if not columns or _are_copies(members, columns):
        return []
    wrong = [
        name
        for name in _TEXT_COLUMNS
        if (value := members.get(name)) != columns.get(name) and column_text(str(value)) != columns.get(name)
    ]
    if members.get("ts") != columns.get("occurred_at"):
        wrong.append("occurred_at")
    tenant, key = members.get("tenant"), members.get("key")
    if tenant != columns.get("tenant") and (
        tenant is None or column_text(str(tenant)) != columns.get("tenant")
    ):
        wrong.append("tenant")
    # A boolean is an integer as well, and spelt differently.
    is_number = type(key) is int and str(key) == columns.get("key")
    if not is_number and key_column(key) != columns.get("key"):
        wrong.append("key")
    return wrong


def _are_copies(members: Mapping[str, Any], columns: Mapping[str, str | None]) -> bool:
    """Return whether each column is what the body says, letter by letter, as nearly always."""
    try:
        key = members["key"]
        # A boolean is an integer as well, and spelt differently; a text is spelt in quotes.
        return (
            (type(key) is int or key is None)
            and columns["key"] == (None if key is None else str(key))
            and members["ts"] == columns["occurred_at"]
            and _COPIED(members) == _COPIED(columns)
        )
    except KeyError:
        return False


def _joined(before: Finding, found: Finding) -> Finding | None:
    """Return both as one; `None` when *found* says something else, or leaves a gap."""
    if before.detail != found.detail or found.seq > before.last + 1:
        return None
    return Finding(before.kind, before.stream, before.seq, max(before.last, found.last), before.detail)


def _add(findings: list[Finding], found: Finding) -> None:
    longer = _joined(findings[-1], found) if findings else None
    if longer is None:
        findings.append(found)
    else:
        findings[-1] = longer


def _after(findings: Sequence[Finding], size: int) -> list[Finding]:
    """Return what of *findings* is about entries after the first *size*."""
    return [
        Finding(each.kind, each.stream, max(each.seq, size + 1), each.last, each.detail)
        for each in findings
        if each.last > size
    ]
