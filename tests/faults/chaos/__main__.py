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
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.faults.chaos.judging.history import Request
from tests.faults.chaos.run import Report, run
from tests.faults.chaos.scene import scene
from tests.services import Unavailable

STORES: Final = ("postgres", "mariadb", "mongo", "sqlite")
SHOWN: Final = 10
"""Pieces of evidence that are shown for each kind of violation."""


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
    _show(report)
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


def _show(report: Report) -> None:
    requests = report.history.requests
    _say(f"\n{len(report.faults)} faults:")
    for name, number in sorted(Counter(name for name, _, _ in report.faults).items()):
        _say(f"  {number:4} {name}")
    _say(f"\n{len(requests)} requests, the answers to their attempts:")
    for (store, what), number in sorted(_answers(requests).items()):
        _say(f"  {number:6} {store:9} {what}")
    _say("\nwhat clients may conclude, and what is stored:")
    for store, stored in report.stored.items():
        ended = Counter(each.ending for each in requests if each.store == store)
        _say(
            f"  {store}: {', '.join(f'{number} {ending}' for ending, number in sorted(ended.items()))}; "
            f"{len(stored.articles)} articles, {len(stored.events)} events, {len(stored.marks)} increments"
        )
    _say(f"\nevery worker wrote to every store {report.recovery:.1f} s after the last fault")
    kinds = Counter(each.what for each in report.violations)
    for what, number in kinds.items():
        _say(f"\n{number} × {what}:")
        for each in [each for each in report.violations if each.what == what][:SHOWN]:
            _say(f"  {each.evidence}")
    _say(
        "\n"
        + (
            "; ".join(f"{number} × {what}" for what, number in kinds.items())
            or "nothing was lost, doubled or leaked"
        )
    )


def _answers(requests: Sequence[Request]) -> Counter[tuple[str, str]]:
    return Counter(
        (
            each.store,
            f"{answer.status} {answer.code}".strip() if answer.status else f"no answer ({answer.detail})",
        )
        for each in requests
        for answer in each.answers
    )


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
