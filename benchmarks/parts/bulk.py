"""A thousand new rows in one go, beside what SQLAlchemy Core and the driver offer for it."""

import json
import statistics
from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks.bench import Bench
from benchmarks.findings import Finding, Part, Table, Target, number
from benchmarks.postgres import PLAIN
from benchmarks.programs import run_program

MANY: Final = 1_000
TIMES: Final = 10
"""How often each way writes so many in a round."""

WAYS: Final = {
    "executemany": "asyncpg, `executemany` in a transaction: the driver's own bulk path",
    "fetchmany": "asyncpg, `fetchmany … RETURNING *`, which answers every row",
    "copy": "asyncpg, `copy_records_to_table`",
    "core": "SQLAlchemy Core, `insert().values([…])` by hand",
    "use case": "fastapi_easy, `ApplyBulk`, which answers every row",
    "HTTP, minimal": "fastapi_easy, `POST /items/bulk`, `Prefer: return=minimal`",
    "HTTP": "fastapi_easy, `POST /items/bulk`, which answers every row",
    "import": "fastapi_easy, `POST /items/import` of NDJSON",
}
HELD: Final = {"use case": Target(at_least=1.0), "HTTP": Target(at_least=0.6)}
"""The ways that are held against SQLAlchemy Core by hand, and what they are to reach."""


def measure(bench: Bench) -> Part:
    """Measure each way, in one process."""
    printed = run_program("bulk", bench.cores.server, str(bench.rounds), url=bench.database.async_url)
    bench.database.restore(PLAIN)
    seconds: Mapping[str, Sequence[float]] = json.loads(printed)
    ratios = {
        way: {
            other: statistics.median(b / a for a, b in zip(seconds[way], seconds[other], strict=True))
            for other in ("core", "executemany", "copy")
        }
        for way in WAYS
    }
    findings = [
        Finding(f"bulk create, {way}: × Core", ratios[way]["core"], target) for way, target in HELD.items()
    ]
    held = dict(zip(HELD, findings, strict=True))
    rows = [
        (
            title,
            number(TIMES * MANY / statistics.median(seconds[way])),
            str(held.get(way) or number(ratios[way]["core"])),
            number(ratios[way]["executemany"]),
            number(ratios[way]["copy"]),
        )
        for way, title in WAYS.items()
    ]
    table = Table(
        f"{MANY:,} new rows at once, in one process, without sockets; the driver answers nothing unless said:",
        ("", "rows/s", "× Core", "× `executemany`", "× `COPY`"),
        rows,
    )
    return Part(tables=[table], findings=findings, figures={"seconds": seconds})
