"""Sealing: from an entry to the bytes that are stored, hashed and authenticated, and back."""

import datetime
import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import Any, Final

from fastapi_easy.domain.audit.canonical import (
    clean_text,
    from_canonical_json,
    spell,
    to_canonical_json,
    to_exact_canonical_json,
    to_exact_json,
)
from fastapi_easy.domain.audit.entry import AuditEntry, SealedEntry, StreamHead

FORMAT: Final = 1
"""The version of the format of bodies."""

LEAF_PREFIX: Final = b"\x00"
"""What leaves are hashed with in front, so that none can be taken for an inner node of a tree (RFC 9162)."""

_LEAF: Final = hashlib.sha256(LEAF_PREFIX)
_BLOCK: Final = 64
"""Bytes that SHA-256 takes at once."""

ZERO_LEAF: Final = bytes(32)
"""What stands for the leaf before the first entry."""

MIN_KEY_BYTES: Final = 16
"""The shortest key that is taken."""

COLUMNS: Final = ("occurred_at", "actor", "action", "resource", "key", "outcome", "tenant")
"""What stands beside a body to search by."""

MAX_COLUMN: Final = 255
"""Characters of a column to search by."""


def empty_head(stream: str) -> StreamHead:
    """Return the head of *stream* before its first entry."""
    return StreamHead(stream, 0, ZERO_LEAF)


def leaf_of(body: bytes) -> bytes:
    """Return the leaf of *body*: SHA-256 of a zero byte and it."""
    hashed = _LEAF.copy()
    hashed.update(body)
    return hashed.digest()


def mac_of(key: bytes, leaf: bytes) -> bytes:
    """Return HMAC-SHA-256 of *leaf* with *key*."""
    inner, outer = (each.copy() for each in _keyed(key))
    inner.update(leaf)
    outer.update(inner.digest())
    mac: bytes = outer.digest()
    return mac


@functools.lru_cache(maxsize=64)
def _keyed(key: bytes) -> tuple[Any, Any]:
    """Return the two hashes of HMAC (RFC 2104) with *key* in them: to begin them costs more than a leaf does."""
    block = (key if len(key) <= _BLOCK else hashlib.sha256(key).digest()).ljust(_BLOCK, b"\x00")
    inner, outer = (hashlib.sha256(bytes(each ^ pad for each in block)) for pad in (0x36, 0x5C))
    return inner, outer


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals entries with one key, which is nowhere in the database.

    Attributes:
        key_id: The name of the key, which is stored.

        key: The key, at least `MIN_KEY_BYTES` long.
    """

    key_id: str
    key: bytes = field(repr=False)

    def seal(self, entry: AuditEntry, head: StreamHead, /) -> SealedEntry:
        """Return *entry* as the next one after *head*."""
        body = write_body(entry, head)
        leaf = leaf_of(body)
        return SealedEntry(
            stream=head.stream,
            seq=head.seq + 1,
            body=body,
            leaf=leaf,
            mac=mac_of(self.key, leaf),
            key_id=self.key_id,
        )


def head_after(sealed: SealedEntry) -> StreamHead:
    """Return the head whose last entry is *sealed*."""
    return StreamHead(sealed.stream, sealed.seq, sealed.leaf)


def write_body(entry: AuditEntry, head: StreamHead) -> bytes:
    """Return *entry* as the next one after *head*, in canonical JSON."""
    # Every entry has the same members, so that they are in order here, and not sorted for each.
    try:
        return (
            f'{{"action":{encode_basestring(entry.action)},"actor":{encode_basestring(entry.actor)},'
            f'"by_system":{"true" if entry.by_system else "false"},"changes":{spell(entry.changes)},'
            f'"correlation_id":{encode_basestring(entry.correlation_id)},"key":{spell(entry.key)},'
            f'"outcome":{encode_basestring(entry.outcome)},"prev":"{head.leaf.hex()}",'
            f'"resource":{encode_basestring(entry.resource)},"seq":{spell(head.seq + 1)},'
            f'"stream":{encode_basestring(head.stream)},"tenant":{spell(entry.tenant)},'
            f'"trace_id":{encode_basestring(entry.trace_id)},"ts":"{time_text(entry.occurred_at)}","v":{FORMAT}}}'
        ).encode()
    except ValueError:
        # A JSON document of a user's may hold numbers and texts that are not exact. What happened is recorded
        # nevertheless.
        return to_canonical_json(to_exact_json(_members(entry, head)))


def _members(entry: AuditEntry, head: StreamHead) -> Mapping[str, object]:
    return {
        "v": FORMAT,
        "stream": head.stream,
        "seq": head.seq + 1,
        "prev": head.leaf.hex(),
        "ts": time_text(entry.occurred_at),
        "actor": entry.actor,
        "by_system": entry.by_system,
        "action": entry.action,
        "resource": entry.resource,
        "key": entry.key,
        "outcome": entry.outcome,
        "tenant": entry.tenant,
        "correlation_id": entry.correlation_id,
        "trace_id": entry.trace_id,
        "changes": entry.changes,
    }


@dataclass(frozen=True, slots=True)
class OpenedEntry:
    """What a body says.

    Attributes:
        entry: What happened.

        seq: Its number in its chain.

        prev: The leaf of the entry before it.
    """

    entry: AuditEntry
    seq: int
    prev: bytes


def open_entry(body: bytes) -> OpenedEntry:
    """Return what *body* says.

    Raises:
        ValueError: It is no entry, or one of a later format.
    """
    try:
        members: Mapping[str, Any] = from_canonical_json(body)
        if members["v"] != FORMAT:
            raise ValueError(f"format {members['v']} of an entry is not known here")
        return OpenedEntry(_read_members(members), members["seq"], bytes.fromhex(members["prev"]))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("this is no entry of an audit trail") from error


def _read_members(members: Mapping[str, Any]) -> AuditEntry:
    return AuditEntry(
        stream=members["stream"],
        occurred_at=datetime.datetime.fromisoformat(members["ts"]),
        actor=members["actor"],
        by_system=members["by_system"],
        action=members["action"],
        resource=members["resource"],
        key=members["key"],
        outcome=members["outcome"],
        tenant=members["tenant"],
        correlation_id=members["correlation_id"],
        trace_id=members["trace_id"],
        changes=members["changes"],
    )


def columns_of(entry: AuditEntry) -> dict[str, str | None]:
    """Return what is stored beside *entry* to search by, as texts of at most `MAX_COLUMN` characters.

    What a column cannot hold is there as `sha256:` and the digest of it.
    """
    return {
        "occurred_at": time_text(entry.occurred_at),
        "actor": column_text(entry.actor),
        "action": column_text(entry.action),
        "resource": column_text(entry.resource),
        "key": key_column(entry.key),
        "outcome": column_text(entry.outcome),
        "tenant": None if entry.tenant is None else column_text(entry.tenant),
    }


def key_column(key: Any) -> str | None:
    """Return *key*, plain JSON, as it stands in the column to search by."""
    return None if key is None else column_text(to_exact_canonical_json(key).decode())


def column_text(text: str) -> str:
    """Return *text* as it stands in a column to search by."""
    if not text.isascii():
        text = clean_text(text)
    # PostgreSQL has no text with a NUL in it.
    if len(text) <= MAX_COLUMN and "\x00" not in text:
        return text
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def time_text(moment: datetime.datetime) -> str:
    """Return *moment* in UTC with microseconds: `2026-01-31T12:00:00.000000Z`."""
    return _utc_text(moment if moment.tzinfo is datetime.UTC else moment.astimezone(datetime.UTC))


@functools.lru_cache(maxsize=16)
def _utc_text(in_utc: datetime.datetime) -> str:
    # The changes of one call have one time, which is in the body and beside it. Not `strftime`, which leaves out the
    # zeros of a year before 1000.
    return in_utc.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
