"""What only a thorough run tries: with `THOROUGH=1` in the environment (`make test-thorough`)."""

import os
from collections.abc import Sequence
from typing import TypeVar

import pytest

T = TypeVar("T")

IS_THOROUGH = os.environ.get("THOROUGH") == "1"

only_when_thorough = pytest.mark.skipif(not IS_THOROUGH, reason="make test-thorough runs it")


def examples(usual: int, thorough: int) -> int:
    """Return how many examples are drawn."""
    return thorough if IS_THOROUGH else usual


def one_in(number: int, cases: Sequence[T], first: int = 0) -> list[T]:
    """Return all *cases* in a thorough run, else one in so many of them, from the *first* on."""
    return list(cases if IS_THOROUGH else cases[first::number])
