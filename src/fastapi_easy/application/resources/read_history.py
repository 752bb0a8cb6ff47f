"""Read what happened to one entity."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from returns.result import Failure, Success

from fastapi_easy.application.access import Access
from fastapi_easy.application.collaborators import ResourceHandler
from fastapi_easy.application.context import Context
from fastapi_easy.application.history.history_request import HistoryRequest
from fastapi_easy.application.history.past_sight import PastSight, past_sight
from fastapi_easy.application.history.trail_reader import TrailReader
from fastapi_easy.domain.errors import Key, Outcome, Unsupported
from fastapi_easy.domain.history.history_entry import HistoryEntry
from fastapi_easy.domain.history.timeline import Moment, NumberedEntry, read_recorded
from fastapi_easy.domain.queries.page import Cursor, Page
from fastapi_easy.domain.resources.options import Operation


@dataclass(frozen=True, slots=True)
class ReadHistory:
    """Read the part of the history of the entity with *key* that *request* asks for."""

    key: Key
    request: HistoryRequest


class ReadHistoryHandler(ResourceHandler):
    """Carries out `ReadHistory`."""

    async def __call__(self, command: ReadHistory, context: Context, /) -> Outcome[Page[HistoryEntry]]:
        """Return entries of the audit trail, the newest first, with the fields that the caller may read.

        Changes are there as far as the caller may see the entity as it was before and after them. What changed
        nothing, such as reads and what others were refused, is there for those whose permission has no conditions
        but the tenant.

        Fails with:
            NotFound: There is no entity that the caller may see, and none that was deleted and was theirs to see.

            Forbidden: The caller may not read histories, or their permissions compare what is not recorded.

            Invalid: The trail holds more about the entity than is read at once (`audit.history.entries`).

            Unsupported: The resource is declared without audit.

            Unavailable: The database does not answer.
        """
        access = await self._enter(context, Operation.HISTORY)
        if not isinstance(access, Access):
            return access
        resource = self._resource
        if self._collaborators.trail is None or resource.audit is None:
            return Failure(Unsupported(resource.name, "history"))
        sight = past_sight(access, resource, Operation.HISTORY)
        if not isinstance(sight, PastSight):
            return sight
        reader = TrailReader(self._collaborators.trail(), resource)
        found = await reader.timeline(command.key, sight, self._collaborators.repository())
        if isinstance(found, Failure):
            return found
        seen = [each for each in reversed(found.unwrap().moments) if sight.sees_moment(each)]
        wanted = seen[_start(seen, command.request.after) :]
        items = [self._shown(each.told, sight) for each in wanted[: command.request.limit]]
        place = Cursor((items[-1].stream, items[-1].number)) if len(wanted) > len(items) else None
        return Success(Page(items, next=place))

    def _shown(self, told: NumberedEntry, sight: PastSight) -> HistoryEntry:
        entry = told.entry
        return HistoryEntry(
            stream=entry.stream,
            number=told.number,
            time=entry.occurred_at,
            actor=entry.actor if sight.is_own(entry) else "",
            by_system=entry.by_system,
            action=entry.action,
            outcome=entry.outcome,
            changes=self._changes(told, sight) if told.is_change else {},
        )

    def _changes(self, told: NumberedEntry, sight: PastSight) -> dict[str, tuple[Any, Any]]:
        resource = self._resource
        personal = () if resource.audit is None else resource.audit.personal
        changes: dict[str, tuple[Any, Any]] = {}
        for name in sight.fields:
            pair = told.entry.changes.get(name)
            if isinstance(pair, list) and len(pair) == 2:  # noqa: PLR2004 (before, after)
                field, is_personal = resource.fields[name], name in personal
                before, after = (read_recorded(field, each, is_personal=is_personal) for each in pair)
                changes[name] = before, after
        return changes


def _start(seen: Sequence[Moment], after: Cursor | None) -> int:
    """Return where in *seen* the page begins; at its end when the entry of *after* is not there any more."""
    if after is None:
        return 0
    for place, each in enumerate(seen):
        if (each.told.entry.stream, each.told.number) == after.values:
            return place + 1
    return len(seen)
