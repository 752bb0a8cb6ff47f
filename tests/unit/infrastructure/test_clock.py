"""The clock of the machine and the one that stands still."""

import datetime

import pytest

from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.infrastructure.clock import SystemClock
from fastapi_easy.testing import FrozenClock


@pytest.mark.parametrize("clock", [SystemClock(), FrozenClock()], ids=["system", "frozen"])
def test_a_clock_is_aware_and_in_utc(clock):
    assert isinstance(clock, Clock)
    assert clock.now().utcoffset() == datetime.timedelta(0)
    assert clock.monotonic() <= clock.monotonic()


def test_the_system_clock_tells_the_time():
    before = datetime.datetime.now(datetime.UTC)

    assert before <= SystemClock().now() <= datetime.datetime.now(datetime.UTC)


@pytest.mark.parametrize("step", [1.5, datetime.timedelta(seconds=1.5)])
def test_a_frozen_clock_moves_when_told_to(frozen_clock, step):
    now, monotonic = frozen_clock.now(), frozen_clock.monotonic()

    frozen_clock.advance(step)

    assert frozen_clock.now() - now == datetime.timedelta(seconds=1.5)
    assert frozen_clock.monotonic() - monotonic == 1.5


def test_a_frozen_clock_stands_still(frozen_clock):
    assert frozen_clock.now() == frozen_clock.now()


def test_a_frozen_clock_takes_its_time_in_any_zone():
    east = datetime.timezone(datetime.timedelta(hours=2))

    clock = FrozenClock(datetime.datetime(2026, 1, 1, 2, tzinfo=east))

    assert clock.now().isoformat() == "2026-01-01T00:00:00+00:00"


def test_time_does_not_go_back(frozen_clock):
    with pytest.raises(ValueError, match="cannot go backwards"):
        frozen_clock.advance(-1)
