"""Ratios are taken within a round, and the rounds are interleaved."""

from benchmarks.load import Measured
from benchmarks.rounds import Rounds, cpu_each, per_second, run_rounds


def measured(requests: int, cpu: float = 1.0) -> Measured:
    return Measured(requests=requests, seconds=2.0, bytes=1, p50=1.0, p99=2.0, cpu=cpu)


def test_figures_are_for_each_second_and_each_request() -> None:
    one = measured(1000, cpu=0.5)

    assert (per_second(one), cpu_each(one)) == (500.0, 500.0)


def test_a_slow_minute_for_everybody_changes_no_ratio() -> None:
    rounds = Rounds(
        {
            "fast": [measured(8000), measured(800), measured(9000)],
            "slow": [measured(1000), measured(100), measured(1000)],
        }
    )

    assert rounds.ratio("fast", "slow", per_second) == 8.0
    assert rounds.median("fast", per_second) == 4000.0


def test_everybody_has_a_turn_before_anybody_has_another() -> None:
    turns: list[tuple[str, int]] = []
    told: list[str] = []

    def contestant(name: str):
        def run(number: int) -> Measured:
            turns.append((name, number))
            return measured(number * 100)

        return run

    rounds = run_rounds({name: contestant(name) for name in "abc"}, 2, told.append)

    assert turns == [("a", 1), ("b", 1), ("c", 1), ("a", 2), ("b", 2), ("c", 2)]
    assert [each.requests for each in rounds.measured["b"]] == [100, 200]
    assert len(told) == 6
