"""Logging calls."""

import logging
from typing import Final

from fastapi_easy.domain.errors import DeadlineExceeded, Error, OutcomeUnknown, Unavailable, UnavailableReason
from fastapi_easy.domain.ports.observer import Observation
from fastapi_easy.infrastructure.observation.limited_log import LimitedLog

_LOCAL_REASONS: Final = frozenset({UnavailableReason.CIRCUIT_OPEN, UnavailableReason.OVERLOAD})
"""Reasons of this process, which did not ask the dependency."""

_LOGGER: Final = logging.getLogger("fastapi_easy.calls")


class LogObserver:
    """Implements `Observer`: logs slow calls at WARNING, calls that found a dependency down at ERROR, others at DEBUG.

    Calls that were rejected without asking the dependency are logged at DEBUG too: they come in great numbers, the
    breaker logs when it opens, and metrics count both.

    Of slow calls, and of those that failed in one way, no more than *limit* a second are logged one by one, so that the
    log does not make an overload worse; the others are counted in a line of their own. None whose outcome is unknown is
    left out.

    Args:
        slow_call: Seconds after which a call is slow.

        limit: Calls of one kind a second.
    """

    def __init__(self, slow_call: float, limit: int = 10) -> None:
        self._slow_call = slow_call
        self._limited = LimitedLog(_LOGGER, limit)

    def observe(self, observation: Observation) -> None:
        """Log *observation* at the level it deserves."""
        # Nearly every call: nothing more is asked of it.
        is_usual = observation.error is None and observation.seconds < self._slow_call
        level = logging.DEBUG if is_usual else self._level(observation)
        # Before anything is formatted: at DEBUG this is nearly every call.
        if not _LOGGER.isEnabledFor(level):
            return
        if (kind := _kind(observation.error, level)) is not None and not self._limited.allows(level, kind):
            return
        _LOGGER.log(
            level,
            "%s %s: %s in %.1f ms",
            observation.action,
            observation.resource,
            "ok" if observation.error is None else _described(observation.error),
            observation.seconds * 1000,
            extra={"correlation_id": observation.correlation_id},
        )

    def _level(self, observation: Observation) -> int:
        error = observation.error
        if isinstance(error, OutcomeUnknown) or (
            isinstance(error, Unavailable) and error.reason not in _LOCAL_REASONS
        ):
            return logging.ERROR
        if isinstance(error, DeadlineExceeded) or observation.seconds >= self._slow_call:
            return logging.WARNING
        return logging.DEBUG


def _described(error: Error) -> str:
    """Return the code of *error*, and what the dependency said if it said something."""
    detail = error.detail if isinstance(error, Unavailable) else ""
    return f"{error.code} ({detail})" if detail else error.code


def _kind(error: Error | None, level: int) -> str | None:
    """Return of which kind a call is that is logged at *level*; `None` for one that is never left out."""
    if level < logging.WARNING or isinstance(error, OutcomeUnknown):
        return None
    return "slow calls" if error is None else f"calls that failed with {error.code}"
