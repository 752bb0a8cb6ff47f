"""A circuit breaker that counts missing answers over a rolling window. No task and no lock; the clock is passed in.

Whoever has tasks, like `outage_probe`, may tell it that the dependency answers again before its pause is over.

Only silence counts against a dependency; any answer, also an error, shows that it is alive (ADR 3).
"""

import logging
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fastapi_easy.domain.errors import UnavailableReason
from fastapi_easy.domain.ports.breaker import CallNotPermitted, Circuit, CircuitState

_logger: Final = logging.getLogger("fastapi_easy.resilience")

_BUCKETS: Final = 10
_JITTER: Final = 3.0
"""Seconds over which the retries of rejected callers are spread (jitter)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerLimits:
    """The limits at which a breaker opens and closes. All times in seconds.

    Attributes:
        ratio: The share of calls in the window that have to be unanswered.

        calls: The number of calls in the window below which the shares do not count. As many unanswered calls in a row
            open it whatever was before: after busy times the share would take as long again to be reached.

        window: The time over which calls are counted.

        pause: How long it stays open; doubled each time that a probe fails.

        longest_pause: The maximum of that.

        slow_after: Seconds after which an answer is slow; `None` counts no answer as slow.

        slow_ratio: The share of calls in the window that have to be slow or unanswered.

        slow_calls: The number of calls in the window below which that share does not count: slow calls are few. `None`
            is as many as *calls*.

        probes: Calls that are let through when half open, all of which have to be answered in time.

        probe_timeout: The time after which a probe that has not ended counts as unanswered.
    """

    ratio: float = 0.5
    calls: int = 20
    window: float = 10.0
    pause: float = 2.0
    longest_pause: float = 30.0
    slow_after: float | None = None
    slow_ratio: float = 0.9
    slow_calls: int | None = None
    probes: int = 1
    probe_timeout: float = 30.0


class CircuitBreaker:
    """Implements `Breaker`, for this process alone.

    A permit is the generation, the number of state changes, in which it was given: calls that began in an earlier state
    are not counted in this one.

    Args:
        limits: When it opens.

        now: Returns seconds since some fixed moment.

        on_change: Called with each new state, in their order. Must be quick and must not raise.

    Attributes:
        on_open: Called when it opens and somebody may find out, without a call, when the dependency answers again; who
            does so calls `admit_probe`. Must be quick and must not raise.
    """

    def __init__(
        self,
        limits: BreakerLimits,
        now: Callable[[], float] = time.monotonic,
        on_change: Callable[[CircuitState], None] | None = None,
    ) -> None:
        self.slow_after = limits.slow_after
        self.on_open: Callable[[], None] | None = None
        self._limits = limits
        self._now = now
        self._on_change = on_change
        self._bucket_seconds = limits.window / _BUCKETS
        self._state = CircuitState.CLOSED
        self._generation = 0
        self._pause = limits.pause
        self._open_until = 0.0
        self._probes_running = self._probes_succeeded = 0
        self._probed_at = 0.0
        self._opened = self._refused = 0
        # Whether it is half open since `admit_probe`, and whether the call that was let through then has failed.
        self._is_admitted = self._is_misled = False
        # Calls are counted in buckets of a tenth of the window: the current one in plain integers, since every call
        # counts there, and the earlier ones as (successes, failures, slow).
        self._successes = self._failures = self._slow = self._consecutive_failures = 0
        self._bucket_ends_at = now() + self._bucket_seconds
        self._buckets: deque[tuple[int, int, int]] = deque(maxlen=_BUCKETS - 1)

    @property
    def circuit(self) -> Circuit:
        """The state of the circuit at this moment."""
        return Circuit(
            state=self._state, retry_after=self._remaining(), opened=self._opened, refused=self._refused
        )

    def enter(self) -> int:
        """Return a permit for one call.

        Raises:
            CallNotPermitted: The call is not to be made.
        """
        if self._state is not CircuitState.CLOSED:
            self._enter_as_probe()
        return self._generation

    def leave(self, permit: int, *, answered: bool | None, slow: bool = False) -> None:
        """Record how the call that has *permit* ended.

        *answered* is `None` where that says nothing about the dependency: the call was cancelled, or never sent.
        """
        if permit != self._generation:
            # Begun in an earlier state: it says nothing about this one.
            return
        if self._state is CircuitState.HALF_OPEN:
            self._leave_as_probe(answered=answered and not slow)
            return
        if answered is None:
            return
        if self._now() >= self._bucket_ends_at:
            self._rotate_bucket()
        if answered:
            self._successes += 1
            self._consecutive_failures = 0
            # A quick answer cannot open the circuit, so that the usual call sums up nothing.
            if slow:
                self._slow += 1
                self._open_if_failing()
        else:
            self._failures += 1
            self._consecutive_failures += 1
            self._open_if_failing()

    def admit_probe(self) -> None:
        """Let the next call through at once, as a probe: the dependency has answered something else.

        Does nothing unless it is open. When that call fails all the same, it says more than whatever was answered, and
        until it closes the breaker goes by its pauses alone.
        """
        if self._state is CircuitState.OPEN and not self._is_misled:
            self._is_admitted = True
            self._become_half_open()

    def isolate(self) -> None:
        """Reject every call until `reset`."""
        self._change_state(CircuitState.ISOLATED)

    def reset(self) -> None:
        """Let every call through, and forget what was counted."""
        self._pause = self._limits.pause
        self._is_admitted = self._is_misled = False
        self._reset_counts()
        self._change_state(CircuitState.CLOSED)

    def _enter_as_probe(self) -> None:
        if self._state is CircuitState.OPEN and self._now() >= self._open_until:
            self._become_half_open()
        if self._state is CircuitState.HALF_OPEN:
            if self._probes_running + self._probes_succeeded < self._limits.probes:
                self._probes_running += 1
                self._probed_at = self._now()
                return
            if self._now() - self._probed_at >= self._limits.probe_timeout:
                # The probe was lost, and with it its permit: begin again.
                self._open_again()
        self._refused += 1
        raise CallNotPermitted(
            UnavailableReason.CIRCUIT_OPEN, self._remaining() + secrets.randbelow(1000) * _JITTER / 1000
        )

    def _become_half_open(self) -> None:
        self._probes_running = self._probes_succeeded = 0
        self._change_state(CircuitState.HALF_OPEN)

    def _leave_as_probe(self, *, answered: bool | None) -> None:
        self._probes_running -= 1
        if answered:
            self._probes_succeeded += 1
            if self._probes_succeeded >= self._limits.probes:
                self.reset()
        elif answered is not None:
            self._open_again()

    def _open_if_failing(self) -> None:
        limits = self._limits
        successes, failures, slow = (
            sum(each)
            for each in zip((self._successes, self._failures, self._slow), *self._buckets, strict=True)
        )
        calls = successes + failures
        is_down = min(failures, self._consecutive_failures) >= limits.calls
        is_failing = calls >= limits.calls and failures >= limits.ratio * calls
        is_slow = (
            calls >= (limits.slow_calls or limits.calls)
            and slow > 0
            and slow + failures >= limits.slow_ratio * calls
        )
        if is_down or is_failing or is_slow:
            self._open()

    def _remaining(self) -> float:
        match self._state:
            case CircuitState.CLOSED:
                return 0.0
            case CircuitState.OPEN:
                return max(0.0, self._open_until - self._now())
            case CircuitState.HALF_OPEN | CircuitState.ISOLATED:
                return self._limits.pause

    def _open_again(self) -> None:
        self._pause = min(self._pause * 2, self._limits.longest_pause)
        self._is_misled, self._is_admitted = self._is_misled or self._is_admitted, False
        self._open()

    def _open(self) -> None:
        self._open_until = self._now() + self._pause
        self._opened += 1
        self._change_state(CircuitState.OPEN)
        if self.on_open is not None and not self._is_misled:
            self.on_open()

    def _change_state(self, state: CircuitState) -> None:
        self._generation += 1
        changes, self._state = state is not self._state, state
        if changes and self._on_change is not None:
            self._on_change(state)

    def _reset_counts(self) -> None:
        self._successes = self._failures = self._slow = self._consecutive_failures = 0
        self._bucket_ends_at = self._now() + self._bucket_seconds
        self._buckets.clear()

    def _rotate_bucket(self) -> None:
        """Begin a new bucket, after an empty one for each that no call ended in."""
        missed = int((self._now() - self._bucket_ends_at) / self._bucket_seconds)
        self._buckets.append((self._successes, self._failures, self._slow))
        self._buckets.extend([(0, 0, 0)] * min(missed, _BUCKETS - 1))
        self._successes = self._failures = self._slow = 0
        self._bucket_ends_at += (missed + 1) * self._bucket_seconds


def log_change(name: str, state: CircuitState) -> None:
    """Log that the breaker of the dependency *name* is now in *state*."""
    level = logging.INFO if state is CircuitState.CLOSED else logging.WARNING
    _logger.log(level, "circuit breaker of %s is %s", name, state.value.replace("_", " "))
