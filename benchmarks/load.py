"""Load from wrk, and what it measured."""

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.machine import cpu_seconds
from benchmarks.rows import PER_OWNER, ROWS
from benchmarks.serving import process_of
from tests.services.service import Service

CONNECTIONS: Final = 32
_SCRIPT: Final = Path(__file__).with_name("requests.lua")
_SETTLING: Final = 0.7
"""Seconds; the slowest of the statements that are measured takes 0.4 in a crowd."""

_ADVICE: Final = "The benchmarks need wrk: apt-get install wrk."


class LoadFailed(Exception):
    """The load could not be made, or answers were not as they must be; the text is for people."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked for.

    Attributes:
        endpoint: A name in `requests.lua`.

        path: The path that `list` and `path` ask for.

        seed: Which rows come first; the same for every column.

        connections: So many at once, each kept open.

        rows: How many there are to choose from.
    """

    endpoint: str
    path: str = "/"
    seed: int = 0
    connections: int = CONNECTIONS
    rows: int = ROWS

    @property
    def owners(self) -> int:
        """How many own the rows."""
        return self.rows // PER_OWNER


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a load brought to light.

    Attributes:
        requests: How many were answered.

        seconds: How long it took.

        bytes: Of all answers.

        p50, p99: Milliseconds that half of the answers, and all but one of a hundred, took at most.

        cpu: CPU seconds of the server.
    """

    requests: int
    seconds: float
    bytes: int
    p50: float
    p99: float
    cpu: float


def find_wrk() -> str:
    """The program; as root it is installed when missing.

    Raises:
        LoadFailed: It is missing; the text says how to get it.
    """
    found = shutil.which("wrk")
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        _ = subprocess.run(["apt-get", "install", "-y", "-q", "wrk"], check=False, capture_output=True)  # noqa: S607
        found = shutil.which("wrk")
    if found is None:
        raise LoadFailed(_ADVICE)
    return found


def put_load(service: Service, load: Load, seconds: float) -> Measured:
    """Ask *service* for *seconds* as often as it answers.

    Raises:
        LoadFailed: An answer was an error, a connection broke, or nothing was answered.
    """
    # What the load before left behind is still being worked on.
    time.sleep(_SETTLING)
    process = process_of(service)
    before = cpu_seconds(process)
    duration = max(1, round(seconds))
    arguments = [
        find_wrk(),
        "-t1",
        f"-c{load.connections}",
        f"-d{duration}s",
        # One who waits for long is slow, and not broken.
        "--timeout",
        "10s",
        "-s",
        str(_SCRIPT),
        service.url,
        "--",
    ]
    printed = subprocess.run(
        [*arguments, load.endpoint, str(load.seed), str(load.rows), str(load.owners), load.path],
        check=False,
        capture_output=True,
        text=True,
        timeout=duration + 30,
    )
    cpu = cpu_seconds(process) - before
    return read_printed(printed.stdout, printed.stderr, cpu, f"{service.name}, {load.endpoint}")


def read_printed(printed: str, complaints: str, cpu: float, what: str) -> Measured:
    """What wrk printed, with the CPU seconds that the server used meanwhile.

    Raises:
        LoadFailed: It printed no figures, or some of the answers were errors.
    """
    line = next((line for line in printed.splitlines() if line.startswith("{")), None)
    if line is None:
        raise LoadFailed(f"{what}: wrk printed no figures: {complaints.strip() or printed.strip()}")
    found = json.loads(line)
    if found["refused"] or found["broken"] or not found["requests"]:
        raise LoadFailed(
            f"{what}: {found['refused']} of {found['requests']} answers were errors,"
            f" {found['broken']} connections broke"
        )
    return Measured(
        requests=found["requests"],
        seconds=found["microseconds"] / 1e6,
        bytes=found["bytes"],
        p50=found["p50"] / 1e3,
        p99=found["p99"] / 1e3,
        cpu=cpu,
    )
