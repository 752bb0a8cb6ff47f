"""Entries as rows: what an adapter stores of each, and reads back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastapi_easy.domain.audit.entry import AuditEntry, SealedEntry, StoredEntry, StreamHead
from fastapi_easy.domain.audit.sealing import COLUMNS, columns_of, head_after
from fastapi_easy.domain.ports.audit_sink import Seal


def seal_all(
    entries: Sequence[AuditEntry], heads: Mapping[str, StreamHead], seal: Seal
) -> tuple[list[dict[str, Any]], list[StreamHead]]:
    """Return the rows of *entries* after *heads*, and the heads that follow, in the order of their streams."""
    current = dict(heads)
    rows: list[dict[str, Any]] = []
    for entry in entries:
        row, current[entry.stream] = seal_one(entry, current[entry.stream], seal)
        rows.append(row)
    return rows, [current[stream] for stream in sorted(current)]


def seal_one(entry: AuditEntry, head: StreamHead, seal: Seal) -> tuple[dict[str, Any], StreamHead]:
    """Return the row of *entry* after *head*, and the head that follows."""
    sealed = seal(entry, head)
    row = {
        "stream": sealed.stream,
        "seq": sealed.seq,
        **columns_of(entry),
        "body": sealed.body,
        "leaf": sealed.leaf,
        "mac": sealed.mac,
        "key_id": sealed.key_id,
    }
    return row, head_after(sealed)


def emptied(stored: StoredEntry) -> StoredEntry:
    """Return *stored* without what is removed once it was archived."""
    return StoredEntry(sealed=replace(stored.sealed, body=None), columns=dict.fromkeys(COLUMNS))


def read_row(row: Mapping[str, Any]) -> StoredEntry:
    """Return the entry that *row* holds."""
    place = row["stream"], row["seq"]
    sealed = row["body"], row["leaf"], row["mac"], row["key_id"]
    return read_parts(place, {name: row[name] for name in COLUMNS}, sealed)


def read_parts(
    place: tuple[str, Any], columns: Mapping[str, str | None], sealed: tuple[Any, Any, Any, str]
) -> StoredEntry:
    """Return the entry with the stream and the number of *place*, and the body, leaf, MAC and key id of *sealed*."""
    stream, seq = place
    body, leaf, mac, key_id = sealed
    return StoredEntry(
        sealed=SealedEntry(
            stream=stream,
            seq=seq if isinstance(seq, int) else 0,
            body=None if body is None else _as_bytes(body),
            leaf=_as_bytes(leaf),
            mac=_as_bytes(mac),
            key_id=key_id,
        ),
        columns=columns,
    )


def _as_bytes(value: Any) -> bytes:
    """Return *value* as bytes, whatever somebody who tampered with it has stored: SQLite takes any type."""
    if type(value) is bytes:
        return value
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    return str(value).encode("utf-8", "surrogateescape")
