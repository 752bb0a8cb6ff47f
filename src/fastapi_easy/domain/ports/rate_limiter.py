"""Counting calls against a rate."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from fastapi_easy.domain.rates.rate import Rate


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a rate leaves to one caller.

    Attributes:
        is_exceeded: The call was too much, and was not counted.

        remaining: How many more calls are permitted now.

        reset: Seconds until more are.
    """

    is_exceeded: bool
    remaining: int
    reset: float


@runtime_checkable
class RateLimiter(Protocol):
    """Counts calls, in this process or for all processes together."""

    async def take(self, rate: Rate, counter: str, cost: int, /) -> Allowance | None:
        """Count *cost* calls of *counter*, and return what *rate* leaves; `None` when the counter cannot be asked.

        Atomic: calls that are made at once are not permitted together what each would be alone.
        """
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...
