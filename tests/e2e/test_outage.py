"""A database goes away under load: every call ends in time with a clear answer, and all is well soon after."""

import pytest

from tests.e2e.outage import endure

SECONDS = 3.0
DEADLINE = 3.0
QUICK = {
    "pool_size": 5,
    "pool_timeout": 1.0,
    "queue_time": 0.2,
    "connect_timeout": 1.0,
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
    if report.recovery > report.pause + 2 or report.reached > max(0.03 * len(report.meanwhile), 4 * SECONDS):
        # A machine that is busy with something else: what is counted in time gets a second chance.
        report = await endure(store, fault, SECONDS, QUICK, DEADLINE)

    assert max(each.seconds for each in report.calls) < DEADLINE + 3
    assert {each.code for each in report.meanwhile} == {"unavailable"}
    assert {each.status for each in report.meanwhile} == {503}
    assert all(each.retry_after is not None for each in report.meanwhile)
    # What was under way when it went may be unknown; nothing else happens to anybody.
    assert {each.code for each in report.calls} <= {"", "unavailable", "outcome_unknown"}
    assert all(each.retry_after is None for each in report.calls if each.code == "outcome_unknown")
    # Where each call has to wait for its end there are few; the driver of MongoDB also looks by itself.
    assert report.reached <= max(0.03 * len(report.meanwhile), 4 * SECONDS)
    assert report.recovery <= report.pause + 2
    assert report.leaks == {"connections": 0, "waiting": 0, "tasks": 0}
