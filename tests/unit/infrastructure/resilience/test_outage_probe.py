"""A dependency is asked while its breaker is open, one question at a time, and not otherwise."""

import asyncio
from collections.abc import Callable

import pytest

from fastapi_easy.domain.ports import CallNotPermitted, CircuitState
from fastapi_easy.infrastructure.resilience.circuit_breaker import BreakerLimits, CircuitBreaker
from fastapi_easy.infrastructure.resilience.outage_probe import OutageProbe
from fastapi_easy.testing import FrozenClock

PAUSE = 0.5


class Line:
    """A dependency that is away for some seconds of a clock that only the probes move."""

    def __init__(self, away: float) -> None:
        self.clock = FrozenClock()
        self.half_open = asyncio.Event()
        limits = BreakerLimits(calls=2, pause=60, longest_pause=60)
        self.breaker = CircuitBreaker(limits, self.clock.monotonic, self.changed)
        self.probe = OutageProbe("default", self.breaker, self.answers, lambda: PAUSE, self.sleep)
        self.back = self.clock.monotonic() + away
        self.asked = 0
        self.at_once = 0
        self.error: Exception | None = None

    async def sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)
        await asyncio.sleep(0)

    async def answers(self) -> bool:
        self.asked += 1
        self.at_once += 1
        assert self.at_once == 1
        await asyncio.sleep(0)
        self.at_once -= 1
        if self.error is not None and self.asked == 1:
            raise self.error
        return self.clock.monotonic() >= self.back

    def fail(self) -> None:
        for _ in range(2):
            self.breaker.leave(self.breaker.enter(), answered=False)

    def changed(self, state: CircuitState) -> None:
        if state is CircuitState.HALF_OPEN:
            self.half_open.set()


@pytest.mark.parametrize("away", [0.2, 20.0])
async def test_a_call_is_let_through_as_soon_as_the_dependency_answers(away: float) -> None:
    line = Line(away)
    line.probe.start()

    line.fail()
    with pytest.raises(CallNotPermitted):
        _ = line.breaker.enter()
    _ = await asyncio.wait_for(line.half_open.wait(), 20)

    assert line.clock.monotonic() - line.back <= PAUSE
    line.breaker.leave(line.breaker.enter(), answered=True)
    assert line.breaker.circuit.state is CircuitState.CLOSED
    await line.probe.close()


async def test_one_that_answers_is_not_asked() -> None:
    line = Line(0)
    line.probe.start()

    for _ in range(10):
        line.breaker.leave(line.breaker.enter(), answered=True)
        await asyncio.sleep(0)

    assert line.asked == 0
    await line.probe.close()


async def test_a_probe_that_raises_is_logged_and_made_again(caplog: pytest.LogCaptureFixture) -> None:
    line = Line(0)
    line.error = OSError("a defect")
    line.probe.start()

    line.fail()
    _ = await asyncio.wait_for(line.half_open.wait(), 20)

    assert line.asked == 2
    assert "the probe of default failed" in caplog.text
    await line.probe.close()


@pytest.mark.parametrize("operate", [CircuitBreaker.isolate, CircuitBreaker.reset])
async def test_what_an_operator_has_decided_ends_the_probes(
    operate: Callable[[CircuitBreaker], None],
) -> None:
    line = Line(1e9)
    line.probe.start()
    line.fail()
    await asyncio.sleep(0)

    operate(line.breaker)
    for _ in range(5):
        await asyncio.sleep(0)
    asked, state = line.asked, line.breaker.circuit.state
    for _ in range(20):
        await asyncio.sleep(0)

    assert (line.asked, line.breaker.circuit.state) == (asked, state)
    await line.probe.close()


async def test_nothing_is_asked_once_it_is_closed() -> None:
    line = Line(1e9)
    line.probe.start()
    line.fail()
    await asyncio.sleep(0)

    await line.probe.close()
    asked = line.asked
    line.breaker.reset()
    line.fail()
    await asyncio.sleep(0)

    assert line.asked == asked
