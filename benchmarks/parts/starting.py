"""How long it takes until there is something to use, each time in a new process."""

import json
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.bench import Bench
from benchmarks.findings import Finding, Part, Table, Target
from benchmarks.programs import run_program, run_python

_IMPORT: Final = """
import sys, time
begun = time.perf_counter()
import fastapi_easy.application
print(time.perf_counter() - begun)
assert "fastapi" not in sys.modules
"""


def measure(bench: Bench) -> Part:
    """Measure both, ten times or as often as there are rounds."""
    times = max(10, bench.rounds) if bench.rounds > 1 else 1
    imports = _several(times, lambda: _import_seconds(bench))
    with tempfile.TemporaryDirectory() as folder:
        shop = f"sqlite:///{Path(folder) / 'shop.sqlite3'}"
        first = _bookshop_seconds(bench, shop)
        starts = _several(times, lambda: _bookshop_seconds(bench, shop))
    findings = [
        Finding("import of the application layer", statistics.median(imports), Target(at_most=0.12)),
        Finding("start of the bookshop", statistics.median(starts), Target(at_most=1.0)),
    ]
    bench.tell(", ".join(f"{each.name}: {each}" for each in findings))
    title = "Seconds in a new process, without the start of Python:"
    return Part(
        tables=[
            Table(title, ("", *(each.name for each in findings)), [("fastapi_easy", *map(str, findings))])
        ],
        findings=findings,
        figures={"import": imports, "bookshop": starts, "bookshop_with_a_new_database": first},
    )


def _several(times: int, run: Callable[[], float]) -> list[float]:
    return [run() for _ in range(times)]


def _import_seconds(bench: Bench) -> float:
    return float(run_python(["-c", _IMPORT], bench.cores.server, {}))


def _bookshop_seconds(bench: Bench, url: str) -> float:
    return float(json.loads(run_program("starting", bench.cores.server, url=url)))
