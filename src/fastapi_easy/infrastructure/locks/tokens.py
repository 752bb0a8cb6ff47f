"""Tokens that grow, whatever is forgotten meanwhile."""

import time


def next_token(previous: int) -> int:
    """The token of a new lease: one more than *previous*, and never less than the microseconds since 1970.

    With the clock in it, it goes on growing when the record of *previous* is lost.
    """
    return max(previous + 1, time.time_ns() // 1000)
