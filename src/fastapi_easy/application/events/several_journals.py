"""Several journals, written beside the same changes."""

from collections.abc import Sequence
from typing import Any

from fastapi_easy.domain.changes.events import DomainEvent
from fastapi_easy.domain.changes.journal import JournalRow, SystemTable
from fastapi_easy.domain.ports.journal import Journal
from fastapi_easy.domain.resources.resource import Resource


class SeveralJournals:
    """Implements `Journal` by several others, whose rows are written in their order.

    Args:
        journals: The others.
    """

    def __init__(self, journals: Sequence[Journal]) -> None:
        self._journals = tuple(journals)

    @property
    def tables(self) -> Sequence[SystemTable]:
        """Return the tables of all of them."""
        return [table for each in self._journals for table in each.tables]

    @property
    def supports_drafts(self) -> bool:
        """Return whether all of them do."""
        return all(each.supports_drafts for each in self._journals)

    def wants_before(self, resource: Resource[Any]) -> bool:
        """Return whether one of them does."""
        return any(each.wants_before(resource) for each in self._journals)

    def rows(self, event: DomainEvent) -> Sequence[JournalRow]:
        """Return the rows of all of them."""
        return [row for each in self._journals for row in each.rows(event)]
