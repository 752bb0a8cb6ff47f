"""What happens to the security of an application, in the stream `security`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi_easy.application.audit.recording.entry_queue import EntryQueue
from fastapi_easy.application.audit.trail import AuditTrail
from fastapi_easy.domain.audit.entry import AuditEntry
from fastapi_easy.domain.errors import Outcome

SECURITY_LOST: Final = "audit.security.lost"
"""The action of the entry that says how many entries were not recorded."""

REPEATED: Final = "repeated"
"""The detail that says how often the same was refused after it was recorded."""

OTHERS: Final = "others"
"""What the refusals are recorded of together that are too many to be told apart."""


@dataclass(slots=True)
class _Repetition:
    """One refusal, and how often it happened again."""

    until: float
    latest: AuditEntry
    count: int = 0


class SecurityLog:
    """Records what happens to the security of an application, each in a short transaction of its own.

    The same refusal of the same caller is recorded once in *window* seconds, and how often it was repeated when another
    one is recorded after these, or at the end: nobody fills the disk by asking for what is not theirs.

    Args:
        trail: Where it is recorded.

        window: Seconds.

        kinds: Refusals that are told apart at most; what is beyond is counted together.
    """

    def __init__(self, trail: AuditTrail, *, window: float = 60.0, kinds: int = 1000) -> None:
        self._trail = trail
        self._queue = EntryQueue(trail, None, lost_action=SECURITY_LOST)
        self._window = window
        self._kinds = kinds
        self._repeated: dict[Any, _Repetition] = {}

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Write what is recorded while the block runs, and the rest at its end."""
        async with self._queue.opened():
            try:
                yield
            finally:
                self._end_windows(None)

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be written."""
        return self._queue.is_empty and not self._repeated

    def add(self, action: str, **details: Any) -> None:
        """Have something recorded soon; never waits."""
        self._queue.add(self._trail.entry(action, **details))

    async def note(self, action: str, **details: Any) -> None:
        """Record something; it is written when this returns, unless the database does not answer: then later.

        Before anything is opened it waits for that.
        """
        self.add(action, **details)
        if self._queue.is_open:
            _ = await self._queue.write()

    async def refuse(self, action: str, *, address: str = "", waits: bool = True, **details: Any) -> None:
        """Record that somebody was refused something.

        Args:
            action: What they asked for.

            address: Where the call came from.

            waits: Whether it is written when this returns. Otherwise nobody can tell by the time it takes whether
                there was anything to record.

            details: Of the entry.
        """
        self._end_windows(self._trail.clock.monotonic())
        changes = {**details.pop("changes", {}), **({"address": address} if address else {})}
        entry = self._trail.entry(action, **details, changes=changes)
        kind: Any = (entry.actor, action, entry.resource, entry.outcome, entry.tenant, address)
        if kind not in self._repeated and len(self._repeated) >= self._kinds:
            kind = OTHERS
            entry = self._trail.entry(OTHERS, outcome=entry.outcome)
        known = self._repeated.get(kind)
        if known is not None:
            known.count, known.latest = known.count + 1, entry
            return
        self._repeated[kind] = _Repetition(self._trail.clock.monotonic() + self._window, entry)
        self._queue.add(entry)
        if waits and self._queue.is_open:
            _ = await self._queue.write()

    async def write(self) -> Outcome[None]:
        """Write what waits, where nothing is opened: after a command of an operator.

        Fails with:
            Unavailable: The database does not answer.
        """
        self._end_windows(None)
        return await self._queue.write()

    def _end_windows(self, now: float | None) -> None:
        """Record the numbers of what was repeated, of windows that have ended; of all without a time."""
        ended = [kind for kind, each in self._repeated.items() if now is None or each.until <= now]
        for kind in ended:
            each = self._repeated.pop(kind)
            if each.count:
                changes = {**each.latest.changes, REPEATED: each.count}
                self._queue.add(replace(each.latest, changes=changes))
