"""One measurement in a process of its own: it is limited, and what it started is gone with it.

python -m tests.faults.report.measuring tests.faults.report.measurements.leases FILE
"""

import asyncio
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tests.faults.report.figure import Figure

ROOT: Final = Path(__file__).parents[3]
MEASUREMENTS: Final = Path(__file__).with_name("measurements")
PACKAGE: Final = "tests.faults.report.measurements"
LIMIT: Final = 300.0
"""Seconds after which a measurement is ended: several times what one may take on a quiet machine."""
LAST_WORDS: Final = 300
"""Characters that are shown of what a failed measurement said last."""


class Failed(Exception):
    """A measurement gave no figures; the text says why."""


def names(folder: Path = MEASUREMENTS) -> list[str]:
    """The measurements there are, in the order of the report."""
    return sorted(each.stem for each in folder.glob("*.py") if not each.stem.startswith("_"))


def measure(name: str, *, package: str = PACKAGE, limit: float = LIMIT) -> list[Figure]:
    """Run the measurement *name* of *package*, and return its figures.

    Raises:
        Failed: It raised, ended otherwise, took longer than *limit*, or measured nothing.
    """
    with tempfile.TemporaryDirectory(prefix="fastapi-easy-figures-") as folder:
        file, said = Path(folder) / "figures", Path(folder) / "said"
        with said.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", __spec__.name, f"{package}.{name}", str(file)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            try:
                code = process.wait(limit)
            except subprocess.TimeoutExpired:
                raise Failed(f"no figures within {limit:g} s") from None
            finally:
                _end(process)
        if code != 0 or not file.exists():
            lines = said.read_text(errors="replace").strip().splitlines()
            print("\n".join(lines), file=sys.stderr)
            raise Failed((lines[-1] if lines else f"ended with {code}")[:LAST_WORDS])
        figures = [Figure(**each) for each in json.loads(file.read_text())]
    if not figures:
        raise Failed("it measured nothing")
    return figures


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End it and the processes of its session; servers end with the process that started them."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        _ = process.wait()


def main(arguments: Sequence[str]) -> None:
    """Measure, and write the figures into the file."""
    module, file = arguments
    figures = asyncio.run(importlib.import_module(module).measured())
    _ = Path(file).write_text(json.dumps([asdict(each) for each in figures]))


if __name__ == "__main__":
    main(sys.argv[1:])
