"""A place for an audit trail that shows what was written, for tests."""

from collections.abc import Sequence
from typing import Any

from fastapi_easy.application.audit.trail import AuditTrail
from fastapi_easy.domain.audit.entry import AuditEntry, SealedEntry, StreamHead
from fastapi_easy.domain.audit.sealing import open_entry
from fastapi_easy.domain.ports.audit_sink import Seal


class RecordingAuditSink:
    """An `AuditSink` that keeps the entries that became durable, and passes everything on to another one.

    ```python
    shop = in_memory(Shop)
    recorded = RecordingAuditSink.of(shop.audit_trail())
    ```

    Args:
        inner: Where they are written.

    Attributes:
        entries: The entries that were sealed, in their order over all streams: in memory when they are committed,
            elsewhere when they are written.
    """

    def __init__(self, inner: Any) -> None:
        self.entries: list[AuditEntry] = []
        self._inner = inner

    @classmethod
    def of(cls, trail: AuditTrail, database: str = "default") -> "RecordingAuditSink":
        """Put one in front of the sink of *database* in *trail*, and return it.

        An override of what the trail is made from makes another trail: this comes after all of them.
        """
        recording = cls(trail.sinks[database])
        sinks: Any = trail.sinks
        sinks[database] = recording
        return recording

    async def append_in(self, work: Any, entries: Sequence[AuditEntry], seal: Seal, /) -> Any:
        """Pass *entries* on, and keep each when it is sealed."""
        return await self._inner.append_in(work, entries, self._recording(seal))

    async def append(self, entries: Sequence[AuditEntry], seal: Seal, /) -> Any:
        """Pass *entries* on, and keep each when it is sealed."""
        return await self._inner.append(entries, self._recording(seal))

    def __getattr__(self, name: str) -> Any:
        """Return everything else of the other sink."""
        return getattr(self._inner, name)

    def _recording(self, seal: Seal) -> Seal:
        def sealed(entry: AuditEntry, head: StreamHead) -> SealedEntry:
            made = seal(entry, head)
            # As it will be read back.
            self.entries.append(open_entry(made.body or b"").entry)
            return made

        return sealed
