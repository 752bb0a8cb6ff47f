"""Programs that measure inside a process of their own, on the server's core."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks.load import LoadFailed
from benchmarks.machine import pin
from benchmarks.serving import ROOT, settings_for

PATIENCE: Final = 900.0
"""Seconds that a program may take."""


def run_program(name: str, cores: frozenset[int], *arguments: str, url: str = "") -> str:
    """What the program *name* in `benchmarks.inside` printed; *url* is the database that it uses.

    Raises:
        LoadFailed: It failed; the text ends with what it printed.
    """
    return run_python(
        ["-m", f"benchmarks.inside.{name}", *arguments], cores, settings_for(url) if url else {}
    )


def run_python(arguments: Sequence[str], cores: frozenset[int], settings: Mapping[str, str]) -> str:
    """What Python printed when called with *arguments* on *cores*, in an environment with nothing but *settings*.

    Raises:
        LoadFailed: It failed; the text ends with what it printed.
    """
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=dict(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        pin(process.pid, cores)
        printed, complaints = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    if process.returncode:
        raise LoadFailed(f"{' '.join(arguments)} failed: {complaints.strip()[-2000:]}")
    return printed
