"""What the log tells of calls that are rejected in an overload: one line a second, with their number."""

import logging
from typing import Final

from fastapi_easy.infrastructure.observation.limited_log import LimitedLog

_logger: Final = logging.getLogger("fastapi_easy.resilience")


class ShedLog:
    """Logs that calls to a database are rejected, and a second later how many more were."""

    __slots__ = ("_limited",)

    def __init__(self) -> None:
        self._limited = LimitedLog(_logger, 1)

    def note(self, database: str) -> None:
        """Note that a call to *database* was rejected because it would have waited for too long."""
        if self._limited.allows(logging.WARNING, f"calls to {database} refused, as too many wait"):
            _logger.warning("a call to %s was refused, as too many wait for a connection", database)
