"""The time that leases in a file are measured by: that since the machine was started."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class BootTime:
    """A clock that all processes of a machine share, and that nobody can set.

    Attributes:
        boot: Which start of the machine the seconds are counted from; they mean nothing after the next one.

        seconds: Returns the seconds since then.
    """

    boot: str
    seconds: Callable[[], float]


def boot_time() -> BootTime:
    """Return the boot time of this machine; the time of day where the system tells no boots apart, as on macOS."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    if clock is not None:
        try:
            return BootTime(_BOOT_ID.read_text("ascii").strip(), lambda: time.clock_gettime(clock))
        except OSError:
            pass  # without an id of the boot its seconds would be compared with those of another one
    return BootTime("", time.time)
