"""Entries of the audit trail, before and after they are sealed."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi_easy.domain.principal import Tenant

SECURITY_STREAM: Final = "security"
"""The stream of what belongs to no change: refusals, failed authentication, and what operators did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Something that somebody did, or was refused.

    Attributes:
        stream: The chain it belongs to.

        occurred_at: Aware, UTC; for people. The order of entries is their number.

        actor: The id of the principal; empty when anonymous. Never a name or an address.

        by_system: It was done beyond what the actor may do: through `UnitOfWork.as_system`.

        action: What was done: an operation, the name of an action, or like `lock.evicted`.

        resource: The name of the resource; empty where there is none.

        key: The key of the entity as plain JSON; `None` where there is none.

        outcome: `ok`, or the code of the error with which it was refused.

        tenant: The partition in which it happened.

        correlation_id: Ties together everything that one call caused.

        trace_id: Of the trace, 32 hexadecimal digits; empty when it was not traced.

        changes: What was changed, plain JSON: for each recorded field `[before, after]`, one of them `null` where
            there was or is no entity. Other entries have their details here.
    """

    stream: str
    occurred_at: datetime.datetime
    actor: str = ""
    by_system: bool = False
    action: str
    resource: str = ""
    key: Any = None
    outcome: str = "ok"
    tenant: Tenant | None = None
    correlation_id: str = ""
    trace_id: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedEntry:
    """An entry as it is stored.

    Attributes:
        stream: The chain it belongs to.

        seq: Its number in the chain, from 1, without gaps.

        body: The canonical JSON (RFC 8785) of the entry with its number and the leaf of the one before, byte by byte
            as it was hashed; `None` once it was archived and removed.

        leaf: SHA-256 of a zero byte and *body* (RFC 9162): 32 bytes.

        mac: HMAC-SHA-256 of *leaf* with the key of *key_id*: 32 bytes.

        key_id: Which key that was.
    """

    stream: str
    seq: int
    body: bytes | None
    leaf: bytes
    mac: bytes
    key_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """A sealed entry with the columns beside it, which are copies to search by.

    Attributes:
        sealed: The entry.

        columns: `occurred_at` (as text, as in the body), `actor`, `action`, `resource`, `key` (JSON text), `outcome`,
            `tenant`, by name, as `sealing.columns_of` makes them; all `None` once the body was removed. They prove
            nothing.
    """

    sealed: SealedEntry
    columns: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class StreamHead:
    """The end of a chain.

    Attributes:
        stream: Its name.

        seq: The number of the last entry; 0 before the first.

        leaf: The leaf of that; 32 zero bytes before the first.
    """

    stream: str
    seq: int
    leaf: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A signed statement of what a stream was at a moment.

    Attributes:
        stream: Its name.

        size: The number of its entries.

        root: Their Merkle root (RFC 9162): 32 bytes.

        note: The signed note (C2SP), as it was anchored.

        created_at: Aware, UTC.
    """

    stream: str
    size: int
    root: bytes
    note: str
    created_at: datetime.datetime
