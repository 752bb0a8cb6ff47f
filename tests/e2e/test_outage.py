"""A database goes away under load: every call ends in time with a clear answer, and all is well soon after."""

from typing import Any

import pytest

from tests.e2e.outage import endure

SECONDS = 3.0
DEADLINE = 3.0
PATIENCE = 60.0
"""Seconds for what takes a moment, on a machine that is busy with something else."""
QUICK: dict[str, Any] = {
    "pool_size": 5,
    "pool_timeout": 1.0,
    "queue_time": 0.2,
    "connect_timeout": 2.0,
    "statement_timeout": 1.0,
    "breaker": {"calls": 10, "pause": 0.5, "longest_pause": 1.0},
}


@pytest.mark.parametrize(
    ("store", "fault"),
    [
        pytest.param("postgres", "cut", id="PostgreSQL hangs up"),
        pytest.param("postgres", "black", id="PostgreSQL in a black hole"),
        pytest.param("mariadb", "refuse", id="nobody listens for MariaDB"),
        pytest.param("mariadb", "black", id="MariaDB in a black hole"),
        pytest.param("mongo", "cut", id="MongoDB hangs up"),
        pytest.param("mongo", "black", id="MongoDB in a black hole"),
    ],
)
async def test_it_is_survived(store: str, fault: str) -> None:
    report = await endure(store, fault, SECONDS, QUICK, DEADLINE)
    print(store, fault, report.figures())

    # Nobody waits for a database that is away until it is back, or for ever.
    assert max(each.seconds for each in report.calls) < PATIENCE
    # In time nothing but "later"; whose time was over is told so.
    in_time = [each for each in report.meanwhile if each.seconds < DEADLINE - 0.1]
    assert {(each.status, each.code) for each in in_time} == {(503, "unavailable")}
    assert all(each.retry_after is not None for each in in_time)
    assert {each.code for each in report.meanwhile} <= {"unavailable", "deadline_exceeded"}
    assert all(
        each.status == 504 and each.seconds >= DEADLINE - 0.1
        for each in report.calls
        if each.code == "deadline_exceeded"
    )
    # What was under way when it went may be unknown, of writes and for each connection once; what begins in that
    # very moment is under way too: its connection looks alive. Nothing else happens to anybody.
    assert {each.code for each in report.calls} <= {"", "unavailable", "deadline_exceeded", "outcome_unknown"}
    assert all(each.writes and each.retry_after is None for each in report.unknown)
    assert len(report.unknown) <= QUICK["pool_size"]
    # In so short a while what it takes to be sure of it, silences of calls that are made twice and each probe, is more
    # than a small share. The driver of MongoDB also looks by itself.
    needed = 2 * QUICK["breaker"]["calls"] + 4 * (report.back - report.gone)
    assert report.reached <= max(0.03 * report.naive, needed)
    assert report.recovery < PATIENCE
    assert report.leaks == {"connections": 0, "waiting": 0, "tasks": 0}
