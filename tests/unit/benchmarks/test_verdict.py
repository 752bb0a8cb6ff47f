"""The figures of the comparison are held against the targets, as far as the columns are there."""

import pytest

from benchmarks.catalogue import COLUMNS, ENDPOINTS
from benchmarks.load import Measured
from benchmarks.rounds import Rounds
from benchmarks.verdict import judge

SPEED = {"a": 100, "b": 200, "c": 1000, "d": 50, "e": 800, "f": 90, "v": 700}
RESIDENT = dict.fromkeys(COLUMNS, 100_000_000)


def rounds_of(letters: str) -> Rounds:
    return Rounds(
        {
            f"{name}/{letter}": [
                Measured(requests=SPEED[letter], seconds=1, bytes=1, p50=1, p99=2, cpu=0.5) for _ in range(3)
            ]
            for name in ENDPOINTS
            for letter in letters
        }
    )


def judged(letters: str):
    columns = [COLUMNS[letter] for letter in letters]
    return judge(columns, list(ENDPOINTS.values()), rounds_of(letters), RESIDENT)


def test_every_target_of_every_endpoint_is_judged() -> None:
    part = judged("abcdev")

    assert len(part.findings) == 4 * len(ENDPOINTS) + 1
    missed = [str(each) for each in part.findings if not each.is_met]
    assert missed == [
        "0.80 (≥ 0.97: not met)",  # get against the limit
        "0.88 (≥ 0.9: not met)",
        "8.00 (≥ 8.5: not met)",  # list against what is written by hand
        "0.80 (≥ 0.97: not met)",
        "0.88 (≥ 0.9: not met)",
    ]


@pytest.mark.parametrize(
    ("letters", "tables", "findings"),
    [("a", 1, 0), ("e", 1, 0), ("ac", 1, 0), ("ae", 2, 5), ("ce", 2, 8), ("ev", 2, 4)],
)
def test_some_columns_are_judged_as_far_as_they_go(letters: str, tables: int, findings: int) -> None:
    part = judged(letters)

    assert (len(part.tables), len(part.findings)) == (tables, findings)
    for table in part.tables:
        assert {len(row) for row in table.rows} == {len(table.header)}
