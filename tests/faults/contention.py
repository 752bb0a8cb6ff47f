"""Many processes want one lock, again and again, and count up what only one of them may touch at a time.

As a script it does so with 16 processes and 40 grants each, on every store, and prints the figures:

    TEST_SERVICES=postgres,mariadb,redis,mongo python -m tests.faults.contention
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import statistics
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from tests.faults.processes import contend, worker
from tests.services.wanted import empty_database

FAIR = 0.95
"""Jain's index at least: (Σx)² / (n · Σx²), which is 1 when all have the same share."""

LONGEST = 5
"""Rounds of all the others that a process may be passed over for, as long as all of them contend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What came out.

    Attributes:
        counted: The counter at the end.

        expected: What it has to be.

        are_tokens_unique: No two grants had the same, and those of each process grew.

        jain: As long as all of them contend, in the first half of all grants.

        passed_over: The most grants there between two of one process.
    """

    store: str
    processes: int
    counted: int
    expected: int
    are_tokens_unique: bool
    seconds: float
    jain: float
    passed_over: int
    mean: float
    longest: float

    @property
    def are_good(self) -> bool:
        exact = self.counted == self.expected and self.are_tokens_unique
        return exact and self.jain >= FAIR and self.passed_over <= LONGEST * self.processes

    def __str__(self) -> str:
        return (
            f"{self.store}: {self.processes} processes, {self.counted} of {self.expected} counted in "
            f"{self.seconds:.1f} s, {self.expected / self.seconds:.0f} grants/s, Jain {self.jain:.3f}, "
            f"passed over {self.passed_over} times at most, "
            f"wait mean {self.mean:.3f} s, longest {self.longest:.3f} s ({self.longest / self.mean:.1f} ×)"
        )


async def contention(url: str, processes: int, rounds: int, counter: Path) -> Figures:
    """The figures of *processes* that each hold a lock at *url* for *rounds* times."""
    lock = f"contention:{uuid.uuid4().hex}"
    counter.write_text("0")  # noqa: ASYNC240 - nothing else runs yet
    with contextlib.ExitStack() as stack:
        workers = [
            stack.enter_context(worker(contend, url, lock, rounds, str(counter))) for _ in range(processes)
        ]
        for each in workers:
            assert await asyncio.to_thread(each.hears, 60) == "ready"
        begun = time.monotonic()
        for each in workers:
            each.is_told("go")
        grants = [await asyncio.to_thread(each.hears, 240) for each in workers]
    seconds = time.monotonic() - begun
    tokens = sorted(token for each in grants for token, _ in each)
    waits = [waited for each in grants for _, waited in each]
    half = set(tokens[: len(tokens) // 2])
    order = {token: place for place, token in enumerate(tokens)}
    places = [[order[token] for token, _ in each if token in half] for each in grants]
    passed_over = max(
        (later - earlier - 1 for each in places for earlier, later in itertools.pairwise(each)), default=0
    )
    shares = [sum(token in half for token, _ in each) for each in grants]
    grow = all([token for token, _ in each] == sorted(token for token, _ in each) for each in grants)
    return Figures(
        store=url.partition(":")[0],
        processes=processes,
        counted=json.loads(counter.read_text()),  # noqa: ASYNC240 - nothing else runs any more
        expected=processes * rounds,
        are_tokens_unique=grow and len(set(tokens)) == len(tokens),
        seconds=seconds,
        jain=sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares)),
        passed_over=passed_over,
        mean=statistics.mean(waits),
        longest=max(waits),
    )


def main() -> int:
    """Let them contend on every store, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--stores", default="postgres,mariadb,redis,mongo,sqlite")
    given = parser.parse_args()
    failed = False
    for store in given.stores.split(","):
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            url = (
                f"sqlite:///{folder}/locks.sqlite3"
                if store == "sqlite"
                else stack.enter_context(empty_database(store))
            )
            figures = asyncio.run(contention(url, given.processes, given.rounds, Path(folder) / "counter"))
        print(figures, flush=True)
        failed = failed or not figures.are_good
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
