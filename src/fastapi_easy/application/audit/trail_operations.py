"""What operators do with an audit trail: verify it, prove, export and archive what is in it."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi_easy.application.audit.archive.archive_trail import TrailArchiving
from fastapi_easy.application.audit.archive.archived_trail import ArchivedTrail
from fastapi_easy.application.audit.archive.export_trail import TrailExport
from fastapi_easy.application.audit.checkpoints.checkpointer import Checkpointer
from fastapi_easy.application.audit.trail_source import VerificationKeys
from fastapi_easy.application.audit.verification.prove_trail import TrailProofs
from fastapi_easy.application.audit.verification.verify_trail import TrailVerification, VerificationReport
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.anchor_sink import AnchorSink
from fastapi_easy.domain.ports.archive_store import ArchiveStore
from fastapi_easy.domain.ports.audit_sink import AuditSink
from fastapi_easy.domain.ports.clock import Clock

_SLACK = datetime.timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailOperations:
    """What operators do with the trail of one database.

    Attributes:
        name: Of the trail: what the origins of its checkpoints begin with.

        database: The name of the database.

        sink: The entries.

        keys: The keys to verify with.

        anchors: Where checkpoints are outside the database.

        clock: Says whether a checkpoint is missing.

        heartbeat: The time between two checkpoints of a stream.

        checkpointer: Makes checkpoints; `None` where there is no key to sign with.

        archiving: Archives what is old; `None` where nothing is archived.
    """

    name: str
    database: str
    sink: AuditSink
    keys: VerificationKeys
    anchors: Sequence[AnchorSink]
    clock: Clock
    heartbeat: datetime.timedelta
    checkpointer: Checkpointer | None
    archiving: TrailArchiving | None

    @property
    def proofs(self) -> TrailProofs:
        """What makes proofs."""
        return TrailProofs(name=self.name, source=self.sink, keys=self.keys.checkpoints)

    @property
    def export(self) -> TrailExport:
        """What exports entries."""
        return TrailExport(self.sink)

    async def verify(
        self,
        only: str | None = None,
        *,
        keys: VerificationKeys | None = None,
        anchors: Sequence[AnchorSink] | None = None,
        archive: ArchiveStore | None = None,
    ) -> Outcome[VerificationReport]:
        """Verify the trail, with what is in its archive.

        Args:
            only: The only stream; `None` for all.

            keys: Others than those of the application.

            anchors: Others than those of the application.

            archive: Another than that of the application.

        Fails with:
            Unavailable: The database, an anchor or the archive does not answer.
        """
        store = archive or (None if self.archiving is None else self.archiving.archive)
        verification = TrailVerification(
            name=self.name,
            source=self.sink if store is None else ArchivedTrail(store, self.name, self.sink),
            keys=self.keys if keys is None else keys,
            anchors=self.anchors if anchors is None else anchors,
            now=self.clock.now(),
            # A checkpoint takes some time, and the relay may have been restarted.
            heartbeat=self.heartbeat + _SLACK,
        )
        return await verification.verify(only)
