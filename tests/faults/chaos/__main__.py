"""`python -m tests.faults.chaos --minutes 20`: break everything by chance under load, and count what was lost.

Two processes serve a shop on PostgreSQL, MariaDB, MongoDB and SQLite at once, with its locks in Redis. Processes and
servers are killed, connections reset, delayed and swallowed, answers to commits lost, clocks stepped, a disk filled,
while clients write and read. What the stores hold at the end is held against what the clients were answered.

Ends with 1 when a write was lost or doubled, a connection leaked, or an answer was none of the documented ones.
"""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.faults.chaos.run import Report, run
from tests.faults.chaos.scene import scene
from tests.faults.chaos.summary import PLACE, for_the_page, lines
from tests.faults.report.table import PAGE, circumstances, write_into
from tests.services import Unavailable

STORES: Final = ("postgres", "mariadb", "mongo", "sqlite")


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _ = parser.add_argument(
        "--minutes", type=float, default=20.0, help="for which things break; half a one will do"
    )
    _ = parser.add_argument("--seed", type=int, help="of what is chosen by chance; printed")
    _ = parser.add_argument(
        "--stores", default=",".join(STORES), metavar="NAME,…", help=f"of {', '.join(STORES)}"
    )
    _ = parser.add_argument(
        "--write", action="store_true", help="put the figures into docs/explanation/faults.md"
    )
    chosen = parser.parse_args(arguments)
    stores = chosen.stores.split(",")
    if unknown := [each for each in stores if each not in STORES]:
        parser.error(f"there is no {', '.join(unknown)}, only {', '.join(STORES)}")
    seed = random.SystemRandom().randrange(1_000_000) if chosen.seed is None else chosen.seed
    _say(f"seed {seed}, {chosen.minutes:g} minutes, {', '.join(stores)}")
    try:
        report = asyncio.run(_run(stores, chosen.minutes, seed))
    except Unavailable as reason:
        print(reason, file=sys.stderr)
        return 1
    for line in lines(report):
        _say(line)
    if chosen.write:
        write_into(PAGE, PLACE, f"{circumstances()}\n{for_the_page(report, chosen.minutes, seed)}")
    return 1 if report.violations else 0


async def _run(stores: Sequence[str], minutes: float, seed: int) -> Report:
    begun = time.monotonic()
    async with scene(stores) as made:
        _say(f"everything runs after {time.monotonic() - begun:.0f} s")
        if not made.clocks.can_step:
            _say("no C compiler: no clock is stepped")
        if made.disk is None:
            _say("not root: no disk is filled")
        report = await run(made, minutes, seed, _say)
        if report.violations:
            kept = Path(tempfile.mkdtemp(prefix=f"fastapi-easy-chaos-{seed}-"))
            for worker in made.workers:
                _ = shutil.copy(worker.log, kept)
            _say(f"the logs of the workers are in {kept}")
        return report


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
