"""Repetitions that many calls pay for together, so that an outage is not multiplied."""

import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from returns.result import Failure
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_result,
    stop_after_attempt,
    stop_before_delay,
    stop_never,
    wait_random_exponential,
)
from tenacity.stop import stop_base

from fastapi_easy.domain.deadline import seconds_left
from fastapi_easy.domain.errors import Obstacle, Outcome, Unavailable

_PASSING: Final = frozenset({Obstacle.SILENCE, Obstacle.CONFLICT})
"""What may be gone a moment later. Whoever was sent away is sent away again, and who waited has waited enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryLimits:
    """How often calls are made again. All times in seconds.

    Attributes:
        attempts: Of one call, the first among them; with 1 nothing is made again.

        share: Repetitions for each call that is made, over all calls of a dependency.

        floor: Repetitions for each second, besides.

        burst: Repetitions that can be saved up.

        pause: The longest wait before the second attempt; doubles with each, by chance between nothing and that.

        longest_pause: But no longer than this.
    """

    attempts: int = 3
    share: float = 0.1
    floor: float = 1.0
    burst: int = 20
    pause: float = 0.05
    longest_pause: float = 1.0


class BudgetedRetry:
    """Implements `Retry`: waits by chance, longer each time, a budget for each dependency, none beyond the deadline.

    Args:
        limits: How often.

        now: Seconds since some fixed moment.
    """

    def __init__(self, limits: RetryLimits, now: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._budgets = defaultdict[str, _Budget](lambda: _Budget(limits, now))

    @property
    def repeated(self) -> Mapping[str, int]:
        """How many repetitions there were so far, by dependency."""
        return {dependency: budget.spent for dependency, budget in self._budgets.items()}

    async def repeat(
        self, dependency: str, call: Callable[[], Awaitable[Outcome[Any]]], failed: Outcome[Any], calls: int
    ) -> Outcome[Any]:
        """What *call* comes to in the end."""
        budget, left = self._budgets[dependency], seconds_left()
        budget.calls += calls
        if not _may_pass(failed):
            return failed
        # The attempt that was made counts: it is handed over as if it were made now.
        outcomes = iter([failed])

        async def attempt() -> Outcome[Any]:
            first = next(outcomes, None)
            return await call() if first is None else first

        in_time = stop_never if left is None else stop_before_delay(left)
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._limits.attempts) | in_time | _WhenSpent(budget),
            wait=wait_random_exponential(multiplier=self._limits.pause, max=self._limits.longest_pause),
            retry=retry_if_result(_may_pass),
            retry_error_callback=_last,
        )
        outcome: Outcome[Any] = await retrying(attempt)
        return outcome


class _Budget:
    """What is left for repetitions.

    Attributes:
        calls: Made since it was last looked at.

        spent: Repetitions that it was asked to pay for, and did.
    """

    __slots__ = ("_at", "_limits", "_now", "_saved", "calls", "spent")

    def __init__(self, limits: RetryLimits, now: Callable[[], float]) -> None:
        self._limits = limits
        self._now = now
        self._saved = float(limits.burst)
        self._at = now()
        self.calls = 0
        self.spent = 0

    def takes_one(self) -> bool:
        """Whether there is one, which then is gone."""
        limits, now = self._limits, self._now()
        earned = self.calls * limits.share + (now - self._at) * limits.floor
        self._saved, self._at, self.calls = min(self._saved + earned, limits.burst), now, 0
        if self._saved < 1:
            return False
        self._saved -= 1
        self.spent += 1
        return True


class _WhenSpent(stop_base):
    """Asked last, since to ask takes one."""

    def __init__(self, budget: _Budget) -> None:
        self._budget = budget

    def __call__(self, retry_state: RetryCallState) -> bool:
        return not self._budget.takes_one()


def _may_pass(outcome: Outcome[Any]) -> bool:
    error = outcome.failure() if isinstance(outcome, Failure) else None
    return isinstance(error, Unavailable) and error.obstacle in _PASSING


def _last(state: RetryCallState) -> Any:
    return None if state.outcome is None else state.outcome.result()
