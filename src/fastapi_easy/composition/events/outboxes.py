"""The outboxes of an application: where its messages are, and who writes them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fastapi_easy.application.events.several_journals import SeveralJournals
from fastapi_easy.composition.answers import answer, require_none
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.technologies import technology_of
from fastapi_easy.domain.changes.journal import SystemTable
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.outbox.journal import OutboxJournal
from fastapi_easy.domain.outbox.tables import OUTBOX, OUTBOX_HEAD
from fastapi_easy.domain.ports import Database, Journal, Outbox, Tracer
from fastapi_easy.domain.resources.declaration import Declaration
from fastapi_easy.domain.resources.resource import Resource

__all__ = [
    "compose_journal",
    "find_journaled",
    "open_outboxes",
    "outbox_tables",
    "prepare_outbox",
    "publishes_events",
]


def publishes_events(declarations: Iterable[Declaration[Any]]) -> bool:
    """Return whether one of *declarations* says that changes are published."""
    return any(each.events for each in declarations)


def open_outboxes(
    declarations: Mapping[str, Declaration[Any]], databases: Callable[[str], Database]
) -> Mapping[str, Outbox]:
    """Return the outbox of each database in which changes are published, by its name; nothing is connected yet.

    Args:
        declarations: Of the resources, by name.

        databases: Returns a database by its name.

    Raises:
        DeclarationError: A database has none.
    """
    publishing = {name: each.database for name, each in declarations.items() if each.events}
    found = {each: databases(each) for each in dict.fromkeys(publishing.values())}
    mistakes = [
        (
            f"{name}: {found[database].technology} has no outbox, which events need: declare it without events, or "
            "keep it in another database"
        )
        for name, database in publishing.items()
        if technology_of(found[database]).outbox is None
    ]
    if mistakes:
        raise DeclarationError(mistakes)
    return {
        name: make(database)
        for name, database in found.items()
        if (make := technology_of(database).outbox) is not None
    }


def compose_journal(
    own: Journal | None, resources: Mapping[str, Resource[Any]], tracer: Tracer | None
) -> Journal:
    """Return the journal of the outboxes, behind the user's *own*."""
    trace = None
    if tracer is not None:
        from fastapi_easy.infrastructure.observation.open_telemetry import current_traceparent

        trace = current_traceparent
    outbox = OutboxJournal(resources, trace)
    return outbox if own is None else SeveralJournals((own, outbox))


def find_journaled(own: Journal | None, resources: Mapping[str, Resource[Any]]) -> frozenset[str] | None:
    """Return the names of the resources that have a journal; `None` for all of them, as the user's *own* may."""
    if own is not None:
        return None
    return frozenset(name for name, each in resources.items() if each.events is not None)


def outbox_tables(application: Application, database: str) -> tuple[SystemTable, ...]:
    """Return the tables of the outbox that *database* is to have."""
    published = (each for each in application.declarations.values() if each.database == database)
    return (OUTBOX, OUTBOX_HEAD) if publishes_events(published) else ()


async def prepare_outbox(application: Application, database: Database) -> None:
    """Make *database* ready for messages, where changes in it are published.

    Raises:
        DeclarationError: It cannot hold any.

        ConnectionError: It does not answer.
    """
    if outbox_tables(application, database.name):
        outbox = application.outboxes()[database.name]
        require_none(database, answer(database, await outbox.prepare()))
