"""An audit trail with checkpoints and an anchor, for those who attack it."""

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from fastapi_easy.application.audit.checkpoints.checkpointer import Checkpointer, SignedStream
from fastapi_easy.application.audit.trail_source import CheckpointKey, VerificationKeys
from fastapi_easy.application.audit.verification.verify_trail import TrailVerification, VerificationReport
from fastapi_easy.application.locks.lock_manager import LockManager
from fastapi_easy.domain.audit.entry import AuditEntry
from fastapi_easy.domain.audit.sealing import Sealer
from fastapi_easy.domain.ports import AnchorSink, AuditSink
from fastapi_easy.infrastructure.audit.anchors.file import FileAnchor
from fastapi_easy.infrastructure.audit.signing import Ed25519Signer
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.infrastructure.locks.memory import MemoryLeaseStore
from fastapi_easy.testing.clock import FrozenClock

TRAIL: Final = "shop/default"
STREAM: Final = "changes-00"
SEALER: Final = Sealer("k1", b"a key that is not in the database")
SIGNER: Final = Ed25519Signer("shop", bytes(range(32)))
KEYS: Final = VerificationKeys(
    macs={SEALER.key_id: SEALER.key}, checkpoints=[CheckpointKey(verifier=SIGNER.verifier)]
)


class Lab:
    """A trail in *sink*, whose checkpoints are anchored in a file.

    Args:
        sink: The trail.

        folder: Where the file is.
    """

    def __init__(self, sink: AuditSink, folder: Path) -> None:
        self.sink = sink
        self.clock = FrozenClock()
        self.anchor = FileAnchor(folder / "anchor.ndjson")
        self.checkpointer = self.new_checkpointer()

    def new_checkpointer(self, signers: Sequence[Ed25519Signer] = (SIGNER,)) -> Checkpointer:
        """Return one that knows nothing yet, like that of a process that has just started."""
        # The locks wait for real time to pass.
        return Checkpointer(
            trail=TRAIL,
            sink=self.sink,
            seal=SEALER.seal,
            mac_keys=KEYS.macs,
            signers=signers,
            keys=[
                *(CheckpointKey(verifier=each.verifier) for each in signers),
                CheckpointKey(verifier=SIGNER.verifier),
            ],
            anchors=[self.anchor],
            locks=LockManager(MemoryLeaseStore(SystemClock()), SystemClock()),
            clock=self.clock,
        )

    async def write(self, number: int, *, actor: str = "ann", stream: str = STREAM) -> None:
        """Append *number* entries, each in a transaction of its own."""
        for each in range(number):
            entry = AuditEntry(
                stream=stream,
                occurred_at=self.clock.now(),
                actor=actor,
                action="update",
                resource="books",
                key=each,
                changes={"title": [None, f"Emma {each}"]},
            )
            (await self.sink.append([entry], SEALER.seal)).unwrap()
            self.clock.advance(1)

    async def sign(self, checkpointer: Checkpointer | None = None) -> Sequence[SignedStream]:
        """Sign every stream."""
        signed = (await (checkpointer or self.checkpointer).sign_due(all_streams=True)).unwrap()
        self.clock.advance(1)
        return signed

    async def verify(
        self,
        *,
        anchors: Sequence[AnchorSink] | None = None,
        keys: VerificationKeys = KEYS,
        now: datetime.datetime | None = None,
        only: str | None = None,
    ) -> VerificationReport:
        """Verify everything."""
        verification = TrailVerification(
            name=TRAIL,
            source=self.sink,
            keys=keys,
            anchors=[self.anchor] if anchors is None else anchors,
            now=now or self.clock.now(),
            batch=7,
        )
        return (await verification.verify(only)).unwrap()


def found(report: VerificationReport) -> list[tuple[str, str, int, int]]:
    """Return the kind and the place of each finding."""
    return [(each.kind.value, each.stream, each.seq, each.last) for each in report.findings]


async def execute(database: Any, *statements: str) -> None:
    """Execute *statements* as somebody who may do anything in *database*."""

    def run(connection: Any) -> None:
        for each in statements:
            _ = connection.exec_driver_sql(each)

    await database.executor.run_sync(run)


async def unprotect(database: Any) -> None:
    """Take away what keeps the tables from being changed: the triggers, and the primary key."""
    for table in ("fe_audit", "fe_audit_head", "fe_audit_checkpoint"):
        await execute(
            database,
            f"CREATE TABLE unprotected AS SELECT * FROM {table}",
            f"DROP TABLE {table}",
            f"ALTER TABLE unprotected RENAME TO {table}",
        )
