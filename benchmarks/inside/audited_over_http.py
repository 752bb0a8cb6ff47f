"""What the audit trail costs those who call a server: chained creates beside the same without, as wrk counts them.

`python -m benchmarks.inside.audited_over_http [--quick]`. PostgreSQL is started as it comes, so that a commit is on the
disk before it is answered. Sixteen clients write to sixteen chains. Prints the median of the ratios of neighbouring
rounds; ends with 1 when the target is missed.
"""

import argparse
import os
import sys
from statistics import median
from typing import Final

from benchmarks.findings import Finding
from benchmarks.inside.audited import CALLERS, TARGET
from benchmarks.load import Load, put_load
from benchmarks.serving import served
from tests.services import drop_scratch_database, obtain, scratch_database
from tests.services.postgres import DURABLE
from tests.services.service import Service

ROUNDS: Final = 15
SECONDS: Final = 2.0
PATHS: Final = ("/plain", "/audited")


def measure(service: Service, rounds: int) -> Finding:
    """Print the rates, and return their ratio beside its target."""
    kept: list[dict[str, float]] = []
    for number in range(rounds + 1):
        # The first is a warm-up. Who is first takes turns.
        turns = PATHS[:: -1 if number % 2 else 1]
        kept.append({path: _rate(service, path) for path in turns})
    print("| create, 16 clients | per second |\n|---|--:|")
    for path in PATHS:
        print(f"| {path} | {median(each[path] for each in kept[1:]):,.0f} |")
    ratio = median(each["/audited"] / each["/plain"] for each in kept[1:])
    return Finding("audited ÷ plain, over HTTP", ratio, TARGET)


def _rate(service: Service, path: str) -> float:
    measured = put_load(service, Load("reading", path, connections=CALLERS), SECONDS)
    return measured.requests / measured.seconds


def main() -> int:
    """Measure on a server of its own."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.inside.audited_over_http", description=__doc__
    )
    _ = parser.add_argument("--quick", action="store_true", help="two rounds, to see that it works")
    chosen = parser.parse_args()
    os.environ[DURABLE] = "1"
    postgres = obtain("postgres")
    url = scratch_database(postgres)
    pool = {"FASTAPI_EASY_DATABASES__DEFAULT__POOL_SIZE": str(CALLERS)}
    everywhere = frozenset(os.sched_getaffinity(0))
    try:
        with served(
            "benchmarks.inside.readings_program:app", url, everywhere, environment=pool, ready="/plain"
        ) as service:
            finding = measure(service, 2 if chosen.quick else ROUNDS)
    finally:
        drop_scratch_database(postgres, url)
    print(f"{finding.name}: {finding}")
    return 0 if finding.is_met else 1


if __name__ == "__main__":
    sys.exit(main())
