"""Which requests are let in while the event loop is late, and how those are treated that are not."""

import asyncio
import logging
import math
import pickle
from typing import Any

import pytest

from fastapi_easy.interfaces.cli.server.shedding import (
    LEAST,
    LONGEST_PACE,
    PACE,
    SHARE,
    Shedding,
)

INTERVAL = 0.05


class Requests:
    """What the server keeps of its requests."""

    def __init__(self) -> None:
        self.tasks: set[object] = set()
        self.total_requests = 0


class OpenDoor:
    """Refuses only what a process does that has too much to do."""

    def __init__(self) -> None:
        self.asked: list[bool] = []

    def refusal(self, target: bytes, scope: Any, *, is_crowded: bool) -> tuple[bytes, bytes] | None:
        self.asked.append(is_crowded)
        return (b"HTTP/1.1 503 Busy\r\ncontent-length: 2\r\n", b"no") if is_crowded else None


class Bench:
    """The shedding of a process, and its clock."""

    def __init__(self) -> None:
        self.shedding = Shedding()
        self.requests = self.shedding.requests = Requests()
        self.now = 100.0

    def pass_time(self, seconds: float, *, late: float = 0.0, rate: float = 0.0) -> None:
        """Let time pass in which the loop is so late, and so many are answered a second."""
        for _ in range(round(seconds / INTERVAL)):
            self.now += INTERVAL + late
            self.requests.total_requests += round(rate * (INTERVAL + late))
            self.shedding.note(self.now, late)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_everything_is_let_in_while_the_loop_is_in_time(bench: Bench) -> None:
    bench.requests.tasks = {object() for _ in range(5000)}

    bench.pass_time(1, late=0.02, rate=10)

    assert bench.shedding.limit == math.inf


def test_a_late_loop_lets_in_what_it_answers_in_time(bench: Bench) -> None:
    bench.pass_time(1, rate=1000)

    bench.pass_time(0.05, late=0.4, rate=1000)

    assert bench.shedding.limit == pytest.approx(500, rel=0.1)
    # It has to catch up before everything is let in again.
    bench.pass_time(0.05, late=0.2, rate=1000)
    assert bench.shedding.limit < math.inf
    bench.pass_time(0.05, late=0.05, rate=1000)
    assert bench.shedding.limit == math.inf


def test_a_few_are_let_in_however_little_is_answered(bench: Bench) -> None:
    bench.pass_time(0.2, late=2.0)

    assert bench.shedding.limit == LEAST


def test_what_lasts_takes_no_place_of_others(bench: Bench) -> None:
    feeds = {object() for _ in range(300)}
    bench.requests.tasks = feeds | {object() for _ in range(40)}
    bench.pass_time(0.05, late=1.0)

    bench.requests.tasks = set(feeds)
    bench.pass_time(0.05, late=1.0)

    assert bench.shedding.limit == 300 + LEAST


async def test_one_that_is_refused_is_answered_as_the_application_says(bench: Bench) -> None:
    door = OpenDoor()
    default = [(b"date", b"today")]
    assert bench.shedding.refusal(b"/", {}, default) is None
    with bench.shedding.watch(door, asyncio.get_running_loop()):
        let_in = bench.shedding.refusal(b"/", {}, default)
        bench.requests.tasks = {object() for _ in range(LEAST)}
        bench.shedding.limit = LEAST
        refused = bench.shedding.refusal(b"/", {}, default)
    after = bench.shedding.refusal(b"/", {}, default)

    assert (let_in, after, door.asked) == (None, None, [False, True])
    assert refused == b"HTTP/1.1 503 Busy\r\ncontent-length: 2\r\ndate: today\r\n\r\nno"


async def test_a_loop_that_is_blocked_is_found_to_be_late(bench: Bench) -> None:
    with bench.shedding.watch(OpenDoor(), asyncio.get_running_loop()):
        await asyncio.sleep(0.1)
        # Nothing else can be done meanwhile.
        bench.shedding.note(asyncio.get_running_loop().time(), 0.0)
        blocked = asyncio.get_running_loop().time() + 0.4
        while asyncio.get_running_loop().time() < blocked:
            pass
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        found = bench.shedding.limit

    assert (found, bench.shedding.limit) == (LEAST, math.inf)


def test_connections_are_read_from_more_rarely_the_more_of_them_are_refused(bench: Bench) -> None:
    cost = 50e-6
    few = [bench.shedding.begin_pause(cost) for _ in range(10)]
    many = [bench.shedding.begin_pause(cost) for _ in range(390)]
    far_too_many = [bench.shedding.begin_pause(cost) for _ in range(5000)]
    for _ in range(5400):
        bench.shedding.end_pause()
    again = bench.shedding.begin_pause(cost)

    assert few == [PACE] * 10
    # Four hundred that ask again as soon as they may take the share that refusals have.
    assert 400 * cost / many[-1] == pytest.approx(SHARE)
    assert far_too_many[-1] == LONGEST_PACE
    assert again == PACE


def test_one_refusal_in_which_the_process_did_not_run_counts_for_little(bench: Bench) -> None:
    for _ in range(50):
        _ = bench.shedding.begin_pause(20e-6)

    assert bench.shedding.begin_pause(0.5) < 2 * PACE


async def test_the_log_tells_once_a_second_how_many_were_refused(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.WARNING, "fastapi_easy.server"),
        bench.shedding.watch(OpenDoor(), asyncio.get_running_loop()),
    ):
        bench.requests.tasks = {object() for _ in range(LEAST)}
        for _ in range(40):
            bench.shedding.limit = LEAST
            for _ in range(10):
                _ = bench.shedding.refusal(b"/", {}, [])
            bench.pass_time(INTERVAL)

    told = [each.args for each in caplog.records]
    assert len(told) in {2, 3}
    assert told[0] == (10, 10)
    assert sum(each[0] for each in told if each) == told[-1][1]


def test_it_goes_to_the_processes_of_workers(bench: Bench) -> None:
    assert pickle.loads(pickle.dumps(Shedding())).limit == math.inf  # noqa: S301 (made here)
