"""pytest plugin: the smallest fixtures, and readable assertions in the shipped suites."""

import pytest

from fastapi_easy.testing.clock import FrozenClock
from fastapi_easy.testing.recorders import RecordingEventBus

pytest.register_assert_rewrite("fastapi_easy.testing.conformance")


@pytest.fixture
def frozen_clock() -> FrozenClock:
    """A clock that stands still until `advance`."""
    return FrozenClock()


@pytest.fixture
def recording_event_bus() -> RecordingEventBus:
    """An event bus that keeps what was published."""
    return RecordingEventBus()
