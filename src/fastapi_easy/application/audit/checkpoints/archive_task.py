"""Archiving as a task of the relay."""

import datetime
import logging
from dataclasses import dataclass
from typing import Final

from returns.result import Failure

from fastapi_easy.application.audit.archive.archive_trail import TrailArchiving
from fastapi_easy.domain.locks.lock_errors import LeaseLost, LockTimeout, LockUnavailable
from fastapi_easy.domain.ports.lock_provider import LockProvider

_logger: Final = logging.getLogger("fastapi_easy.audit")


@dataclass(slots=True, kw_only=True)
class ArchiveOldEntries:
    """Archives what is old, one process at a time.

    Attributes:
        name: For logs.

        archiving: What is archived, and where.

        age: How old it is.

        locks: Keep two processes from doing it at once.
    """

    name: str
    archiving: TrailArchiving
    age: datetime.timedelta
    locks: LockProvider

    async def run_once(self) -> bool:
        """Archive what is old; return whether there is more to do at once."""
        try:
            async with self.locks.hold(f"audit:archive:{self.archiving.name}", wait=0, max_hold=None):
                moved = await self.archiving.archive_older_than(self.age)
        except (LockTimeout, LeaseLost):
            return False
        except LockUnavailable:
            _logger.warning("the locks do not answer: %s has to wait", self.name)
            return False
        if isinstance(moved, Failure):
            _logger.warning("%s has to wait: %s", self.name, moved.failure().code)
            return False
        for each in moved.unwrap():
            for finding in each.findings:
                _logger.critical(
                    "entries %d to %d of the stream %s are not archived: %s, entries %d to %d: %s",
                    each.first,
                    each.last,
                    each.stream,
                    finding.kind.value,
                    finding.seq,
                    finding.last,
                    finding.detail,
                )
        return False
