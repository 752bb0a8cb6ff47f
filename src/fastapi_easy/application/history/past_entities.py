"""Entities as they were at a time in the past."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Final

from returns.result import Failure, Success

from fastapi_easy.application.access import Access
from fastapi_easy.application.collaborators import Collaborators
from fastapi_easy.application.history.past_page import page_of
from fastapi_easy.application.history.past_sight import PastSight, past_sight
from fastapi_easy.application.history.trail_reader import TrailReader
from fastapi_easy.application.queries.strict_reading import check_page, check_row
from fastapi_easy.domain.audit.recorded import plain_key
from fastapi_easy.domain.audit.sealing import key_column
from fastapi_easy.domain.changes.row import PartialRow, Row
from fastapi_easy.domain.errors import BadQuery, Error, Fault, Invalid, Key, NotFound, Outcome
from fastapi_easy.domain.history.timeline import State, Timeline, build_timeline
from fastapi_easy.domain.queries.known_values import compared_names
from fastapi_easy.domain.queries.page import Page, PageRequest
from fastapi_easy.domain.queries.query import Query
from fastapi_easy.domain.resources.options import Operation, Reading
from fastapi_easy.domain.resources.resource import Resource

_NO_VERSION: Final = ""
"""The version of a row of the past, which no entity has: nothing can be changed by it."""

_POINTER: Final = "/as_of"


class PastEntities:
    """Answers `get` and `list` as of a time, for the caller of *access*.

    Args:
        collaborators: The ports of the resource, which offers its history.

        access: The permissions of the caller.
    """

    def __init__(self, collaborators: Collaborators, access: Access) -> None:
        self._collaborators = collaborators
        self._resource: Resource[Any] = collaborators.resource
        self._access = access

    async def get(self, key: Key, as_of: datetime.datetime, query: Query) -> Outcome[Row]:
        """Return what could be read of the entity with *key* at the time *as_of*, without what is not recorded.

        Fails with:
            NotFound: There was none then, or none that the caller may see, then and today.

            Forbidden: The caller may not read histories.

            BadQuery: The trail does not go back that far, or *query* asks for related entities.

            Invalid: The time is in the future.
        """
        opened = self._open(Operation.GET, as_of, query)
        if isinstance(opened, Failure):
            return opened
        reader, sight = opened.unwrap()
        found = await reader.timeline(key, sight, self._collaborators.repository())
        if isinstance(found, Failure):
            return found
        state = self._state(found.unwrap(), as_of, sight)
        if isinstance(state, Failure):
            return state
        then = state.unwrap()
        if then is None:
            return Failure(NotFound(self._resource.name, key))
        row: Outcome[Row] = Success(_row(then, sight.fields))
        return check_row(self._resource, row) if self._resource.reading is Reading.STRICT else row

    async def list(self, query: Query, as_of: datetime.datetime) -> Outcome[Page[Row]]:
        """Return the page of *query* over the entities of the time *as_of*.

        Fails with:
            Forbidden: The caller may not read histories.

            BadQuery: The trail does not go back that far for every entity, or *query* is about what it does not tell.

            Invalid: The time is in the future, or there are too many entities or entries (`audit.history`).
        """
        opened = self._open(Operation.LIST, as_of, query)
        if isinstance(opened, Failure):
            return opened
        reader, sight = opened.unwrap()
        timelines = await self._timelines(reader, sight)
        if isinstance(timelines, Failure):
            return timelines
        states: list[State] = []
        for timeline in timelines.unwrap():
            state = self._state(timeline, as_of, sight)
            if isinstance(state, Failure):
                return state
            if (then := state.unwrap()) is not None:
                states.append(then)
        names = sight.fields if query.fields is None else query.fields
        shown = tuple(name for name in names if name in sight.fields)
        found = page_of(states, query, self._resource.key)
        page = Page([_row(each, shown) for each in found.items], found.total, found.next)
        return Success(check_page(self._resource, page) if self._resource.reading is Reading.STRICT else page)

    def _open(
        self, action: str, as_of: datetime.datetime, query: Query
    ) -> Outcome[tuple[TrailReader, PastSight]]:
        """Return what the past is read with, once it is known that it can be asked for."""
        resource, trail = self._resource, self._collaborators.trail
        if trail is None or Operation.HISTORY not in resource.operations:
            return Failure(BadQuery("as_of", "Is not a parameter here"))
        sight = past_sight(self._access, resource, action, Operation.HISTORY)
        if not isinstance(sight, PastSight):
            return sight
        if as_of > self._collaborators.ports.clock.now():
            return Failure(Invalid((Fault(_POINTER, "Must not be in the future", "out_of_range", "query"),)))
        if (refused := self._refuse_untold(query, sight)) is not None:
            return refused
        return Success((TrailReader(trail(), resource, _POINTER), sight))

    def _refuse_untold(self, query: Query, sight: PastSight) -> Failure[Error] | None:
        """Return why *query* cannot be answered from the trail, if it cannot."""
        if query.includes:
            reason = "Cannot be given together with as_of: the trail tells nothing of related entities"
            return Failure(BadQuery("include", reason))
        told = {*sight.recorded, *self._resource.key}
        reason = "Cannot be used together with as_of: the trail does not tell it"
        for name in compared_names(query.specification):
            if name not in told:
                return Failure(BadQuery(name, reason))
        for sort in query.order:
            if sort.path or sort.holder not in told:
                return Failure(
                    BadQuery(
                        "sort", f"{sort.name} cannot be used together with as_of: the trail does not tell it"
                    )
                )
        return None

    def _state(self, timeline: Timeline, as_of: datetime.datetime, sight: PastSight) -> Outcome[State | None]:
        """Return the state at *as_of*, `None` when there was none that the caller may see."""
        moment = timeline.at(as_of)
        if moment is None:
            if timeline.is_whole:
                return Success(None)
            return Failure(
                BadQuery("as_of", f"The audit trail of {self._resource.name} does not go back that far")
            )
        if timeline.is_lost and moment is timeline.last_change:
            # Only those who see everything get here: for others it was never there.
            key = moment.told.entry.key
            reason = (
                f"{self._resource.name} {key} was removed by something other than this application, at an unknown "
                "time after its last change"
            )
            return Failure(BadQuery("as_of", reason))
        return Success(moment.after if sight.sees(moment.after) else None)

    async def _timelines(self, reader: TrailReader, sight: PastSight) -> Outcome[Sequence[Timeline]]:
        """Return the past of every entity that the caller may know of."""
        limit = reader.limits.entities
        repository = sight.scope(self._collaborators.repository())
        page = PageRequest(limit=limit + 1)
        # Read first: see `TrailReader.timeline`.
        found = await repository.select(Query(fields=sight.current_fields, page=page))
        if isinstance(found, Failure):
            return found
        told = await reader.keys(sight, limit + 1)
        if isinstance(told, Failure):
            return told
        stored: Mapping[str, Row] = {
            key_column(plain_key(self._resource.key_of(row))) or "": row for row in found.unwrap().items
        }
        columns = list(dict.fromkeys((*stored, *told.unwrap())))
        if len(columns) > limit:
            return Failure(reader.too_many_entities())
        read = await reader.entries(columns)
        if isinstance(read, Failure):
            return read
        entries = read.unwrap()
        timelines: list[Timeline] = []
        for column in columns:
            now = stored.get(column)
            timeline = build_timeline(self._resource, sight.recorded, entries.get(column, ()), now)
            if sight.sees_entity(timeline, now):
                timelines.append(timeline)
        return Success(timelines)


def _row(state: State, fields: Sequence[str]) -> Row:
    return PartialRow({name: state[name] for name in fields if name in state}, _NO_VERSION)
