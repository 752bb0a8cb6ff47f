"""Round after round, each contestant in turn: what differs is then the contestant and not the minute."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.load import Measured

Figure = Callable[[Measured], float]
Run = Callable[[int], Measured]
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Rounds:
    """What the rounds brought.

    Attributes:
        measured: By contestant, one for each round.
    """

    measured: Mapping[str, Sequence[Measured]]

    def median(self, name: str, figure: Figure) -> float:
        """The median of *figure* over the rounds."""
        return statistics.median(map(figure, self.measured[name]))

    def ratio(self, name: str, other: str, figure: Figure) -> float:
        """The median of what *figure* of *name* is to that of *other* in the same round."""
        pairs = zip(self.measured[name], self.measured[other], strict=True)
        return statistics.median(figure(one) / figure(two) for one, two in pairs)

    def figures(self) -> dict[str, dict[str, list[float]]]:
        """Everything that was measured, for a file."""
        return {
            name: {
                "per_second": [round(per_second(each), 1) for each in all_rounds],
                "cpu_microseconds": [round(cpu_each(each), 1) for each in all_rounds],
                "p50_ms": [p50(each) for each in all_rounds],
                "p99_ms": [p99(each) for each in all_rounds],
            }
            for name, all_rounds in self.measured.items()
        }


def run_rounds(runs: Mapping[str, Run], rounds: int, tell: Tell) -> Rounds:
    """Let each of *runs* measure once in each round; it is given the number of the round."""
    measured: dict[str, list[Measured]] = {name: [] for name in runs}
    for number in range(1, rounds + 1):
        for name, run in runs.items():
            one = run(number)
            measured[name].append(one)
            tell(
                f"round {number} of {rounds}  {name:24}{per_second(one):9,.0f}/s{cpu_each(one):8,.0f} µs CPU"
                f"   p50 {one.p50:.1f} ms, p99 {one.p99:.1f} ms"
            )
    return Rounds(measured)


def per_second(measured: Measured) -> float:
    """Requests answered each second."""
    return measured.requests / measured.seconds


def cpu_each(measured: Measured) -> float:
    """Microseconds of CPU for each request."""
    return measured.cpu / measured.requests * 1e6


def p50(measured: Measured) -> float:
    """Milliseconds that half of the answers took at most."""
    return measured.p50


def p99(measured: Measured) -> float:
    """Milliseconds that all but one answer of a hundred took at most."""
    return measured.p99
