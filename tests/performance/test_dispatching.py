"""A thousand resources are as quick to answer as one, and start quickly."""

from typing import Any

import pytest

from tests.performance.programs import measured

DISPATCH = 1.1
"""What a request to the last of a thousand takes, by a request to the only one."""

START = 2_750_000
"""Calls of the start of a thousand; 2,381,453 were counted."""


@pytest.fixture(scope="module")
def dispatching() -> Any:
    found = measured("-m", "tests.performance.dispatching")
    print(f"\n{found}")
    return found


def test_the_last_of_a_thousand_is_as_near_as_the_only_one(dispatching: Any) -> None:
    found = dispatching["calls"]

    assert found["1000"] <= DISPATCH * found["1"]


def test_a_thousand_start_with_no_more_calls_than_their_budget(dispatching: Any) -> None:
    assert dispatching["start"]["1000"] <= START
