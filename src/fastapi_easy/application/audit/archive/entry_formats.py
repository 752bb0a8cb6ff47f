"""Entries of the audit trail as lines for other programs."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

from fastapi_easy.domain.audit.entry import AuditEntry, SealedEntry
from fastapi_easy.domain.audit.sealing import open_entry, time_text

EntryFormat = Callable[[str, SealedEntry], dict[str, Any]]
"""Returns an entry of a trail as plain JSON."""

_INFO: Final = 9
_WARN: Final = 13


def sealed_members(_trail: str, sealed: SealedEntry) -> dict[str, Any]:
    """Return an entry as it is stored, so that whoever has it can verify it again; this is the form of archives."""
    return {
        "stream": sealed.stream,
        "seq": sealed.seq,
        "body": None if sealed.body is None else sealed.body.decode(),
        "leaf": sealed.leaf.hex(),
        "mac": sealed.mac.hex(),
        "key_id": sealed.key_id,
    }


def read_sealed(members: Mapping[str, Any]) -> SealedEntry:
    """Return the entry that `sealed_members` made *members* of.

    Raises:
        ValueError: It made none of these.
    """
    try:
        body = members["body"]
        return SealedEntry(
            stream=members["stream"],
            seq=int(members["seq"]),
            body=None if body is None else body.encode(),
            leaf=bytes.fromhex(members["leaf"]),
            mac=bytes.fromhex(members["mac"]),
            key_id=members["key_id"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("this is no sealed entry") from error


def log_record(trail: str, sealed: SealedEntry) -> dict[str, Any]:
    """Return an entry as a `LogRecord` of OpenTelemetry, in the JSON of OTLP."""
    entry = _opened(sealed)
    if entry is None:
        return {"eventName": "audit.archived", "attributes": _attributes({"audit.stream": sealed.stream})}
    attributes = {
        "audit.trail": trail,
        "audit.stream": sealed.stream,
        "audit.seq": sealed.seq,
        "audit.leaf": sealed.leaf.hex(),
        "audit.outcome": entry.outcome,
        "enduser.id": entry.actor,
        "audit.tenant": entry.tenant,
        "audit.key": None if entry.key is None else json.dumps(entry.key),
        "audit.correlation_id": entry.correlation_id,
    }
    is_ok = entry.outcome == "ok"
    record: dict[str, Any] = {
        "timeUnixNano": str(_nanoseconds(entry)),
        "severityNumber": _INFO if is_ok else _WARN,
        "severityText": "INFO" if is_ok else "WARN",
        "eventName": _name(entry),
        "body": {"stringValue": (sealed.body or b"").decode()},
        "attributes": _attributes(attributes),
    }
    if entry.trace_id:
        record["traceId"] = entry.trace_id
    return record


def cloud_event(trail: str, sealed: SealedEntry) -> dict[str, Any]:
    """Return an entry as an event of CloudEvents 1.0."""
    entry = _opened(sealed)
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": f"{sealed.stream}/{sealed.seq}",
        "source": f"/{quote(trail)}",
        "type": "audit.archived" if entry is None else _name(entry),
    }
    if entry is not None:
        event["time"] = time_text(entry.occurred_at)
        if entry.key is not None:
            event["subject"] = entry.key if isinstance(entry.key, str) else json.dumps(entry.key)
    return {
        **event,
        "datacontenttype": "application/json",
        "data": None if sealed.body is None else json.loads(sealed.body),
    }


FORMATS: Final[Mapping[str, EntryFormat]] = {
    "ndjson": sealed_members,
    "otel": log_record,
    "cloudevents": cloud_event,
}
"""By name."""


def _opened(sealed: SealedEntry) -> AuditEntry | None:
    return None if sealed.body is None else open_entry(sealed.body).entry


def _name(entry: AuditEntry) -> str:
    return ".".join(["audit", *([entry.resource] if entry.resource else []), entry.action])


def _nanoseconds(entry: AuditEntry) -> int:
    seconds = int(entry.occurred_at.timestamp())
    return seconds * 1_000_000_000 + entry.occurred_at.microsecond * 1000


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"key": name, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for name, value in values.items()
        if value not in {None, ""}
    ]
