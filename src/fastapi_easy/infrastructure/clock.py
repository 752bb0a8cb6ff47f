"""The time of the machine."""

import datetime
import time
from collections.abc import Callable
from functools import partial
from typing import Final


def _choose_clock() -> Callable[[], float]:
    """Return a clock that goes on also while the machine is suspended, where there is one."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic if boot is None else partial(time.clock_gettime, boot)


_SINCE_BOOT: Final = _choose_clock()


class SystemClock:
    """Implements `Clock`."""

    def now(self) -> datetime.datetime:
        """Return the time of day: aware, UTC."""
        return datetime.datetime.now(datetime.UTC)

    def monotonic(self) -> float:
        """Return the seconds since some fixed moment; never goes back, and counts while the machine is suspended."""
        return _SINCE_BOOT()
