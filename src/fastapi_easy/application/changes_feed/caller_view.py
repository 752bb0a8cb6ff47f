"""What one caller may see of a change: the one place that decides it, for every interface."""

from collections.abc import Mapping
from typing import Any, Final, assert_never

from returns.result import Failure, Success

from fastapi_easy.application.access import Access
from fastapi_easy.application.changes_feed.feed_message import FeedMessage, write_position
from fastapi_easy.application.changes_feed.published_change import PublishedChange
from fastapi_easy.domain.changes.row import Row
from fastapi_easy.domain.errors import NotFound, Outcome
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.queries.specification import (
    AllOf,
    AnyOf,
    Everything,
    Not,
    Related,
    Specification,
    Where,
    is_satisfied_by,
)
from fastapi_easy.domain.queries.words import HoldsWords
from fastapi_easy.domain.resources.resource import Resource

_NOTHING: Final[Outcome[FeedMessage | None]] = Success(None)


class CallerView:
    """Turns changes into what one caller is told of them.

    Args:
        resource: Whose changes; declared with events.

        access: The permissions of the caller.

        query: Its specification says which entities the caller is interested in, its fields what of them.

        repository: Limited to what the caller may see. It is asked only when a condition of the policy cannot be
            checked with the published values: along a relation, or about a field that is not published.
    """

    def __init__(
        self, resource: Resource[Any], access: Access, query: Query, repository: Repository[Any]
    ) -> None:
        self._resource = resource
        self._access = access
        self._repository = repository
        self._filter = query.specification
        self._rows = access.read_grant(resource).rows
        self._sees_all = access.sees_all(resource)
        self._sees_tenant = access.sees_tenant(resource)
        published, readable = published_fields(resource), access.readable(resource)
        asked = readable if query.fields is None else query.fields
        self._fields = tuple(name for name in asked if name in published and name in readable)

    async def show(self, change: PublishedChange) -> Outcome[FeedMessage | None]:
        """Return what the caller is told of *change*; `None` for nothing.

        Fails with:
            Unavailable: The store had to be asked, and did not answer.
        """
        if change.verb == "purged":
            # Whoever could see the entity was told of its deletion.
            return _NOTHING
        if change.values is None:
            return self._tombstone(change) if self._knows_deleted(change) else _NOTHING
        is_visible, is_wanted = (
            _holds(self._rows, change.values),
            _holds(self._filter, change.values),
        )
        if is_visible is None or is_wanted is None:
            return await self._show_stored(change)
        if is_visible and is_wanted:
            return Success(self._message(change, change.values, change.version))
        return self._tombstone(change) if self._knows(change, is_visible=is_visible) else _NOTHING

    async def _show_stored(self, change: PublishedChange) -> Outcome[FeedMessage | None]:
        """Return what the caller is told when only the store knows whether they may see the entity.

        Then the values are those of now as well: older ones may be of a time when the caller could not see it.
        """
        found = await self._repository.read(
            change.key, None, scope=self._access.restrict_relations(self._filter)
        )
        if isinstance(found, Failure):
            if not isinstance(found.failure(), NotFound):
                return found
            return self._tombstone(change) if self._knows(change, is_visible=False) else _NOTHING
        row = self._resource.visible_row(found.unwrap())
        return Success(self._message(change, row, self._resource.version_of(row)))

    def _message(self, change: PublishedChange, values: Row, version: str | None) -> FeedMessage:
        has_appeared = change.before is not None and not self._was_shown(change.before)
        return FeedMessage(
            position=write_position(change.position),
            verb="created" if has_appeared and change.verb == "updated" else change.verb,
            key=change.key,
            occurred_at=change.occurred_at,
            values=Row({name: values[name] for name in self._fields if name in values}),
            version=version,
        )

    @staticmethod
    def _tombstone(change: PublishedChange) -> Outcome[FeedMessage | None]:
        return Success(
            FeedMessage(
                position=write_position(change.position),
                verb="deleted",
                key=change.key,
                occurred_at=change.occurred_at,
            )
        )

    def _knows(self, change: PublishedChange, *, is_visible: bool) -> bool:
        """Return whether the caller may know of the entity, which is not, or not any more, what they want to see.

        Args:
            change: That of an entity which is still there.

            is_visible: They may see it, and it only does not fit the filter.
        """
        if change.verb != "updated":
            return False
        if change.before is not None:
            return self._was_shown(change.before)
        return is_visible or self._sees_all

    def _knows_deleted(self, change: PublishedChange) -> bool:
        """Return whether the caller could see the entity, which is gone."""
        if change.before is not None and (was_shown := self._tells(change.before)) is not None:
            return was_shown
        if self._sees_all:
            return True
        message = change.message
        # Within a tenant nobody deletes the entities of another one, except as the system.
        is_own = message.tenant is not None and message.tenant == self._access.context.tenant
        return self._sees_tenant and is_own and not message.by_system

    def _was_shown(self, before: Row) -> bool:
        return self._tells(before) is True

    def _tells(self, values: Row) -> bool | None:
        """Return whether the caller may and wants to see an entity with *values*; `None` when they do not tell."""
        is_visible, is_wanted = _holds(self._rows, values), _holds(self._filter, values)
        if is_visible is False or is_wanted is False:
            return False
        return None if is_visible is None or is_wanted is None else True


def published_fields(resource: Resource[Any]) -> frozenset[str]:
    """Return the fields that the messages of *resource* hold."""
    events = resource.events
    return frozenset(resource.recorded if events is None or events.fields is None else events.fields)


def _holds(specification: Specification, values: Mapping[str, Any]) -> bool | None:
    """Return whether *specification* means an entity with *values*; `None` when they do not tell."""
    if isinstance(specification, Everything):
        return True
    if not _is_about(specification, values):
        return None
    try:
        return is_satisfied_by(specification, values)
    except TypeError:
        # A stored value that its field cannot hold: only the store compares it.
        return None


def _is_about(specification: Specification, values: Mapping[str, Any]) -> bool:
    """Return whether *specification* compares nothing but *values*."""
    match specification:
        case Everything():
            return True
        case Where():
            return specification.holder in values
        case HoldsWords(fields):
            return all(name in values for name in fields)
        case Related():
            return False
        case Not(inner):
            return _is_about(inner, values)
        case AllOf(parts) | AnyOf(parts):
            return all(_is_about(each, values) for each in parts)
        case _:
            assert_never(specification)
