"""Logging calls."""

import logging
from typing import Final

from fastapi_easy.domain.errors import DeadlineExceeded, Error, OutcomeUnknown, Unavailable, UnavailableReason
from fastapi_easy.domain.ports.observer import Observation

_LOCAL_REASONS: Final = frozenset({UnavailableReason.CIRCUIT_OPEN, UnavailableReason.OVERLOAD})
"""Reasons of this process, which did not ask the dependency."""

_LOGGER: Final = logging.getLogger("fastapi_easy.calls")


class LogObserver:
    """Implements `Observer`: logs slow calls at WARNING, calls that found a dependency down at ERROR, others at DEBUG.

    Calls that were rejected without asking the dependency are logged at DEBUG too: they come in great numbers, the
    breaker logs when it opens, and metrics count both.
    """

    def __init__(self, slow_call: float) -> None:
        self._slow_call = slow_call

    def observe(self, observation: Observation) -> None:
        """Log *observation* at the level it deserves."""
        # Nearly every call: nothing more is asked of it.
        is_usual = observation.error is None and observation.seconds < self._slow_call
        level = logging.DEBUG if is_usual else self._level(observation)
        # Before anything is formatted: at DEBUG this is nearly every call.
        if not _LOGGER.isEnabledFor(level):
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
