"""What a request takes does not grow unnoticed: in figures that are the same on a busy machine.

A figure above its budget fails. What made it grow is shown, call by call, by a profile of `tests.performance.figures`;
either it goes again, or it was worth it and the budget says so. One far below its budget wants a smaller budget.
"""

from contextlib import ExitStack
from typing import Any

import pytest

from tests.performance.programs import measured
from tests.services.wanted import empty_database

CALLS = {
    # A list has a call for each time it holds, which keeps `infinity` and the last time of Python apart (ADR 40).
    "postgres": {"get": 212, "list": 370, "create": 340, "patch": 347},
    "sqlite": {"get": 257, "list": 1540, "create": 390, "patch": 410},
}
"""Calls of Python and C functions for one request, without versions; a list is of a hundred rows with their total."""

VERSIONS = 1.1
"""Calls with versions on, by those without."""


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def figures(store: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with ExitStack() as stack:
        url = (
            f"sqlite:///{tmp_path_factory.mktemp('performance') / 'shop.sqlite3'}"
            if store == "sqlite"
            else stack.enter_context(empty_database("postgres"))
        )
        found = measured("-m", "tests.performance.figures", url)
    print(f"\n{store}: {found}")
    return found


@pytest.mark.parametrize("endpoint", ["get", "list", "create", "patch"])
def test_a_request_takes_no_more_calls_than_its_budget(store: str, figures: Any, endpoint: str) -> None:
    assert figures[endpoint]["plain"] <= CALLS[store][endpoint]


@pytest.mark.parametrize("endpoint", ["get", "list", "create", "patch"])
def test_versions_cost_next_to_nothing(figures: Any, endpoint: str) -> None:
    counted = figures[endpoint]

    assert counted["versioned"] <= VERSIONS * counted["plain"]
