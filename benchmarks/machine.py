"""What the machine gives: its cores, and what a process has used of them."""

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Cores:
    """Who runs where.

    Attributes:
        server: The cores of the application under load.

        load: Those of wrk, the database, and whatever else belongs to the measurement.
    """

    server: frozenset[int]
    load: frozenset[int]

    @property
    def are_apart(self) -> bool:
        """The server has its cores to itself."""
        return not self.server & self.load


def cores() -> Cores:
    """The first core for the server and the others for the load; one core has to do for both."""
    first, *others = sorted(os.sched_getaffinity(0))
    return Cores(frozenset({first}), frozenset(others or {first}))


def pin(process: int, to: frozenset[int]) -> None:
    """Keep *process*, 0 for this one, and what it will start, on the cores *to*."""
    os.sched_setaffinity(process, to)


def cpu_seconds(process: int) -> float:
    """CPU time of *process* and its children, in user and system mode."""
    ticks = 0
    for each in _family(process):
        # Behind the name, which may hold anything: state, parent, …
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS


def resident_bytes(process: int) -> int:
    """Memory of *process* and its children that is in RAM."""
    return sum(int(Path(f"/proc/{each}/statm").read_text().split()[1]) * _PAGE for each in _family(process))


def _family(process: int) -> Iterator[int]:
    yield process
    for thread in Path(f"/proc/{process}/task").iterdir():
        for child in (thread / "children").read_text().split():
            yield from _family(int(child))


def description() -> str:
    """The processor and the kernel, in words."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}, Python {platform.python_version()}"
