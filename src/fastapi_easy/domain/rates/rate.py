"""Rates, and what they leave to a caller."""

import re
from dataclasses import dataclass
from typing import Final

_UNITS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_RATE: Final = re.compile(rf"(\d+)/(?:(\d+) ?)?({'|'.join(_UNITS)})s?")


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls in so many seconds.

    Attributes:
        calls: At least one.

        seconds: The length of the window, at least one.
    """

    calls: int
    seconds: int

    @classmethod
    def read(cls, text: str) -> "Rate":
        """Return the rate that *text* spells, like `100/minute` or `1000/15 minutes`.

        Raises:
            ValueError: It spells none.
        """
        match = _RATE.fullmatch(text.strip())
        calls, count = (int(match[1]), int(match[2] or 1)) if match else (0, 0)
        if match is None or calls == 0 or count == 0:
            raise ValueError(f"{text!r} is not a rate: write 100/minute, or 1000/15 minutes")
        return cls(calls, count * _UNITS[match[3]])


@dataclass(slots=True)
class RateUsage:
    """What is left to the caller of one call, for the answer to tell; by the rule that leaves the least.

    Attributes:
        limit: The calls that the rule permits in its window; 0 while no rule has counted the call.

        remaining: How many more are permitted now.

        reset: Seconds until more are.
    """

    limit: int = 0
    remaining: int = 0
    reset: float = 0.0

    def note(self, limit: int, remaining: int, reset: float) -> None:
        """Take over what another rule leaves, if it is less."""
        if self.limit == 0 or remaining < self.remaining:
            self.limit, self.remaining, self.reset = limit, remaining, reset
