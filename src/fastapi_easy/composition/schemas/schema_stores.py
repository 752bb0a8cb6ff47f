"""What looks after the stored schemas of an application."""

from fastapi_easy.composition.application import Application
from fastapi_easy.composition.authentication.api_keys import api_key_tables
from fastapi_easy.composition.events.outboxes import outbox_tables
from fastapi_easy.composition.events.webhooks import webhook_tables
from fastapi_easy.composition.technologies import technology_of
from fastapi_easy.domain.ports.database import Database
from fastapi_easy.domain.ports.schema_store import SchemaStore

__all__ = ["find_schema_store"]


def find_schema_store(application: Application, database: Database) -> SchemaStore | None:
    """Return what looks after the stored schema of *database*; `None` where nothing has to be migrated."""
    make = technology_of(database).schema
    if make is None:
        return None
    kept = [each for each in application.every_resource() if each.database == database.name]
    journal = application.journal()
    used = [each.name for each in application.every_database()]
    systems = (
        *(() if journal is None else journal.tables),
        *outbox_tables(application, database.name),
        *webhook_tables(application, database.name),
        *api_key_tables(application.api_keys(), used, database.name),
    )
    return make(database, kept, systems, application.clock())
