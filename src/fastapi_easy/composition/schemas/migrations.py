"""The migrations of the databases of an application."""

import importlib.metadata

from fastapi_easy.application.migrations.assessing.rule_assessor import RuleAssessor
from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.migrations import Migrations
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.scripts.sources import find_scripts
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.migrations.events import MigrationEvent
from fastapi_easy.domain.migrations.rule_set import RuleSet
from fastapi_easy.domain.ports.database import Database
from fastapi_easy.domain.ports.schema_store import SchemaStore

__all__ = ["make_migrations"]


def make_migrations(application: Application, database: Database, store: SchemaStore) -> Migrations:
    """Return the migrations of *database*, whose stored schema *store* looks after.

    Raises:
        DeclarationError: A rule of the program's own has an id that is taken, or no good one.
    """
    settings = application.settings().migrations
    clock = application.clock()
    try:
        rules = RuleSet(tuple(application.migration_rules()))
    except ValueError as error:
        raise DeclarationError([f"migration_rules: {error}"]) from error

    async def publish(event: MigrationEvent) -> None:
        await application.event_bus().publish([event])

    return Migrations(
        MigrationCollaborators(
            store=store,
            assessor=RuleAssessor(
                rules,
                store.dialect,
                [each.suppression() for each in settings.suppress],
                lambda: clock.now().date(),
            ),
            clock=clock,
            publish=publish,
            hooks=application.migration_hooks(),
            scripts=find_scripts(application, database, store),
            app_version=importlib.metadata.version("fastapi_easy"),
        )
    )
