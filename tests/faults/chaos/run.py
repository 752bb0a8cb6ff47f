"""One run: load and faults at the same time, then a quiet moment, and the verdict."""

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.faults.chaos.faults import Injection, process_faults, server_faults
from tests.faults.chaos.file_broker import read_published
from tests.faults.chaos.judging import leaks, oracle
from tests.faults.chaos.judging.documented import documented
from tests.faults.chaos.judging.history import Kind
from tests.faults.chaos.judging.oracle import Violation
from tests.faults.chaos.judging.stored import Stored, read
from tests.faults.chaos.load import History, Load
from tests.faults.chaos.scene import Scene

RECOVERY_LIMIT: Final = 60.0
"""Seconds after the last fault in which every worker has to write to every store again."""
PUBLISHING_LIMIT: Final = 90.0
"""Seconds in which everything has to be published once nothing is written any more."""


@dataclass(slots=True)
class Report:
    """What happened.

    Attributes:
        faults: What was broken, when, and for how long.

        recovery: Seconds after the last fault until each worker has written to each store.

        stored: What the stores held at the end.
    """

    history: History = field(default_factory=History)
    faults: list[tuple[str, float, float]] = field(default_factory=list)
    recovery: float = 0.0
    stored: dict[str, Stored] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)


async def run(scene: Scene, minutes: float, seed: int, tell: Callable[[str], None]) -> Report:
    """Break what is in *scene* for so many *minutes*, and say what came of it."""
    report = Report()
    history = report.history
    load = Load(history, scene.workers, scene.counters, seed)
    injections = [
        Injection(faults, chance, lambda: history.now)
        for faults, chance in (
            (made(scene, own), own)
            for number, made in enumerate((process_faults, server_faults))
            for own in [random.Random(seed + number + 1)]  # noqa: S311 (chooses what breaks)
        )
    ]
    async with load.running():
        async with asyncio.TaskGroup() as group:
            for each in injections:
                _ = group.create_task(each.run(60 * minutes, tell))
        report.faults = sorted((done for each in injections for done in each.done), key=lambda done: done[1])
        tell(f"{history.now:7.2f} s  nothing breaks any more")
        await _recover(scene, report)
    tell(f"{history.now:7.2f} s  nobody asks any more")
    await _publish(scene)
    report.violations += [each async for each in leaks.held(scene)]
    report.violations += [each async for each in _end(scene)]
    report.violations += [each async for each in leaks.left(scene)]
    report.stored = {store: read(store, scene.urls[store]) for store in scene.stores}
    report.violations += _judge(scene, report)
    return report


async def _recover(scene: Scene, report: Report) -> None:
    """Wait until every worker has written to every store, or the limit has passed."""
    begun = report.history.now
    pairs = [(store, worker.name) for store in scene.stores for worker in scene.workers]
    while slow := [pair for pair in pairs if report.history.done_at.get(pair, 0.0) < begun]:
        if report.history.now - begun > RECOVERY_LIMIT:
            report.violations += [
                Violation("no recovery", f"{worker} did not write to {store} for {RECOVERY_LIMIT:g} s")
                for store, worker in slow
            ]
            break
        await asyncio.sleep(0.05)
    report.recovery = report.history.now - begun
    # And a while after that.
    await asyncio.sleep(2.0)


async def _publish(scene: Scene) -> None:
    """Wait until every event is published, or the limit has passed; the oracle says which are not."""
    until = time.monotonic() + PUBLISHING_LIMIT
    while time.monotonic() < until:
        stored = [await asyncio.to_thread(read, store, scene.urls[store]) for store in scene.stores]
        if all(event.is_published for each in stored for event in each.events):
            return
        await asyncio.sleep(0.5)


async def _end(scene: Scene) -> AsyncIterator[Violation]:
    for worker in scene.workers:
        worker.send(signal.SIGTERM)
    for worker in scene.workers:
        worker.exits.append(await worker.ended())
        if any(worker.exits) or None in worker.exits:
            yield Violation(
                "a worker that did not end well", f"{worker.name}: {worker.exits}, {worker.last_words(400)}"
            )


def _judge(scene: Scene, report: Report) -> Sequence[Violation]:
    history = report.history
    published = list(read_published(scene.published))
    found = [*oracle.undocumented(history.requests, documented())]
    found += [Violation("an answer that cannot be", each) for each in history.oddities]
    for store, stored in report.stored.items():
        mine = [
            each
            for each in history.requests
            if each.store == store and each.kind not in {Kind.GET, Kind.LIST}
        ]
        found += oracle.miscounted(mine, stored)
        found += oracle.inconsistent(store, stored)
        found += oracle.unpublished(store, stored, published)
    return found
