"""The journal that writes a message into the outbox for each change that is published."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from fastapi_easy.domain.changes.events import (
    DomainEvent,
    EntityCreated,
    EntityDeleted,
    EntityPurged,
    EntityRestored,
    EntityUpdated,
)
from fastapi_easy.domain.changes.journal import JournalRow, ValuePlaceholder
from fastapi_easy.domain.outbox.entity import entity_of
from fastapi_easy.domain.outbox.tables import OUTBOX, MessageState
from fastapi_easy.domain.resources.resource import Resource

_PUBLISHED_EVENTS: Final = frozenset(
    {EntityCreated, EntityUpdated, EntityDeleted, EntityRestored, EntityPurged}
)


def _untraced() -> str:
    return ""


class OutboxJournal:
    """Implements `Journal`: a row of `fe_outbox` for each change of a resource that is declared with events.

    Args:
        resources: By name; those without events are of no interest.

        trace: Returns the W3C `traceparent` of what is going on; empty when it is not traced.
    """

    tables = (OUTBOX,)
    supports_drafts = True

    def __init__(
        self, resources: Mapping[str, Resource[Any]], trace: Callable[[], str] | None = None
    ) -> None:
        self._declared = {
            name: (frozenset(each.events.verbs), each.events.before)
            for name, each in resources.items()
            if each.events is not None
        }
        self._trace = trace or _untraced

    def wants_before(self, resource: Resource[Any]) -> bool:
        """Return whether messages about *resource* contain the values from before a change."""
        declared = self._declared.get(resource.name)
        return declared is not None and declared[1]

    def rows(self, event: DomainEvent) -> Sequence[JournalRow]:
        """Return the message about *event*; nothing where it is not published."""
        declared = self._declared.get(event.resource)
        if declared is None or type(event) not in _PUBLISHED_EVENTS or event.verb not in declared[0]:
            return ()
        told: Any = event
        key = event.key
        row = {
            "id": event.id,
            "resource": event.resource,
            "verb": event.verb,
            "entity": ValuePlaceholder.ENTITY if isinstance(key, ValuePlaceholder) else entity_of(key),
            "key": key,
            "version": getattr(told, "version", None),
            "tenant": event.tenant,
            "actor": event.actor,
            "by_system": event.by_system,
            "correlation_id": event.correlation_id,
            "trace": self._trace(),
            "occurred_at": event.occurred_at,
            "values": getattr(told, "values", None),
            "changed": sorted(told.changed) if isinstance(event, EntityUpdated) else None,
            "before": getattr(told, "before", None) if declared[1] else None,
            "state": int(MessageState.WAITING),
            "attempts": 0,
        }
        return (JournalRow(OUTBOX, row),)
