"""The kernel is held against what it was, in speed and in memory."""

from benchmarks.catalogue import COLUMNS, ENDPOINTS, KERNEL
from benchmarks.load import Measured
from benchmarks.parts.before import before, judge
from benchmarks.rounds import Rounds

THEN = before(KERNEL)


def measured(requests: int) -> list[Measured]:
    return [Measured(requests=requests, seconds=1, bytes=1, p50=1, p99=2, cpu=0.5)]


def test_speed_and_memory_are_each_beside_what_they_were() -> None:
    endpoints = [ENDPOINTS["get"], ENDPOINTS["create"]]
    rounds = Rounds(
        {
            f"get/{KERNEL}": measured(980),
            f"get/{THEN}": measured(1000),
            f"create/{KERNEL}": measured(960),
            f"create/{THEN}": measured(1000),
        }
    )

    part = judge([COLUMNS[KERNEL]], endpoints, rounds, {KERNEL: 101, THEN: 100}, "main~1")

    assert {each.name: str(each) for each in part.findings} == {
        "(e) get by key, requests/s": "0.98 (≥ 0.97: met)",
        "(e) create, requests/s": "0.96 (≥ 0.97: not met)",
        "(e) memory after load": "1.01 (≤ 1: not met)",
    }
