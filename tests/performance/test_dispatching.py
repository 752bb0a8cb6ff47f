"""A thousand resources are as quick to answer as one, and start quickly."""

from typing import Any

import pytest

from tests.performance.programs import measured

DISPATCH = 1.1
"""What a request to the last of a thousand takes, by a request to the only one."""

START = 3.2
"""CPU seconds of the start of a thousand; 2.1 were measured."""


@pytest.fixture(scope="module")
def dispatching() -> Any:
    found = measured("-m", "tests.performance.dispatching")
    print(f"\n{found}")
    return found


@pytest.mark.parametrize("figure", ["calls", "seconds"])
def test_the_last_of_a_thousand_is_as_near_as_the_only_one(dispatching: Any, figure: str) -> None:
    found = dispatching[figure]

    assert found["1000"] <= DISPATCH * found["1"]


def test_a_thousand_start_in_time(dispatching: Any) -> None:
    assert dispatching["start"]["1000"] <= START
