"""A breaker that counts silence over a rolling window. Pure: no task, no lock, and the time is passed in."""

import logging
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from fastapi_easy.domain.errors import Obstacle
from fastapi_easy.domain.ports.breaker import Circuit, CircuitState, NotAdmitted

_logger: Final = logging.getLogger("fastapi_easy.resilience")

_BUCKETS: Final = 10
_JITTER: Final = 3.0
"""Seconds over which callers who were sent away are spread when they come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerLimits:
    """When a breaker opens, and for how long. All times in seconds.

    Attributes:
        ratio: The share of calls that has to stay unanswered.

        calls: How many there have to have been in the window. So many unanswered ones, with no answer between them,
            are enough whatever was before: after a busy while the share would take as long again to be reached.

        window: What is looked back upon.

        pause: How long it stays open; twice as long each time that the next call stays unanswered too.

        longest_pause: But no longer than this.

        slow_after: Seconds after which an answer is slow; `None` when how long one takes does not matter.

        slow_ratio: The share of calls that has to be answered slowly, or not at all.

        probes: Calls that are let through to find out, all of which have to be answered, and not slowly.

        patience: After which one that nobody has heard of counts as unanswered.
    """

    ratio: float = 0.5
    calls: int = 20
    window: float = 10.0
    pause: float = 2.0
    longest_pause: float = 30.0
    slow_after: float | None = None
    slow_ratio: float = 0.9
    probes: int = 1
    patience: float = 30.0


class CircuitBreaker:
    """Implements `Breaker`. What it knows is known to this process alone.

    A permit is the number of the state in which it was given; what is said with an earlier one has no say any more.

    Args:
        limits: When it opens.

        now: Seconds since some fixed moment.

        tell: Is told of each new state, in their order. Must be quick and must not raise.
    """

    def __init__(
        self,
        limits: BreakerLimits,
        now: Callable[[], float] = time.monotonic,
        tell: Callable[[CircuitState], None] = lambda _: None,
    ) -> None:
        self.slow_after = limits.slow_after
        self._limits = limits
        self._now = now
        self._tell = tell
        self._width = limits.window / _BUCKETS
        self._state = CircuitState.CLOSED
        self._number = 0
        self._pause = limits.pause
        self._until = 0.0
        self._asking = self._heard = 0
        self._asked_at = 0.0
        self._opened = self._refused = 0
        # The bucket that is being filled, when it is full, and those before it: answers, silences, slow answers.
        self._answers = self._silences = self._slow = self._in_a_row = 0
        self._turn = now() + self._width
        self._past: deque[tuple[int, int, int]] = deque(maxlen=_BUCKETS - 1)

    @property
    def circuit(self) -> Circuit:
        """How it stands at this moment."""
        return Circuit(
            state=self._state, retry_after=self._remaining(), opened=self._opened, refused=self._refused
        )

    def enter(self) -> int:
        """A permit for one call.

        Raises:
            NotAdmitted: The call is not to be made.
        """
        if self._state is not CircuitState.CLOSED:
            self._enter_as_probe()
        return self._number

    def leave(self, permit: int, *, answered: bool | None, slow: bool = False) -> None:
        """The call has ended."""
        if permit != self._number:
            return
        if self._state is CircuitState.HALF_OPEN:
            self._leave_as_probe(answered=answered and not slow)
            return
        if answered is None:
            return
        if self._now() >= self._turn:
            self._turn_over()
        if answered:
            self._answers += 1
            self._in_a_row = 0
            if slow:
                self._slow += 1
                self._judge()
        else:
            self._silences += 1
            self._in_a_row += 1
            self._judge()

    def isolate(self) -> None:
        """Let nothing through until `reset`."""
        self._become(CircuitState.ISOLATED)

    def reset(self) -> None:
        """Let everything through, and forget what was."""
        self._pause = self._limits.pause
        self._forget()
        self._become(CircuitState.CLOSED)

    def _enter_as_probe(self) -> None:
        if self._state is CircuitState.OPEN and self._now() >= self._until:
            self._asking = self._heard = 0
            self._become(CircuitState.HALF_OPEN)
        if self._state is CircuitState.HALF_OPEN:
            if self._asking + self._heard < self._limits.probes:
                self._asking += 1
                self._asked_at = self._now()
                return
            if self._now() - self._asked_at >= self._limits.patience:
                # Whoever has the permit was lost with it.
                self._open_again()
        self._refused += 1
        raise NotAdmitted(Obstacle.BREAK, self._remaining() + secrets.randbelow(1000) * _JITTER / 1000)

    def _leave_as_probe(self, *, answered: bool | None) -> None:
        self._asking -= 1
        if answered:
            self._heard += 1
            if self._heard >= self._limits.probes:
                self.reset()
        elif answered is not None:
            self._open_again()

    def _judge(self) -> None:
        limits = self._limits
        answers, silences, slow = (
            sum(each) for each in zip((self._answers, self._silences, self._slow), *self._past, strict=True)
        )
        calls = answers + silences
        is_gone = min(silences, self._in_a_row) >= limits.calls
        is_ill = silences >= limits.ratio * calls or (
            slow > 0 and slow + silences >= limits.slow_ratio * calls
        )
        if is_gone or (calls >= limits.calls and is_ill):
            self._open()

    def _remaining(self) -> float:
        match self._state:
            case CircuitState.CLOSED:
                return 0.0
            case CircuitState.OPEN:
                return max(0.0, self._until - self._now())
            case CircuitState.HALF_OPEN | CircuitState.ISOLATED:
                return self._limits.pause

    def _open_again(self) -> None:
        self._pause = min(self._pause * 2, self._limits.longest_pause)
        self._open()

    def _open(self) -> None:
        self._until = self._now() + self._pause
        self._opened += 1
        self._become(CircuitState.OPEN)

    def _become(self, state: CircuitState) -> None:
        self._number += 1
        changes, self._state = state is not self._state, state
        if changes:
            self._tell(state)

    def _forget(self) -> None:
        self._answers = self._silences = self._slow = self._in_a_row = 0
        self._turn = self._now() + self._width
        self._past.clear()

    def _turn_over(self) -> None:
        """Begin a new bucket, after as many empty ones as nothing was heard in."""
        late = int((self._now() - self._turn) / self._width)
        self._past.append((self._answers, self._silences, self._slow))
        self._past.extend([(0, 0, 0)] * min(late, _BUCKETS - 1))
        self._answers = self._silences = self._slow = 0
        self._turn += (late + 1) * self._width


def log_change(name: str, state: CircuitState) -> None:
    """Log that the breaker of the dependency *name* is now in *state*."""
    level = logging.INFO if state is CircuitState.CLOSED else logging.WARNING
    _logger.log(level, "the breaker of %s is %s", name, state.value.replace("_", " "))
