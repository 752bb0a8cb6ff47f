"""Retries with backoff, jitter and a budget, so that retries do not multiply the load in an outage."""

import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

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

from fastapi_easy.domain.deadline import remaining_seconds
from fastapi_easy.domain.errors import Outcome, Unavailable, UnavailableReason
from fastapi_easy.domain.ports.retry import FailedAttempt

T = TypeVar("T")

_RETRYABLE: Final = frozenset({UnavailableReason.NO_RESPONSE, UnavailableReason.CONFLICT})
"""Reasons that may be gone a moment later. A rejected call would be rejected again; a timeout was wait enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryLimits:
    """The limits of retries. All times in seconds.

    Attributes:
        attempts: Attempts per call, the first included; 1 retries nothing.

        retry_ratio: Retries per call, over all calls to a dependency.

        min_retries_per_second: Retries per second that are always allowed, in addition to the ratio.

        burst: Retries that can accumulate in the budget.

        pause: The longest wait before the second attempt; it doubles with each attempt. The wait is chosen at random
            between 0 and that (full jitter).

        longest_pause: The longest wait before any attempt.
    """

    attempts: int = 3
    retry_ratio: float = 0.1
    min_retries_per_second: float = 1.0
    burst: int = 20
    pause: float = 0.05
    longest_pause: float = 1.0


class BudgetedRetry:
    """Implements `Retry` with exponential backoff, full jitter, and a budget per dependency; never beyond the deadline.

    Args:
        limits: How often calls are retried.

        now: Seconds since some fixed moment.
    """

    def __init__(self, limits: RetryLimits, now: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._budgets = defaultdict[str, _Budget](partial(_Budget, limits, now))
        self._failures = Counter[FailedAttempt]()

    @property
    def retries(self) -> Mapping[str, int]:
        """The number of retries so far, by dependency."""
        return {dependency: budget.spent for dependency, budget in self._budgets.items()}

    @property
    def failures(self) -> Mapping[FailedAttempt, int]:
        """The number of attempts that failed so far, of calls that may be retried."""
        return self._failures

    async def repeat(
        self, dependency: str, call: Callable[[], Awaitable[Outcome[T]]], failed: Outcome[T], calls: int
    ) -> Outcome[T]:
        """Return *failed*, or what *call* comes to when it is made again."""
        budget, left = self._budgets[dependency], remaining_seconds()
        budget.calls += calls
        if not _is_retryable(failed):
            self._count(dependency, failed, is_retried=False)
            return failed
        # tenacity makes the first attempt itself, but that one has failed already: it is handed over.
        outcomes, last = iter([failed]), failed

        async def attempt() -> Outcome[T]:
            nonlocal last
            if (first := next(outcomes, None)) is not None:
                return first
            self._count(dependency, last, is_retried=True)
            last = await call()
            return last

        stop_at_deadline = stop_never if left is None else stop_before_delay(left)
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._limits.attempts) | stop_at_deadline | _StopWhenBudgetSpent(budget),
            wait=wait_random_exponential(multiplier=self._limits.pause, max=self._limits.longest_pause),
            retry=retry_if_result(_is_retryable),
            retry_error_callback=_last_outcome,
        )
        outcome: Outcome[T] = await retrying(attempt)
        self._count(dependency, outcome, is_retried=False)
        return outcome

    def _count(self, dependency: str, outcome: Outcome[object], *, is_retried: bool) -> None:
        error = outcome.failure() if isinstance(outcome, Failure) else None
        if isinstance(error, Unavailable):
            is_plain = error.code == Unavailable.code
            reason = error.reason.name.lower() if is_plain else error.code
            self._failures[FailedAttempt(dependency, reason, is_retried)] += 1


class _Budget:
    """The retry budget of one dependency: a token bucket that calls and time fill.

    Attributes:
        calls: The calls made since it was last filled.

        spent: The retries that it has paid for.
    """

    __slots__ = ("_limits", "_now", "_refilled_at", "_tokens", "calls", "spent")

    def __init__(self, limits: RetryLimits, now: Callable[[], float]) -> None:
        self._limits = limits
        self._now = now
        self._tokens = float(limits.burst)
        self._refilled_at = now()
        self.calls = 0
        self.spent = 0

    def try_spend(self) -> bool:
        """Take a retry from the budget; return whether there was one."""
        limits, now = self._limits, self._now()
        earned = self.calls * limits.retry_ratio + (now - self._refilled_at) * limits.min_retries_per_second
        self._tokens, self._refilled_at, self.calls = min(self._tokens + earned, limits.burst), now, 0
        if self._tokens < 1:
            return False
        self._tokens -= 1
        self.spent += 1
        return True


class _StopWhenBudgetSpent(stop_base):
    """Stops retries when the budget is spent. The last condition to be asked, since asking spends a retry."""

    def __init__(self, budget: _Budget) -> None:
        self._budget = budget

    def __call__(self, retry_state: RetryCallState) -> bool:
        return not self._budget.try_spend()


def _is_retryable(outcome: Outcome[object]) -> bool:
    error = outcome.failure() if isinstance(outcome, Failure) else None
    return isinstance(error, Unavailable) and error.reason in _RETRYABLE


def _last_outcome(state: RetryCallState) -> Any:
    # tenacity would raise `RetryError` instead.
    return None if state.outcome is None else state.outcome.result()
