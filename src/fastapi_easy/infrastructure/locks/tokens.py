"""Fencing tokens that grow, whatever is forgotten meanwhile."""

import time


def next_token(previous: int) -> int:
    """Return the token of a new lease: more than *previous*, and at least the microseconds since 1970.

    It is a hybrid logical clock: with the time in it, tokens go on growing when the record of *previous* is lost.
    """
    return max(previous + 1, time.time_ns() // 1000)
