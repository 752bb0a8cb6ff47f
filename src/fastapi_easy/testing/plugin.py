"""A pytest plugin: fixtures, an option, and readable assertions in the conformance suites."""

import pytest

from fastapi_easy.testing.clock import FrozenClock
from fastapi_easy.testing.recorders import RecordingEventBus

pytest.register_assert_rewrite("fastapi_easy.testing.conformance")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option `--cancellations`."""
    parser.getgroup("fastapi_easy").addoption(
        "--cancellations",
        type=int,
        default=300,
        help="how many calls are cancelled in each cancellation case of the conformance suites",
    )


@pytest.fixture
def frozen_clock() -> FrozenClock:
    """Return a clock that stands still until `advance`."""
    return FrozenClock()


@pytest.fixture
def recording_event_bus() -> RecordingEventBus:
    """Return an event bus that keeps the published events."""
    return RecordingEventBus()
