"""How fast an audit trail is verified: chain, MACs, Merkle tree and columns of every entry, read from the database.

`python -m benchmarks.inside.verifying [--quick] [URL]` on SQLite, or on the empty database at the URL. Ends with 1 when
the target is missed.
"""

import argparse
import asyncio
import datetime
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from fastapi_easy.application.audit.trail_source import CheckpointKey, VerificationKeys
from fastapi_easy.application.audit.verification.verify_trail import TrailVerification
from fastapi_easy.domain.audit.entry import AuditEntry
from fastapi_easy.domain.audit.sealing import Sealer
from fastapi_easy.infrastructure.audit.relational.sink import RelationalAuditSink
from fastapi_easy.infrastructure.audit.signing import Ed25519Signer
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase

ENTRIES: Final = 100_000
QUICK: Final = 20_000
BATCH: Final = 500
TARGET: Final = 20_000
"""Entries a second at least."""

SEALER: Final = Sealer("k1", b"seals the entries of a benchmark")
KEYS: Final = VerificationKeys(
    macs={SEALER.key_id: SEALER.key},
    checkpoints=[CheckpointKey(verifier=Ed25519Signer("bench", bytes(32)).verifier)],
)


async def fill(sink: RelationalAuditSink, number: int) -> None:
    """Append *number* entries about changes of three fields."""
    now = datetime.datetime.now(datetime.UTC)
    for first in range(0, number, BATCH):
        entries = [
            AuditEntry(
                stream="changes-00",
                occurred_at=now,
                actor="5f2c",
                action="update",
                resource="readings",
                key=each,
                correlation_id=f"{each:032x}",
                changes={"note": ["before", "after"], "sensor": [each, each + 1], "price": ["1.00", "2.00"]},
            )
            for each in range(first, first + BATCH)
        ]
        _ = (await sink.append(entries, SEALER.seal)).unwrap()


async def measure(url: str, number: int) -> float:
    """Return the entries that were verified in a second."""
    database = SqlAlchemyDatabase("default", url)
    sink = RelationalAuditSink(database)
    _ = (await sink.prepare()).unwrap()
    await fill(sink, number)
    began = time.perf_counter()
    report = (await TrailVerification(name="bench/default", source=sink, keys=KEYS).verify()).unwrap()
    took = time.perf_counter() - began
    await database.close()
    entries = sum(each.entries for each in report.streams)
    if entries < number or [each.kind.value for each in report.findings] != ["unanchored"]:
        raise AssertionError(report.findings)
    return entries / took


def main() -> int:
    """Measure once, and compare with the target."""
    parser = argparse.ArgumentParser(description=__doc__)
    _ = parser.add_argument("url", nargs="?")
    _ = parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = asked.url or f"sqlite:///{Path(folder) / 'trail.sqlite3'}"
        rate = asyncio.run(measure(url, QUICK if asked.quick else ENTRIES))
    print(f"{rate:,.0f} entries/s verified; at least {TARGET:,}")
    return 0 if rate >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
