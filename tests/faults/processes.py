"""Processes that hold locks, wait for them and are paused or killed while they do.

They are forked from one that has the imports behind it, so that sixteen of them start in a moment.
"""

import asyncio
import contextlib
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from returns.result import Failure
from sqlmodel import Field, SQLModel

from fastapi_easy.application.locks.lock_manager import LockManager
from fastapi_easy.bootstrap import open_kernel
from fastapi_easy.composition.leases import open_leases, open_session_locks
from fastapi_easy.container import Container, resource
from fastapi_easy.domain import LeaseLost, LockDeadlock, LockMisuse, Patch
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.settings import LockSettings, Settings
from tests.faults.memos import Memo

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])


DEADLOCK_WAIT = 60
"""Seconds that a process in a deadlock would wait if nobody noticed."""


class Account(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    balance: int = 0
    written_by: str = ""


class Bank(Container):
    accounts = resource(Account)


class MemoBank(Container):
    accounts = resource(Memo)


@dataclass(frozen=True, slots=True)
class Worker:
    """A process, and what it says."""

    process: Any
    pipe: Any

    def hears(self, limit: float = 120.0) -> Any:
        """What it says next."""
        assert self.pipe.poll(limit), "the process says nothing"
        return self.pipe.recv()

    def is_told(self, word: Any) -> None:
        """Tell it to go on."""
        self.pipe.send(word)

    def is_sent(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.process.pid, number)


@contextlib.contextmanager
def worker(work: Any, *arguments: Any) -> Iterator[Worker]:
    """A process that does *work*, a function of a pipe and *arguments*; killed at the end."""
    here, there = _context.Pipe()
    process = _context.Process(target=_run, args=(work, there, *arguments), daemon=True)
    process.start()
    there.close()
    try:
        yield Worker(process, here)
    finally:
        process.kill()
        process.join(10)
        here.close()


def _run(work: Any, pipe: Any, *arguments: Any) -> None:
    asyncio.run(work(pipe, *arguments))


def locks_at(url: str) -> LockManager:
    """The locks kept at *url*; those of sessions when it begins with `session+`."""
    clock = SystemClock()
    if url.startswith("session+"):
        return LockManager(open_session_locks(url.removeprefix("session+"), clock), clock)
    settings = Settings(locks=LockSettings.model_validate({"url": url}))
    return LockManager(open_leases(settings, clock, lambda: None), clock)  # type: ignore[arg-type, return-value]


def bank_at(url: str, locks: str | None = None) -> Any:
    """An application whose accounts are kept at *url*, and its locks there too, or at *locks*."""
    container = MemoBank if url.startswith("mongodb") else Bank
    kept = {} if locks is None else {"locks": {"url": locks}}
    return container(settings=Settings(databases={"default": {"url": url}}, **kept))


async def told(pipe: Any) -> Any:
    """What the test says next."""
    return await asyncio.to_thread(pipe.recv)


async def hold(pipe: Any, url: str, name: str, ttl: float) -> None:
    """Hold *name* until told otherwise; say the token, and when it was lost."""
    async with contextlib.AsyncExitStack() as stack:
        locks = locks_at(url)
        stack.push_async_callback(locks.aclose)
        try:
            async with locks.hold(name, ttl=ttl, wait=30) as lease:
                pipe.send(lease.token)
                await told(pipe)
        except LeaseLost:
            pipe.send(("lost", time.monotonic()))
            await told(pipe)
        else:
            pipe.send("released")


async def fork_inside(pipe: Any, url: str, name: str, ttl: float) -> None:
    """As `hold`, and fork off a child meanwhile, which tries to lock too; say what became of that."""
    locks = locks_at(url)
    async with locks.hold(name, ttl=ttl) as lease:
        pipe.send(lease.token)
        child = os.fork()
        if child == 0:
            asyncio.run(_ask_in_child(pipe, locks, name))
            os._exit(0)
        _ = await asyncio.to_thread(os.waitpid, child, 0)
        await told(pipe)
        lease.check()
    pipe.send("released")
    await locks.aclose()


async def _ask_in_child(pipe: Any, locks: LockManager, name: str) -> None:
    try:
        async with locks.hold(f"{name}:child", wait=0):
            pipe.send("held")
    except LockMisuse as refused:
        pipe.send(type(refused).__name__)


async def sleep_inside(pipe: Any, url: str, name: str, ttl: float) -> None:
    """As `hold`, without a thread that would have to be told: only the loss ends it."""
    locks = locks_at(url)
    try:
        async with locks.hold(name, ttl=ttl) as lease:
            pipe.send(lease.token)
            await asyncio.sleep(300)
    except LeaseLost:
        pipe.send(time.monotonic())
    await locks.aclose()


async def contend(pipe: Any, url: str, name: str, rounds: int, counter: str) -> None:
    """Count up *rounds* times, as only one may at a time; say each token and how long it was waited for."""
    locks, place = locks_at(url), Path(counter)
    async with locks.hold(f"{name}:warm:{os.getpid()}"):
        pipe.send("ready")
    await told(pipe)
    grants = []
    for _ in range(rounds):
        begun = time.monotonic()
        async with locks.hold(name, wait=120) as lease:
            waited = time.monotonic() - begun
            value = json.loads(place.read_text())  # noqa: ASYNC240 - a moment, and nobody else is here
            await asyncio.sleep(0.002)
            place.write_text(json.dumps(value + 1))  # noqa: ASYNC240
            grants.append((lease.token, waited))
    pipe.send(grants)
    await locks.aclose()


async def hold_both(pipe: Any, url: str, first: str, second: str) -> None:
    """Hold *first*, then, when told, *second* too; say how it ended, and after how long."""
    locks = locks_at(url)
    async with locks.hold(first):
        pipe.send("holds")
        await told(pipe)
        begun = time.monotonic()
        try:
            async with locks.hold(second, wait=DEADLOCK_WAIT):
                pipe.send(("done", time.monotonic() - begun))
        except LockDeadlock as refused:
            pipe.send((list(refused.cycle), time.monotonic() - begun))
    await locks.aclose()


async def write_late(pipe: Any, url: str, locks: str | None, name: str, ttl: float) -> None:
    """Read an account and, when told, write it in the same unit of work, bound to a lease; say how that ended.

    Over and over, once for each message.
    """
    bank = bank_at(url, locks)
    async with open_kernel(bank):
        while await told(pipe) == "again":
            async with (
                bank.locks().hold(name, ttl=ttl, wait=30, on_lost="event") as lease,
                bank.unit_of_work() as work,
            ):
                work.bind(lease)
                if locks is not None:
                    # Stopped before it stamps; once it has, whoever stamps next waits for the end of its transaction.
                    pipe.send("has read")
                    pipe.recv()
                    stamped = await lease.guard(work)
                    if isinstance(stamped, Failure):
                        pipe.send(repr(stamped))
                        continue
                accounts = work.repository("accounts")
                account = (await accounts.read(1)).unwrap()
                if locks is None:
                    # Stopped by a signal, before it hears anything: nothing of this process goes on meanwhile.
                    pipe.send("has read")
                    pipe.recv()
                change = Patch({"balance": account.balance + 1, "written_by": "late"})
                _ = await accounts.update(1, change)
                pipe.send(repr(await work.commit()))
