"""The loops of the relay: hints, stops, failures, and what one task means for the others."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from fastapi_easy.application.events.relay import Relay
from fastapi_easy.application.events.relay_task import RelayTask, ScheduledTask


@dataclass
class Work:
    """A task that has so many things to do."""

    left: int = 0
    name: str = "work"
    runs: int = 0
    on_run: Callable[[int], None] = lambda _: None
    ran: asyncio.Event = field(default_factory=asyncio.Event)

    async def run_once(self) -> bool:
        self.runs += 1
        self.ran.set()
        self.on_run(self.runs)
        self.left = max(0, self.left - 1)
        return self.left > 0


@dataclass
class Stuck:
    """A task that takes until it is let, and notes when it is cut short."""

    name: str = "stuck"
    began: asyncio.Event = field(default_factory=asyncio.Event)
    let: asyncio.Event = field(default_factory=asyncio.Event)
    is_finishing: bool = False
    was_cancelled: bool = False
    ended: bool = False

    def finish(self) -> None:
        self.is_finishing = True
        self.let.set()

    async def run_once(self) -> bool:
        self.began.set()
        try:
            await self.let.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        self.ended = True
        return False


def scheduled(task: RelayTask, interval: float = 3600.0, *, is_woken: bool = True) -> ScheduledTask:
    return ScheduledTask(task=task, interval=interval, longest_interval=interval, is_woken=is_woken)


async def test_a_task_is_run_until_it_finds_nothing_more_and_again_after_a_hint() -> None:
    woken, asleep = Work(left=5), Work()
    relay = Relay([scheduled(woken), scheduled(asleep, is_woken=False)])

    async with asyncio.timeout(30), relay.running():
        while woken.runs < 5:
            await woken.ran.wait()
            woken.ran.clear()
        relay.wake()
        await woken.ran.wait()

    assert (woken.runs, asleep.runs) == (6, 1)


async def test_a_task_that_was_woken_and_found_nothing_looks_once_more() -> None:
    work, looked = Work(), asyncio.Event()
    work.on_run = lambda runs: looked.set() if runs == 3 else None
    relay = Relay([scheduled(work)])

    async with asyncio.timeout(30), relay.running():
        await work.ran.wait()
        relay.wake()
        await looked.wait()
        await asyncio.sleep(0.15)

    assert work.runs == 3


async def test_a_hint_during_a_run_is_not_lost() -> None:
    work = Work()
    relay = Relay([scheduled(work)])
    work.on_run = lambda runs: relay.wake() if runs == 1 else relay.stop()

    async with asyncio.timeout(30):
        await relay.run()

    assert work.runs == 2


async def test_without_hints_it_looks_regularly() -> None:
    work = Work()
    relay = Relay([scheduled(work, interval=0.001)])
    work.on_run = lambda runs: relay.stop() if runs == 4 else None

    async with asyncio.timeout(30):
        await relay.run()

    assert work.runs == 4


async def test_a_task_that_fails_is_reported_and_tried_again_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(runs: int) -> None:
        if runs == 1:
            raise RuntimeError("broken")
        relay.stop()

    failing, other = Work(on_run=fail, name="failing"), Work(left=3)
    relay = Relay([scheduled(failing, interval=0.001), scheduled(other)])

    async with asyncio.timeout(30):
        await relay.run()

    assert (failing.runs, other.runs) == (2, 3)
    assert "failing has failed" in caplog.text


async def test_a_stop_lets_what_is_under_way_end() -> None:
    stuck = Stuck()
    async with asyncio.timeout(30), Relay([scheduled(stuck)]).running():
        await stuck.began.wait()

    assert (stuck.is_finishing, stuck.ended, stuck.was_cancelled) == (True, True, False)


async def test_what_takes_longer_than_the_grace_is_cancelled() -> None:
    @dataclass
    class Endless(Stuck):
        def finish(self) -> None:
            self.is_finishing = True

    endless = Endless()
    async with asyncio.timeout(30), Relay([scheduled(endless)], grace=0.01).running():
        await endless.began.wait()

    assert (endless.ended, endless.was_cancelled) == (False, True)


async def test_a_drain_ends_when_no_task_finds_anything() -> None:
    first, second = Work(left=3), Work(left=1)

    await Relay([scheduled(first), scheduled(second)]).drain()

    assert (first.left, second.left) == (0, 0)
    assert first.runs == second.runs == 3


async def test_a_relay_without_tasks_waits_for_its_stop() -> None:
    async with asyncio.timeout(30), Relay([]).running():
        pass
