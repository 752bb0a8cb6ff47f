"""A primary goes while unique rows are written, and its standby takes over."""

from tests.faults.failover import Change, change_under_load, paired
from tests.faults.report.figure import Figure

FAULT = "Fail-over to a standby"
SERVER = "PostgreSQL"
LONGEST = 5.0
"""Seconds from the end of the promotion to the first write at most: the longest pause of the breaker."""

CASES: tuple[tuple[str, Change], ...] = (
    ("asyncpg", "killed"),
    ("psycopg", "killed"),
    ("asyncpg", "read-only"),
)


async def measured() -> list[Figure]:
    """Bring up a pair of servers for each case, and let them change places under load."""
    figures = []
    for driver, how in CASES:
        with paired() as pair:
            load = await change_under_load(pair, driver, how, before=1_000)
            lost, doubled = load.oracle(pair.standby.url)
        longest = load.changed_for + LONGEST
        case = f"primary {how}, {driver}"
        written = f"{len(load.acknowledged):,}"
        figures += [
            Figure(
                FAULT, f"acknowledged writes lost, {case}", SERVER, f"{len(lost)} of {written}", "0", not lost
            ),
            Figure(
                FAULT, f"writes doubled, {case}", SERVER, f"{len(doubled)} of {written}", "0", not doubled
            ),
            Figure(
                FAULT,
                f"longest time without a write, {case}; the servers took {load.changed_for:.1f} s",
                SERVER,
                f"{load.longest_gap:.1f} s",
                f"<= {longest:.1f} s",
                load.longest_gap <= longest,
            ),
        ]
    return figures
