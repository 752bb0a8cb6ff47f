"""The figures of the comparison, held against the targets and made into tables."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from benchmarks.catalogue import ALIKE, HAND, KERNEL, LIMIT, VERSIONS, Column, Endpoint
from benchmarks.findings import Finding, Part, Table, Target, number
from benchmarks.rounds import Figure, Rounds, cpu_each, p99, per_second

AGAINST_HAND: Final = {"get": 7.0, "list": 8.5, "create": 6.5, "patch": 5.5}
AGAINST_LIMIT: Final = {"get": 0.97, "list": 0.97, "create": 0.8, "patch": 0.8}
VERSIONS_KEEP: Final = {"get": 0.9, "list": 0.9, "create": 0.85, "patch": 0.85}
P99_OVER_LIMIT: Final = 1.0
MEMORY_OVER_HAND: Final = 1.15

_COMPARISONS: Final[Sequence[tuple[str, str, str, Figure, Callable[[str], Target]]]] = (
    ("requests/s × (a)", KERNEL, HAND, per_second, lambda name: Target(at_least=AGAINST_HAND[name])),
    ("requests/s × (c)", KERNEL, LIMIT, per_second, lambda name: Target(at_least=AGAINST_LIMIT[name])),
    (
        "with versions × without",
        VERSIONS,
        KERNEL,
        per_second,
        lambda name: Target(at_least=VERSIONS_KEEP[name]),
    ),
    ("p99 × (c)", KERNEL, LIMIT, p99, lambda _: Target(at_most=P99_OVER_LIMIT)),
)
"""What is compared: one column with another, in which figure, and what the ratio should be at an endpoint."""


def judge(
    columns: Sequence[Column], endpoints: Sequence[Endpoint], rounds: Rounds, resident: Mapping[str, int]
) -> Part:
    """What the rounds of *columns* at *endpoints* say, as far as the columns are there.

    Args:
        columns: Those that were measured.

        endpoints: Where they were measured.

        rounds: By endpoint and column, as in `get/a`.

        resident: Bytes in RAM after the load, by column.
    """
    verdict = _Verdict(columns, endpoints, rounds, resident)
    return Part(
        tables=[*verdict.targets(), verdict.ratios()],
        findings=[*verdict.at_endpoints.values(), *verdict.memory],
        figures={"rounds": rounds.figures(), "resident_bytes": dict(resident)},
    )


class _Verdict:
    def __init__(
        self,
        columns: Sequence[Column],
        endpoints: Sequence[Endpoint],
        rounds: Rounds,
        resident: Mapping[str, int],
    ) -> None:
        self._columns, self._endpoints = columns, endpoints
        self._rounds, self._resident = rounds, resident
        self._letters = {column.letter for column in columns}
        self._others = [each for each in (HAND, ALIKE, LIMIT) if each in self._letters]
        self.at_endpoints = {
            (endpoint.name, what): Finding(
                f"{endpoint.title}: {what}", self._ratio(endpoint, one, other, figure), target(endpoint.name)
            )
            for endpoint in endpoints
            for what, one, other, figure, target in _COMPARISONS
            if {one, other} <= self._letters
        }
        self.memory: list[Finding] = []
        if {HAND, KERNEL} <= self._letters:
            ratio = resident[KERNEL] / resident[HAND]
            self.memory.append(Finding("memory after load × (a)", ratio, Target(at_most=MEMORY_OVER_HAND)))

    def targets(self) -> list[Table]:
        """The kernel against its targets; nothing without what it is compared with."""
        if not self.at_endpoints:
            return []
        kinds = list(dict.fromkeys(what for _, what in self.at_endpoints))
        rows = [
            (
                endpoint.title,
                *(str(self.at_endpoints[endpoint.name, what]) for what in kinds),
                *self._by_cpu(endpoint),
            )
            for endpoint in self._endpoints
        ]
        by_cpu = [f"by CPU, {' / '.join(f'× ({other})' for other in self._others)}"] if self._others else []
        return [Table("", ("", *kinds, *by_cpu), rows)]

    def ratios(self) -> Table:
        """Every column beside the one by hand and the limit, and what it costs."""
        beside = " / ".join(f"× ({other})" for other in self._others) or "by themselves"
        rows = [
            (
                f"({column.letter}) {column.title}",
                *(self._cell(endpoint, column) for endpoint in self._endpoints),
                self._memory_cell(column),
            )
            for column in self._columns
        ]
        title = f"Requests per second, {beside}; in brackets the server's CPU for each request, and p99:"
        return Table(title, ("", *(each.title for each in self._endpoints), "memory after load"), rows)

    def _cell(self, endpoint: Endpoint, column: Column) -> str:
        name = f"{endpoint.name}/{column.letter}"
        ratios = [number(self._ratio(endpoint, column.letter, other, per_second)) for other in self._others]
        shown = " / ".join(ratios) or number(self._rounds.median(name, per_second))
        cpu, slow = self._rounds.median(name, cpu_each), self._rounds.median(name, p99)
        return f"{shown} ({number(cpu)} µs, {number(slow)} ms)"

    def _memory_cell(self, column: Column) -> str:
        found = f"{self._resident[column.letter] / 1e6:.0f} MB"
        verdict = [f"× (a) {each}" for each in self.memory if column.letter == KERNEL]
        return "; ".join([found, *verdict])

    def _by_cpu(self, endpoint: Endpoint) -> list[str]:
        ratios = [number(1 / self._ratio(endpoint, KERNEL, other, cpu_each)) for other in self._others]
        return [" / ".join(ratios)] if ratios else []

    def _ratio(self, endpoint: Endpoint, one: str, other: str, figure: Figure) -> float:
        return self._rounds.ratio(f"{endpoint.name}/{one}", f"{endpoint.name}/{other}", figure)
