"""Which calls an operator reads about."""

import asyncio
import logging

import pytest

from fastapi_easy.domain import (
    DeadlineExceeded,
    Error,
    NotFound,
    OutcomeUnknown,
    Unavailable,
    UnavailableReason,
)
from fastapi_easy.domain.ports import Observation
from fastapi_easy.infrastructure.observation.limited_log import LimitedLog
from fastapi_easy.infrastructure.observation.log import LogObserver
from fastapi_easy.infrastructure.observation.structured_logs import formatter
from fastapi_easy.testing import FrozenClock


@pytest.mark.parametrize(
    ("error", "seconds", "level"),
    [
        pytest.param(None, 0.1, "DEBUG", id="well"),
        pytest.param(None, 1.5, "WARNING", id="slow"),
        pytest.param(NotFound("books", 1), 0.1, "DEBUG", id="an answer"),
        pytest.param(Unavailable("main"), 0.1, "ERROR", id="silence"),
        pytest.param(Unavailable("main", reason=UnavailableReason.TIMEOUT), 0.1, "ERROR", id="delay"),
        pytest.param(DeadlineExceeded("main"), 0.1, "WARNING", id="too late"),
        pytest.param(OutcomeUnknown("main"), 0.1, "ERROR", id="nobody knows"),
        pytest.param(
            Unavailable("main", reason=UnavailableReason.CIRCUIT_OPEN),
            0.1,
            "DEBUG",
            id="not asked, for a break",
        ),
        pytest.param(
            Unavailable("main", reason=UnavailableReason.OVERLOAD), 0.1, "DEBUG", id="not asked, for a line"
        ),
        pytest.param(
            Unavailable("main", reason=UnavailableReason.OVERLOAD), 2.0, "WARNING", id="waited in vain"
        ),
    ],
)
def test_calls_are_logged_at_the_level_of_their_outcome(
    error: Error | None, seconds: float, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "fastapi_easy.calls"):
        LogObserver(1.0).observe(Observation("books", "get", seconds, error, "call-1"))

    assert [each.levelname for each in caplog.records] == [level]


def test_what_the_dependency_said_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    error = Unavailable("main", detail='password authentication failed for user "ada"')

    with caplog.at_level(logging.DEBUG, "fastapi_easy.calls"):
        LogObserver(1.0).observe(Observation("books", "get", 0.1, error, "call-1"))

    assert caplog.messages == [
        'get books: unavailable (password authentication failed for user "ada") in 100.0 ms'
    ]


SLOW = Observation("books", "list", 2.0, None, "call-1")
TIMED_OUT = Observation(
    "books", "list", 2.0, Unavailable("main", reason=UnavailableReason.OVERLOAD), "call-2"
)
UNKNOWN = Observation("books", "create", 0.1, OutcomeUnknown("main"), "call-3")


async def test_of_many_calls_of_a_kind_some_are_logged_and_the_others_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    observer = LogObserver(1.0, 2)
    with caplog.at_level(logging.DEBUG, "fastapi_easy.calls"):
        for _ in range(50):
            observer.observe(SLOW)
            observer.observe(TIMED_OUT)
            observer.observe(UNKNOWN)
        await asyncio.sleep(1.1)

    lines = [each.getMessage() for each in caplog.records]
    assert [len([each for each in lines if what in each]) for what in ("ok in", ": unavailable in")] == [2, 2]
    # Somebody has to find out about each of these.
    assert len([each for each in lines if "outcome_unknown in" in each]) == 50
    counted = [each for each in caplog.records if hasattr(each, "left_out")]
    assert [(each.getMessage().split(" more")[0], each.left_out) for each in counted] == [
        ("slow calls: 48", 48),
        ("calls that failed with unavailable: 48", 48),
    ]
    for json_lines in (True, False):
        assert all("48" in formatter(json_lines=json_lines).format(each) for each in counted)


def test_what_was_left_out_is_told_with_the_next_line_where_there_is_no_event_loop(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = FrozenClock()
    log = LimitedLog(logging.getLogger("fastapi_easy.calls"), 1, clock.monotonic)
    with caplog.at_level(logging.WARNING, "fastapi_easy.calls"):
        allowed = [log.allows(logging.WARNING, "slow calls") for _ in range(5)]
        clock.advance(1)
        allowed.append(log.allows(logging.WARNING, "slow calls"))
        clock.advance(1)
        allowed.append(log.allows(logging.WARNING, "slow calls"))

    assert allowed == [True, False, False, False, False, True, True]
    assert [each.getMessage() for each in caplog.records] == [
        "slow calls: 4 more in 1.0 s, which are not logged one by one"
    ]
