"""Which calls an operator reads about."""

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
from fastapi_easy.infrastructure.observation.log import LogObserver


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
