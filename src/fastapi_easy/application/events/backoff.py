"""Exponential backoff with full jitter."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait after a failure, so that many who have failed together do not come back together.

    Attributes:
        first: Seconds to wait at most after the first failure; it doubles with each.

        longest: Seconds to wait at most after any failure.
    """

    first: float
    longest: float

    def delay(self, failures: int) -> float:
        """Return the seconds to wait after so many *failures* in a row: at random, from 0 to the limit (full jitter).

        Args:
            failures: At least 1.
        """
        # Beyond 2 ** 64 floats would overflow at some time, and every limit is reached.
        limit = min(self.longest, self.first * 2.0 ** min(failures - 1, 64))
        return random.uniform(0.0, limit)  # noqa: S311 (spreads load, keeps no secret)
