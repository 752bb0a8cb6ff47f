"""Tokens that grow, whatever is forgotten meanwhile."""

import time


def next_token(previous: int) -> int:
    """Return the token of a new lease: more than *previous*, and at least the microseconds since 1970.

    With the clock in it, it goes on growing when the record of *previous* is lost.
    """
    return max(previous + 1, time.time_ns() // 1000)
