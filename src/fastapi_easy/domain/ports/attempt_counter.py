"""Counts attempts to log in, so that nobody can try many passwords."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from fastapi_easy.domain.errors import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLimit:
    """How attempts are slowed down.

    Attributes:
        free: Attempts that can be made one right after the other.

        delay: Seconds to wait after the last of those, more than 0; twice as many after each further one.

        longest: Seconds to wait at most.

        memory: Seconds without an attempt after which all are forgotten; longer than *longest*.
    """

    free: int = 5
    delay: float = 1.0
    longest: float = 900.0
    memory: float = 3600.0

    def delay_after(self, attempts: int) -> float:
        """Return the seconds to wait after so many *attempts*."""
        excess = attempts - self.free
        # Beyond 2 ** 30 every delay is longer than the longest.
        return 0.0 if excess < 0 else min(self.longest, self.delay * 2.0 ** min(excess, 30))


@runtime_checkable
class AttemptCounter(Protocol):
    """Counts the attempts of each name: an account, an address.

    Every method fails with `Unavailable` when what counts does not answer.
    """

    async def begin(self, name: str, limit: AttemptLimit, /) -> Outcome[float]:
        """Count one attempt of *name*, all at once, so that attempts at the same time are counted one by one.

        Returns:
            0.0 when it may be made; else the seconds to wait, and it was not counted.
        """
        ...

    async def take_back(self, name: str, /) -> Outcome[None]:
        """Uncount one attempt of *name*, with the delay after it: it was none."""
        ...

    async def forget(self, name: str, /) -> Outcome[None]:
        """Forget every attempt of *name*."""
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...
