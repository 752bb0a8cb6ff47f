"""Whether a call that came to nothing is made again."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, runtime_checkable

from fastapi_easy.domain.errors import Outcome


@runtime_checkable
class Retry(Protocol):
    """Makes calls again, a little later and not too often: many repetitions are what keeps a dependency down."""

    @property
    def retries(self) -> Mapping[str, int]:
        """The number of retries so far, by dependency."""
        ...

    async def repeat(
        self, dependency: str, call: Callable[[], Awaitable[Outcome[Any]]], failed: Outcome[Any], calls: int
    ) -> Outcome[Any]:
        """Retry *call* while it fails with what may pass at once, and return what it comes to in the end.

        Args:
            dependency: Whose budget pays.

            call: Changes nothing when it fails so.

            failed: What it came to the first time.

            calls: How many calls of *dependency* were made since this was last asked. Every few of them pay for one
                repetition.
        """
        ...
