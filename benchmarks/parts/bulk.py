"""Ten thousand new rows in one go, beside what the driver offers for it."""

import json
import statistics
from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks.bench import Bench
from benchmarks.findings import Finding, Part, Table, Target, number
from benchmarks.postgres import PLAIN
from benchmarks.programs import run_program

MANY: Final = 10_000
WAYS: Final = {
    "executemany": "asyncpg, `executemany` in a transaction: the driver's own bulk path",
    "fetchmany": "asyncpg, `fetchmany … RETURNING *`, which answers every row",
    "copy": "asyncpg, `copy_records_to_table`",
    "use case": "fastapi_easy, `ApplyBulk`, which answers every row",
    "HTTP, minimal": "fastapi_easy, `POST /items/bulk`, `Prefer: return=minimal`",
    "HTTP": "fastapi_easy, `POST /items/bulk`, which answers every row",
    "import": "fastapi_easy, `POST /items/import` of NDJSON",
}
HELD: Final = ("use case", "HTTP, minimal")
"""The ways that are held against the driver's."""

TARGET: Final = Target(at_least=0.7)


def measure(bench: Bench) -> Part:
    """Measure each way, in one process."""
    printed = run_program("bulk", bench.cores.server, str(bench.rounds), url=bench.database.async_url)
    bench.database.restore(PLAIN)
    seconds: Mapping[str, Sequence[float]] = json.loads(printed)
    ratios = {
        way: {
            other: statistics.median(b / a for a, b in zip(seconds[way], seconds[other], strict=True))
            for other in ("executemany", "copy")
        }
        for way in WAYS
    }
    findings = [
        Finding(f"bulk create, {way}: × executemany", ratios[way]["executemany"], TARGET) for way in HELD
    ]
    held = dict(zip(HELD, findings, strict=True))
    rows = [
        (
            title,
            number(MANY / statistics.median(seconds[way])),
            str(held.get(way) or number(ratios[way]["executemany"])),
            number(ratios[way]["copy"]),
        )
        for way, title in WAYS.items()
    ]
    table = Table(
        f"{MANY:,} new rows at once, in one process, without sockets; the driver answers nothing unless said:",
        ("", "rows/s", "× `executemany`", "× `COPY`"),
        rows,
    )
    return Part(tables=[table], findings=findings, figures={"seconds": seconds})
