"""Rows that are written beside every change: an outbox, an audit trail."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from fastapi_easy.domain.changes.events import DomainEvent
from fastapi_easy.domain.changes.journal import JournalRow, SystemTable
from fastapi_easy.domain.resources.resource import Resource


@runtime_checkable
class Journal(Protocol):
    """Turns events into rows that become durable with the change they tell of, or not at all."""

    @property
    def tables(self) -> Sequence[SystemTable]:
        """Every table it writes to; they are created at start where they are missing."""
        ...

    @property
    def supports_drafts(self) -> bool:
        """Whether its rows can be made before the write: key, values and version of an event may be `ValuePlaceholder`.

        Then a lone change and its rows are one statement on stores that can do so. A journal that has to look into
        these, to sign or to hash them for instance, answers `False` and is given events of writes that were made.
        """
        ...

    def wants_before(self, resource: Resource[Any]) -> bool:
        """Return whether events of *resource* shall hold the values from before a change, which costs a read."""
        ...

    def rows(self, event: DomainEvent) -> Sequence[JournalRow]:
        """Return the rows to write for *event*; none when it is of no interest. Must not wait for anything."""
        ...
