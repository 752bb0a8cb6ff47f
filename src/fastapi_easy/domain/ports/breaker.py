"""Circuit breakers: whether a dependency is called at all."""

import enum
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from fastapi_easy.domain.errors import UnavailableReason


class CircuitState(enum.StrEnum):
    """Whether calls are let through."""

    CLOSED = "closed"
    """All calls are let through."""

    OPEN = "open"
    """No call is: it was silent too often."""

    HALF_OPEN = "half_open"
    """As few as are needed to find out whether it responds again."""

    ISOLATED = "isolated"
    """No call is, until an operator resets the breaker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """The state of a breaker at this moment.

    Attributes:
        state: Whether calls are let through.

        retry_after: Seconds until the next call is; 0 while they are.

        opened: How often it has opened.

        refused: How many calls it has refused.
    """

    state: CircuitState
    retry_after: float
    opened: int
    refused: int


class CallNotPermitted(ConnectionError):
    """A dependency was not called.

    Attributes:
        reason: An open circuit, or too many calls that wait already.

        retry_after: Seconds after which a call may be permitted.
    """

    def __init__(self, reason: UnavailableReason, retry_after: float) -> None:
        self.reason = reason
        self.retry_after = retry_after
        super().__init__(f"call not permitted ({reason.name.lower()}), retry in {retry_after:.1f} s")


@runtime_checkable
class Breaker(Protocol):
    """A circuit breaker: stops calls to a dependency that has gone silent. An error it answers with is an answer.

    A caller enters before its call, and says when it leaves how it went. A breaker knows nothing else.

    Attributes:
        slow_after: Seconds after which a call is slow; `None` when it does not matter how long one takes.
    """

    slow_after: float | None

    @property
    def circuit(self) -> Circuit:
        """Its state and its counts at this moment."""
        ...

    def enter(self) -> int:
        """Return a permit for one call, to be given back by `leave`.

        Raises:
            CallNotPermitted: The call is not to be made.
        """
        ...

    def leave(self, permit: int, *, answered: bool | None, slow: bool = False) -> None:
        """Give back a permit: the call has ended.

        Args:
            permit: Which `enter` gave.

            answered: Whether the dependency has answered; `None` when that is not known, since nobody waited for it.

            slow: It took longer than `slow_after`, though not much was asked for.
        """
        ...

    def isolate(self) -> None:
        """Let nothing through until `reset`."""
        ...

    def reset(self) -> None:
        """Let everything through, and forget what was."""
        ...
