"""Reading the audit trail for the past of entities."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Final

from returns.result import Failure, Success

from fastapi_easy.application.history.past_sight import PastSight
from fastapi_easy.domain.audit.entry import AuditEntry, StoredEntry
from fastapi_easy.domain.audit.recorded import plain_key
from fastapi_easy.domain.audit.sealing import key_column, open_entry
from fastapi_easy.domain.errors import Fault, Invalid, Key, NotFound, Outcome
from fastapi_easy.domain.history.timeline import ENDS, NumberedEntry, Timeline, build_timeline
from fastapi_easy.domain.ports.audit_reader import AuditReader
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.queries.specification import Everything
from fastapi_easy.domain.resources.resource import Resource

_PAGE: Final = 1000
"""Entries that are read at once."""

_KEYS: Final = 100
"""Entities whose entries are read at once."""

_logger: Final = logging.getLogger("fastapi_easy.audit")


class TrailReader:
    """Reads what the trail holds about entities of *resource*.

    Args:
        trail: The trail of the application.

        resource: The resource, which is declared with `audit`.

        pointer: What of the query is at fault where too much would have to be read.
    """

    def __init__(self, trail: AuditReader, resource: Resource[Any], pointer: str = "") -> None:
        self._pointer = pointer
        self._trail = trail
        self._sink = trail.sinks[resource.database]
        self._resource = resource
        self.limits = trail.history

    async def timeline(self, key: Key, sight: PastSight, repository: Repository[Any]) -> Outcome[Timeline]:
        """Return the past of the entity with *key*, which the caller may know of.

        Args:
            key: The key of the entity.

            sight: What the caller may see.

            repository: Of the entities that are there, not yet limited.

        Fails with:
            NotFound: There is none, and was none, that the caller may know of.

            Invalid: The trail holds more about it than is read at once.

            Unavailable: The database does not answer.
        """
        # Read first: then the trail tells at least as much, and what it does not name has never changed.
        found = await sight.scope(repository).read(key, sight.current_fields)
        if isinstance(found, Failure) and not isinstance(found.failure(), NotFound):
            return found
        stored = None if isinstance(found, Failure) else found.unwrap()
        column = key_column(plain_key(key))
        read = await self.entries([column or ""])
        if isinstance(read, Failure):
            return read
        timeline = build_timeline(self._resource, sight.recorded, read.unwrap().get(column or "", ()), stored)
        if not sight.sees_entity(timeline, stored):
            return Failure(NotFound(self._resource.name, key))
        return Success(timeline)

    async def keys(self, sight: PastSight, limit: int) -> Outcome[Sequence[str]]:
        """Return the columns of at most *limit* keys of entities that may be known with *sight*, and not be there."""
        # With conditions only what was deleted is known of entities that are not to be seen.
        actions = () if isinstance(sight.rows, Everything) else sorted(ENDS)
        tenant = None if self._resource.tenant is None else sight.tenant
        return await self._sink.find_keys(self._resource.name, actions=actions, tenant=tenant, limit=limit)

    async def entries(self, columns: Sequence[str]) -> Outcome[Mapping[str, Sequence[NumberedEntry]]]:
        """Return all entries about the entities whose keys stand in *columns*, by those, with what is about people.

        Fails with:
            Invalid: They are too many.

            Unavailable: The database does not answer.
        """
        stored: list[StoredEntry] = []
        for start in range(0, len(columns), _KEYS):
            some, after = columns[start : start + _KEYS], None
            while True:
                found = await self._sink.find(self._resource.name, some, after=after, limit=_PAGE)
                if isinstance(found, Failure):
                    return found
                page = found.unwrap()
                stored += page
                if len(stored) > self.limits.entries:
                    return Failure(self._too_many("entries of the audit trail", self.limits.entries))
                if len(page) < _PAGE:
                    break
                after = page[-1].sealed.stream, page[-1].sealed.seq
        return await self._revealed(stored)

    async def _revealed(
        self, stored: Sequence[StoredEntry]
    ) -> Outcome[Mapping[str, Sequence[NumberedEntry]]]:
        opened = [each for each in map(self._open, stored) if each is not None]
        revealed = await self._trail.reveal([each.entry for each in opened], self._resource.database)
        if isinstance(revealed, Failure):
            return revealed
        by_key: dict[str, list[NumberedEntry]] = {}
        for numbered, entry in zip(opened, revealed.unwrap(), strict=True):
            by_key.setdefault(key_column(entry.key) or "", []).append(NumberedEntry(numbered.number, entry))
        return Success(by_key)

    def _open(self, stored: StoredEntry) -> NumberedEntry | None:
        """Return what *stored* says; `None` when it is not about the entity that the columns beside it name."""
        entry: AuditEntry | None = None
        sealed = stored.sealed
        if sealed.body is not None:
            try:
                entry = open_entry(sealed.body).entry
            except ValueError:
                entry = None
        if (
            entry is None
            or entry.resource != self._resource.name
            or key_column(entry.key) != stored.columns["key"]
            or entry.stream != sealed.stream
        ):
            _logger.error(
                "entry %d of stream %s was tampered with, and is left out of histories: "
                "run `fastapi-easy audit verify`",
                sealed.seq,
                sealed.stream,
            )
            return None
        return NumberedEntry(sealed.seq, entry)

    def too_many_entities(self) -> Invalid:
        """Return why a list of the past is refused that would look at too many entities."""
        return self._too_many(f"{self._resource.name}, deleted ones included", self.limits.entities)

    def _too_many(self, what: str, limit: int) -> Invalid:
        message = f"Must not take more than {limit} {what} to answer"
        return Invalid((Fault(self._pointer, message, "limit_exceeded", "query"),))
