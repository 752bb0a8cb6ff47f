"""A holder is stopped between its read and its write, its lease runs out, another one takes over, and it goes on.

As a script it does so as often as is said, and prints how many of the late writes were accepted:

    python -m tests.faults.sigstop --rounds 200
    python -m tests.faults.sigstop --rounds 50 --leases redis
"""

import argparse
import asyncio
import contextlib
import signal
import sys
import uuid
from dataclasses import dataclass
from typing import Any

from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.domain import Patch
from tests.faults.processes import Worker, bank_at, worker, write_late
from tests.services.wanted import empty_database

TTL = 0.4


@dataclass(slots=True)
class Tally:
    """How the late writes ended."""

    rounds: int = 0
    accepted: int = 0
    lost: int = 0


async def late_writes(url: str, rounds: int, *, wrote_first: bool, locks: str | None = None) -> Tally:
    """Let a late holder write *rounds* times; the other one has written already, or has only acquired."""
    name, tally = f"late:{uuid.uuid4().hex}", Tally()
    bank = bank_at(url, locks)
    async with open_kernel(bank):
        accounts = bank.accounts.repository()
        if (await accounts.read(1)).value_or(None) is None:
            _ = (await accounts.add({"id": 1, "balance": 0})).unwrap()
        with worker(write_late, url, locks, name, TTL) as late:
            for _ in range(rounds):
                late.is_told("again")
                await _round(bank, late, name, tally, wrote_first=wrote_first)
    return tally


async def _round(bank: Any, late: Worker, name: str, tally: Tally, *, wrote_first: bool) -> None:
    assert await asyncio.to_thread(late.hears) == "has read"
    late.is_sent(signal.SIGSTOP)
    late.is_told("go on")
    async with bank.locks().hold(name, ttl=10, wait=30) as lease:
        before = (await bank.accounts.repository().read(1)).unwrap()
        if not wrote_first:
            late.is_sent(signal.SIGCONT)
            ended = await asyncio.to_thread(late.hears)
        async with bank.unit_of_work() as work:
            work.bind(lease)
            if bank.settings().locks.url is not None:
                _ = (await lease.guard(work)).unwrap()
            accounts = work.repository("accounts")
            account = (await accounts.read(1)).unwrap()
            change = Patch({"balance": account.balance + 100, "written_by": "new"})
            _ = (await accounts.update(1, change)).unwrap()
            _ = (await work.commit()).unwrap()
        if wrote_first:
            late.is_sent(signal.SIGCONT)
            ended = await asyncio.to_thread(late.hears)
        after = (await bank.accounts.repository().read(1)).unwrap()
    tally.rounds += 1
    # With a fence the late one may come first, and is then seen: nothing is lost by that.
    tally.accepted += "Success" in ended
    tally.lost += (after.balance - before.balance, after.written_by) != (100 + ("Success" in ended), "new")


def main() -> int:
    """Run the rounds on every server that has transactions, in both orders, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="for each server and each order")
    parser.add_argument("--servers", default="postgres,mariadb,mongo")
    parser.add_argument("--leases", help="a server that keeps the leases; the others stamp their fences")
    given = parser.parse_args()
    failed = False
    for server in given.servers.split(","):
        for wrote_first in (True, False):
            with contextlib.ExitStack() as stack:
                url = stack.enter_context(empty_database(server))
                locks = None if given.leases is None else stack.enter_context(empty_database(given.leases))
                tally = asyncio.run(late_writes(url, given.rounds, wrote_first=wrote_first, locks=locks))
            where = server if locks is None else f"{server}, leases in {given.leases}"
            order = "had written" if wrote_first else "had only acquired"
            print(
                f"{where}: {tally.rounds} rounds, the other one {order}: {tally.accepted} late writes accepted, "
                f"{tally.lost} updates lost",
                flush=True,
            )
            # With a fence, who has stamped before the other one is let through, and seen by it.
            comes_first = locks is not None and not wrote_first
            failed = failed or bool(tally.lost) or (bool(tally.accepted) and not comes_first)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
