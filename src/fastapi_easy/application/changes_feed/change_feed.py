"""What a change feed is to those who follow it: a stream of messages that ends, and can be resumed."""

import enum
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, Self

from fastapi_easy.application.changes_feed.caller_view import CallerView
from fastapi_easy.application.changes_feed.feed_message import FeedMessage, StreamEnd
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.ports.clock import Clock


class Since(enum.StrEnum):
    """Where a feed begins for those who have no position."""

    NOW = "now"
    """With what is committed after the call."""

    BEGINNING = "beginning"
    """With the oldest change that is still there."""


class ChangeStream(Protocol):
    """An asynchronous iterator of messages that ends, and can be resumed at its `position`.

    To be closed, by `aclose` or as an asynchronous context manager.

    Attributes:
        end: Why it has ended; `None` while it has not.
    """

    end: StreamEnd | None

    @property
    def position(self) -> str:
        """Where another stream goes on, with `after`, once what was returned so far is dealt with."""
        ...

    async def next_batch(self, wait: float) -> Sequence[FeedMessage] | None:
        """Return the messages that are there, none after *wait* seconds without any, and `None` at the end."""
        ...

    async def aclose(self) -> None:
        """End the stream. Calling it again does nothing."""
        ...

    def __aiter__(self) -> Self:
        """Return the stream."""
        ...

    async def __anext__(self) -> FeedMessage:
        """Return the next message, however long it takes."""
        ...

    async def __aenter__(self) -> Self:
        """Return the stream, which is open already."""
        ...

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        ...


class ChangeFeed(Protocol):
    """The changes of the entities of one database, for everybody in this process."""

    async def follow(
        self,
        resource: str,
        after: int | None,
        since: Since,
        view: CallerView,
        look_again: Callable[[], Awaitable[Outcome[CallerView]]],
        clock: Clock,
    ) -> Outcome[ChangeStream]:
        """Open a stream of changes.

        Args:
            resource: The name of the resource.

            after: The position after which it begins; `None` for none.

            since: Where it begins without a position.

            view: What the caller may see.

            look_again: Asks again what the caller may see; called every few seconds.

            clock: Measures how long it is open.

        Fails with:
            PositionExpired: The feed does not go back to the position, or never had it.

            Unavailable: The database does not answer.
        """
        ...
