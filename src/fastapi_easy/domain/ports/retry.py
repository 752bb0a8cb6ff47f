"""Retries: whether a failed call is made again."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

from fastapi_easy.domain.errors import Outcome

T = TypeVar("T")


class FailedAttempt(NamedTuple):
    """What the attempts of calls that failed have in common, and are counted by.

    Attributes:
        dependency: The database.

        reason: The code of the error; of `unavailable`, the reason of that.

        is_retried: Whether another attempt followed.
    """

    dependency: str
    reason: str
    is_retried: bool


@runtime_checkable
class CountsFailures(Protocol):
    """A `Retry` that also counts the attempts that failed, for metrics."""

    @property
    def failures(self) -> Mapping[FailedAttempt, int]:
        """The number of failed attempts so far."""
        ...


@runtime_checkable
class Retry(Protocol):
    """Makes failed calls again, after a backoff and within a budget: many retries are what keeps a dependency down."""

    @property
    def retries(self) -> Mapping[str, int]:
        """The number of retries so far, by dependency."""
        ...

    async def repeat(
        self, dependency: str, call: Callable[[], Awaitable[Outcome[T]]], failed: Outcome[T], calls: int
    ) -> Outcome[T]:
        """Retry *call* while it fails with what may pass at once, and return what it comes to in the end.

        Args:
            dependency: Whose budget pays.

            call: Changes nothing when it fails so.

            failed: What it came to the first time.

            calls: How many calls of *dependency* were made since the last time. Every few of them pay for one retry.
        """
        ...
