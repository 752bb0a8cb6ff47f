"""What wrk prints becomes figures, or a refusal."""

import json

import pytest

from benchmarks.load import LoadFailed, read_printed

PRINTED = {
    "requests": 8000,
    "microseconds": 4_000_000,
    "bytes": 1_600_000,
    "refused": 0,
    "broken": 0,
    "p50": 3500,
    "p99": 12_250,
}


def printed(**changes: int) -> str:
    return f"Running 4s test @ http://127.0.0.1:1\n{json.dumps({**PRINTED, **changes})}\n"


def test_reads_the_figures_between_what_wrk_tells_people() -> None:
    measured = read_printed(printed(), "", 1.0, "a column")

    assert (measured.requests, measured.seconds, measured.bytes) == (8000, 4.0, 1_600_000)
    assert (measured.p50, measured.p99, measured.cpu) == (3.5, 12.25, 1.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"refused": 3}, "3 of 8000 answers were errors", id="errors"),
        pytest.param({"broken": 2}, "2 connections broke", id="broken connections"),
        pytest.param({"requests": 0}, "0 of 0 answers", id="no answer"),
    ],
)
def test_one_wrong_answer_ends_the_run(changes: dict[str, int], words: str) -> None:
    with pytest.raises(LoadFailed, match=words):
        read_printed(printed(**changes), "", 1.0, "a column")


def test_says_what_wrk_complained_about() -> None:
    with pytest.raises(LoadFailed, match="a column: wrk printed no figures: unable to connect"):
        read_printed("", "unable to connect to 127.0.0.1", 1.0, "a column")
