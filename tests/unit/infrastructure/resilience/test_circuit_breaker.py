"""When a breaker opens, what it lets through then, and when it closes."""

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastapi_easy.domain import UnavailableReason
from fastapi_easy.domain.ports import Breaker, CallNotPermitted, CircuitState
from fastapi_easy.infrastructure.resilience.circuit_breaker import BreakerLimits, CircuitBreaker, log_change
from fastapi_easy.testing import FrozenClock


class Bench:
    """A breaker, its clock, and what it told."""

    def __init__(self, **limits: float) -> None:
        self.clock = FrozenClock()
        self.told: list[CircuitState] = []
        self.breaker = CircuitBreaker(BreakerLimits(**limits), self.clock.monotonic, self.told.append)

    def call(self, answered: bool | None, *, slow: bool = False) -> bool:
        """Whether a call was let through, which ends as told."""
        try:
            permit = self.breaker.enter()
        except CallNotPermitted:
            return False
        self.breaker.leave(permit, answered=answered, slow=slow)
        return True

    def calls(self, *answers: bool | None) -> int:
        """How many of so many calls were let through."""
        return sum(self.call(each) for each in answers)

    @property
    def state(self) -> CircuitState:
        return self.breaker.circuit.state


def opened(**limits: float) -> Bench:
    bench = Bench(calls=2, **limits)
    assert bench.calls(False, False) == 2
    assert bench.state is CircuitState.OPEN
    return bench


def test_slow_calls_are_enough_when_they_are_as_many_as_there_are_connections():
    bench = Bench(calls=20, slow_calls=10, slow_after=2.0)

    for _ in range(9):
        assert bench.call(True, slow=True)
        bench.clock.advance(0.9)
    assert bench.state is CircuitState.CLOSED
    assert bench.call(True, slow=True)

    assert bench.state is CircuitState.OPEN


def test_unanswered_calls_have_to_be_more_than_slow_ones():
    bench = Bench(calls=20, slow_calls=10, slow_after=2.0)

    assert bench.calls(*[False] * 19) == 19

    assert bench.state is CircuitState.CLOSED


def test_it_is_a_breaker():
    assert isinstance(Bench().breaker, Breaker)


def test_opens_at_its_ratio_without_consecutive_failures():
    bench = Bench(ratio=0.5, calls=10)

    through = bench.calls(*([False, False, False, False, True] * 20))

    assert through == 11
    assert bench.told == [CircuitState.OPEN]


def test_too_few_calls_do_not_open_it():
    bench = Bench(calls=10)

    assert bench.calls(*[False] * 9) == 9
    assert bench.state is CircuitState.CLOSED


def test_what_is_older_than_the_window_does_not_count():
    bench = Bench(calls=10, window=10)
    assert bench.calls(*[False] * 9) == 9

    bench.clock.advance(10.1)

    assert bench.calls(*[False] * 9) == 9
    assert bench.state is CircuitState.CLOSED


def test_answers_in_the_window_count_against_failures():
    bench = Bench(calls=10, window=10, ratio=0.5)
    _ = bench.calls(*[True] * 20)
    bench.clock.advance(9)

    assert bench.calls(*[False] * 9, True, *[False] * 9, True, *[False] * 3) == 23
    assert bench.state is CircuitState.CLOSED
    assert bench.call(False)
    assert bench.state is CircuitState.OPEN


def test_consecutive_failures_open_it_after_busy_times():
    bench = Bench(calls=10, window=10, ratio=0.5)
    _ = bench.calls(*[True] * 10_000)

    assert bench.calls(*[False] * 100) == 10
    assert bench.state is CircuitState.OPEN


def test_slow_answers_have_a_ratio_of_their_own():
    bench = Bench(calls=10, slow_after=1, slow_ratio=0.8)
    _ = bench.calls(*[True] * 2)

    through = sum(bench.call(True, slow=True) for _ in range(20))

    # Of ten, two were quick.
    assert through == 8
    assert bench.state is CircuitState.OPEN


def test_slow_answers_below_the_ratio_do_not_open_it():
    bench = Bench(calls=10, slow_after=1, slow_ratio=0.8)

    for _ in range(100):
        assert bench.call(True)
        assert all(bench.call(True, slow=True) for _ in range(3))

    assert bench.state is CircuitState.CLOSED


def test_too_few_or_too_old_slow_answers_do_not_open_it():
    bench = Bench(calls=10, window=10, slow_after=1)
    assert all(bench.call(True, slow=True) for _ in range(9))
    bench.clock.advance(10.1)

    assert all(bench.call(True, slow=True) for _ in range(9))
    assert bench.state is CircuitState.CLOSED


def test_failures_count_towards_the_slow_ratio():
    bench = Bench(calls=10, ratio=0.6, slow_after=1, slow_ratio=1)
    _ = bench.calls(*[False] * 5)
    assert bench.state is CircuitState.CLOSED

    assert all(bench.call(True, slow=True) for _ in range(5))
    assert bench.state is CircuitState.OPEN


def test_a_slow_probe_opens_it_again():
    bench = opened(pause=5, slow_after=1)
    bench.clock.advance(5)

    assert bench.call(True, slow=True)

    assert bench.state is CircuitState.OPEN
    assert bench.breaker.circuit.retry_after == 10


def test_one_failed_probe_of_several_opens_it_again():
    bench = opened(pause=5, probes=3)
    bench.clock.advance(5)
    first, second, third = (bench.breaker.enter() for _ in range(3))

    bench.breaker.leave(first, answered=True)
    bench.breaker.leave(second, answered=False)
    bench.breaker.leave(third, answered=True)

    assert bench.state is CircuitState.OPEN
    assert bench.breaker.circuit.retry_after == 10


def test_a_cancelled_call_does_not_count():
    bench = Bench(calls=2)

    assert bench.calls(*[None] * 50) == 50
    assert bench.state is CircuitState.CLOSED


def test_an_open_breaker_says_when_to_retry():
    bench = opened(pause=5)
    bench.clock.advance(2)

    with pytest.raises(CallNotPermitted) as refused:
        _ = bench.breaker.enter()

    assert refused.value.reason is UnavailableReason.CIRCUIT_OPEN
    assert 3 <= refused.value.retry_after < 6
    assert bench.breaker.circuit.refused == 1


@pytest.mark.parametrize("probes", [1, 3])
def test_a_half_open_breaker_lets_only_probes_through(probes):
    bench = opened(pause=5, probes=probes)
    bench.clock.advance(5)

    permits = []
    for _ in range(50):
        try:
            permits.append(bench.breaker.enter())
        except CallNotPermitted:
            continue

    assert len(permits) == probes
    for permit in permits:
        assert bench.state is CircuitState.HALF_OPEN
        bench.breaker.leave(permit, answered=True)
    assert bench.told == [CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.CLOSED]


def test_a_failed_probe_doubles_the_pause_up_to_the_maximum():
    bench = opened(pause=5, longest_pause=12)
    pauses = []
    for _ in range(3):
        bench.clock.advance(bench.breaker.circuit.retry_after)
        assert bench.call(False)
        pauses.append(bench.breaker.circuit.retry_after)

    assert pauses == [10, 12, 12]
    bench.clock.advance(12)
    assert bench.call(True)
    assert bench.state is CircuitState.CLOSED
    _ = bench.calls(False, False)
    assert bench.breaker.circuit.retry_after == 5


def test_a_cancelled_probe_gives_its_permit_to_another():
    bench = opened(pause=5)
    bench.clock.advance(5)

    assert bench.calls(None, None) == 2
    assert bench.state is CircuitState.HALF_OPEN
    assert bench.call(True)
    assert bench.state is CircuitState.CLOSED


def test_a_lost_probe_counts_as_a_failure():
    bench = opened(pause=5, probe_timeout=30)
    bench.clock.advance(5)
    lost = bench.breaker.enter()

    bench.clock.advance(29)
    assert not bench.call(True)
    assert bench.state is CircuitState.HALF_OPEN
    bench.clock.advance(1)
    assert not bench.call(True)
    assert bench.state is CircuitState.OPEN

    bench.breaker.leave(lost, answered=True)
    assert bench.state is CircuitState.OPEN


def test_calls_from_an_earlier_state_do_not_count():
    bench = Bench(calls=2, pause=5)
    late = [bench.breaker.enter() for _ in range(4)]
    _ = bench.calls(False, False)
    bench.clock.advance(5)
    _ = bench.breaker.enter()

    for permit in late:
        bench.breaker.leave(permit, answered=True)
    assert bench.state is CircuitState.HALF_OPEN
    for permit in late:
        bench.breaker.leave(permit, answered=False)
    assert bench.state is CircuitState.HALF_OPEN


def test_an_isolated_breaker_stays_so_until_reset():
    bench = Bench()
    bench.breaker.isolate()
    bench.clock.advance(3600)

    assert bench.calls(True, True) == 0
    bench.breaker.reset()
    assert bench.calls(True, True) == 2
    assert bench.told == [CircuitState.ISOLATED, CircuitState.CLOSED]


def test_changes_are_logged(caplog):
    with caplog.at_level(logging.INFO, "fastapi_easy.resilience"):
        log_change("main", CircuitState.HALF_OPEN)
        log_change("main", CircuitState.CLOSED)

    assert [(each.levelname, each.message) for each in caplog.records] == [
        ("WARNING", "circuit breaker of main is half open"),
        ("INFO", "circuit breaker of main is closed"),
    ]


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(st.sampled_from([True, False, None, "enter", "leave"]), st.floats(0, 4)), max_size=120
    ),
    st.integers(1, 3),
)
def test_always_opens_when_nothing_answers_and_closes_when_everything_does(steps, probes):
    bench = Bench(calls=5, window=10, pause=2, longest_pause=8, probes=probes, probe_timeout=10)
    held: list[int] = []
    for step, seconds in steps:
        bench.clock.advance(seconds)
        if step == "enter":
            try:
                held.append(bench.breaker.enter())
            except CallNotPermitted:
                continue
        elif step == "leave":
            if held:
                bench.breaker.leave(held.pop(), answered=bool(seconds > 2))
        else:
            _ = bench.call(step)

    for _ in range(40):
        _ = bench.call(False)
    assert bench.state is not CircuitState.CLOSED
    for _ in range(40):
        bench.clock.advance(10)
        _ = bench.call(True)
    assert bench.state is CircuitState.CLOSED


def test_an_answer_to_something_else_ends_the_pause():
    bench = opened(pause=5)

    bench.breaker.admit_probe()

    assert bench.state is CircuitState.HALF_OPEN
    assert bench.calls(True, True) == 2
    assert bench.told == [CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.CLOSED]


def test_one_that_was_let_through_too_early_leaves_it_to_the_pauses():
    bench = opened(pause=5, longest_pause=20)
    bench.breaker.admit_probe()
    assert bench.calls(False) == 1

    bench.breaker.admit_probe()

    assert bench.state is CircuitState.OPEN
    bench.clock.advance(10)
    assert bench.calls(True, True) == 2
    assert bench.state is CircuitState.CLOSED


@pytest.mark.parametrize("state", ["closed", "isolated"])
def test_an_answer_changes_nothing_unless_it_is_open(state: str):
    bench = Bench(calls=2)
    if state == "isolated":
        bench.breaker.isolate()

    bench.breaker.admit_probe()

    assert bench.state == state
