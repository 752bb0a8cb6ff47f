"""Follow what happens to entities."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from returns.result import Failure, Success

from fastapi_easy.application.access import Access
from fastapi_easy.application.changes_feed.caller_view import CallerView, published_fields
from fastapi_easy.application.changes_feed.change_feed import ChangeStream, Since
from fastapi_easy.application.changes_feed.feed_message import read_position
from fastapi_easy.application.collaborators import ResourceHandler
from fastapi_easy.application.context import Context
from fastapi_easy.application.queries.doubts import refuse_unheld
from fastapi_easy.domain.errors import BadQuery, Error, Outcome, Unsupported
from fastapi_easy.domain.queries.known_values import compared_names
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.resources.options import Operation


@dataclass(frozen=True, slots=True)
class FollowChanges:
    """Follow the changes of the entities that *query* means; its order, page and includes are ignored.

    Attributes:
        query: Which entities, and which of their fields.

        after: The position after which the feed begins; `None` for none.

        since: Where it begins without a position.

        renew: Verifies anew who the caller is, and returns the context of the call with that; called every few
            seconds while the feed is open. `None` where the caller stays the same.
    """

    query: Query
    after: str | None = None
    since: Since = Since.NOW
    renew: Callable[[], Awaitable[Outcome[Context]]] | None = None


class FollowChangesHandler(ResourceHandler):
    """Carries out `FollowChanges`."""

    async def __call__(self, command: FollowChanges, context: Context, /) -> Outcome[ChangeStream]:
        """Return the stream of changes, which is to be closed.

        Fails with:
            Forbidden: The caller may not follow, or compares what they may not read.

            BadQuery: The position is none, or the filter is about something that messages do not hold.

            PositionExpired: The feed does not go back that far, or never was there.

            Invalid: A value does not fit its field, and no entity holds it.

            Unsupported: The resource is declared without events.

            Unavailable: The database does not answer.
        """
        viewed = await self._view(command.query, context)
        if isinstance(viewed, Failure):
            return viewed
        feed = self._collaborators.feed
        if feed is None or self._resource.events is None:
            return Failure(Unsupported(self._resource.name, "events"))
        if (unknown := self._find_unpublished(command.query)) is not None:
            return unknown
        after = None if command.after is None else read_position(command.after)
        if command.after is not None and after is None:
            return Failure(BadQuery("after", "Is not a position of this feed"))

        async def look_again() -> Outcome[CallerView]:
            renewed: Outcome[Context] = Success(context)
            if command.renew is not None:
                renewed = await command.renew()
            if isinstance(renewed, Failure):
                return renewed
            return await self._view(command.query, renewed.unwrap())

        clock = self._collaborators.ports.clock
        return await feed().follow(
            self._resource.name, after, command.since, viewed.unwrap(), look_again, clock
        )

    async def _view(self, query: Query, context: Context) -> Outcome[CallerView]:
        """Return what the caller of *context* may see of changes, at the moment."""
        resource = self._resource
        access = await self._enter(context, Operation.CHANGES)
        if not isinstance(access, Access):
            return access
        if (denied := access.check_query(resource, query)) is not None:
            return denied
        repository = access.scope_repository(resource, self._collaborators.repository())
        refused = await refuse_unheld(query.specification, resource, repository, access)
        return refused or Success(CallerView(resource, access, query, repository))

    def _find_unpublished(self, query: Query) -> Failure[Error] | None:
        """Return a failure if *query* compares something that messages do not hold."""
        published = published_fields(self._resource)
        for name in compared_names(query.specification):
            if name not in published:
                reason = (
                    "Cannot be compared here: the feed tells the fields that are published, and no relations"
                )
                return Failure(BadQuery(name, reason))
        return None
