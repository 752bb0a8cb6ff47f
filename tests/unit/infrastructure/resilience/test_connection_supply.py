"""What a pool that is cold, or slow to connect, is expected to give to those who wait."""

import pytest

from fastapi_easy.domain.ports import CallNotPermitted
from fastapi_easy.infrastructure.resilience.connection_supply import ConnectionSupply
from fastapi_easy.infrastructure.resilience.wait_queue import WaitQueue
from fastapi_easy.testing import FrozenClock


class Bench:
    """A supply of ten connections, two of which are made at a time, and its clock."""

    def __init__(self, *, size: int = 10, connecting: float | None = None) -> None:
        self.clock = FrozenClock()
        self.opened = 0
        self.supply = ConnectionSupply(size, 2, 2.0, lambda: self.opened, self.clock.monotonic)
        if connecting is not None:
            self.connect(connecting)

    def connect(self, seconds: float) -> None:
        """Make a connection, which takes so long."""
        begun = self.supply.begin()
        self.clock.advance(seconds)
        self.opened += 1
        self.supply.end(begun, answered=True)

    def rejected(self, waiters: int, queue_time: float = 0.5) -> int:
        """How many of so many who come at once are rejected."""
        queue = WaitQueue[int](queue_time, self.supply, now=self.clock.monotonic)
        for each in range(waiters):
            try:
                queue.enqueue(each)
            except CallNotPermitted:
                continue
        return queue.shed


def test_a_full_pool_gives_all_its_time():
    bench = Bench(size=2)
    bench.opened = 2

    assert bench.supply.seconds_within(0.5) == 1.0


def test_connections_that_are_quickly_made_count_as_if_they_were_there():
    assert Bench(connecting=0.001).supply.seconds_within(0.5) == pytest.approx(5, rel=0.01)


@pytest.mark.parametrize(
    ("takes", "expected"),
    [
        # Two after 0.1 s, two after 0.2 s, and so on: 2 * (0.4 + 0.3 + 0.2 + 0.1), and the one that there is.
        pytest.param(0.1, 0.5 + 2.0, id="five in time"),
        pytest.param(0.5, 0.5, id="none in time"),
        pytest.param(3.0, 0.5, id="late"),
    ],
)
def test_connections_that_are_slowly_made_count_from_when_they_are_there(takes: float, expected: float):
    assert Bench(connecting=takes).supply.seconds_within(0.5) == pytest.approx(expected)


def test_it_is_known_how_long_one_has_been_made_already():
    bench = Bench(connecting=0.5)
    _ = bench.supply.begin()
    bench.clock.advance(0.4)

    # One tenth of a second is left, and then the second round is too late.
    assert bench.supply.seconds_within(0.5) == pytest.approx(0.5 + 2 * 0.4)


def test_one_that_takes_longer_than_usual_is_expected_to_take_as_long_again():
    bench = Bench(connecting=0.1)
    _ = bench.supply.begin()
    bench.clock.advance(0.3)

    assert bench.supply.seconds_within(0.5) == pytest.approx(0.5 + 2 * 0.2)


def test_who_would_wait_for_the_first_connection_in_vain_is_rejected_at_once():
    bench = Bench(connecting=3.0)
    bench.opened = 0

    # The first is let in, so that one is made at all.
    assert bench.rejected(400) == 399


def test_waiting_for_the_first_connection_is_not_waiting_behind_others():
    bench = Bench(connecting=0.6)
    bench.opened = 0

    assert bench.rejected(6) == 0


def test_an_attempt_that_is_refused_says_nothing_of_how_long_one_takes():
    bench = Bench(connecting=1.0)
    begun = bench.supply.begin()
    bench.supply.end(begun, answered=False)

    assert (bench.supply.connecting, bench.supply.seconds_within(0.5)) == (0, 0.5)
    bench.opened = 0
    assert bench.supply.grace == 1.0
