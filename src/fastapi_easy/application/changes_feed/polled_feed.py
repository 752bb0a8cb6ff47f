"""A change feed for which one hub polls."""

from collections.abc import Awaitable, Callable

from returns.result import Failure, Success

from fastapi_easy.application.changes_feed.caller_view import CallerView
from fastapi_easy.application.changes_feed.change_feed import ChangeStream, Since
from fastapi_easy.application.changes_feed.hub import ChangeHub
from fastapi_easy.application.changes_feed.polled_stream import PolledStream
from fastapi_easy.domain.errors import Outcome, PositionExpired
from fastapi_easy.domain.ports.clock import Clock


class PolledFeed:
    """Implements `ChangeFeed` with *hub*."""

    def __init__(self, hub: ChangeHub) -> None:
        self._hub = hub

    async def follow(
        self,
        resource: str,
        after: int | None,
        since: Since,
        view: CallerView,
        look_again: Callable[[], Awaitable[Outcome[CallerView]]],
        clock: Clock,
    ) -> Outcome[ChangeStream]:
        """Attach to the hub, and open a stream."""
        hub = self._hub
        hub.attach()
        try:
            begin = await self._find_beginning(resource, after, since)
        except BaseException:
            await hub.detach()
            raise
        if isinstance(begin, Failure):
            await hub.detach()
            return begin
        return Success(PolledStream(hub, resource, begin.unwrap(), view, look_again, clock))

    async def _find_beginning(self, resource: str, after: int | None, since: Since) -> Outcome[int]:
        """Return the position after which a stream begins."""
        hub = self._hub
        is_beginning = after is None and since is Since.BEGINNING
        if hub.position is not None:
            if is_beginning:
                return await self._find_first()
            if after is not None and after <= hub.position:
                return await self._check_kept(resource, after)
        settled = await hub.settle()
        if isinstance(settled, Failure):
            return settled
        if is_beginning:
            return await self._find_first()
        # The hub may have read on meanwhile, and nothing is awaited from here on.
        newest = hub.position if hub.position is not None else settled.unwrap()
        if after is None:
            return Success(newest)
        if after > newest:
            # Another database is there now, or an older one was restored.
            return Failure(PositionExpired(resource))
        return await self._check_kept(resource, after)

    async def _find_first(self) -> Outcome[int]:
        first = await self._hub.outbox.first_position()
        return first if isinstance(first, Failure) else Success(first.unwrap() - 1)

    async def _check_kept(self, resource: str, after: int) -> Outcome[int]:
        """Return *after*, unless changes that came next have been removed since."""
        if self._hub.remembers(after):
            return Success(after)
        first = await self._hub.outbox.first_position()
        if isinstance(first, Failure):
            return first
        if first.unwrap() > after + 1:
            return Failure(PositionExpired(resource))
        return Success(after)
