"""The checks of databases that `fastapi-easy doctor` makes."""

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from returns.result import Failure

from fastapi_easy.composition.schemas.migrations import make_migrations
from fastapi_easy.composition.schemas.preparation import migration_policy
from fastapi_easy.composition.schemas.schema_stores import find_schema_store
from fastapi_easy.composition.technologies import open_database
from fastapi_easy.domain.errors import DeclarationError, Outcome, Unsupported
from fastapi_easy.domain.ports.database import Database
from fastapi_easy.infrastructure.relational.engine import files_as_they_are
from fastapi_easy.interfaces.cli import diagnosis
from fastapi_easy.interfaces.cli.migrate.proposal import propose
from fastapi_easy.interfaces.cli.migrate.tasks import MigrationTarget
from fastapi_easy.interfaces.cli.tasks import Check, Target

__all__ = ["check_databases"]


def check_databases(
    settings: Any, application: Any, resources: Sequence[Any], target: Target
) -> Iterator[Check]:
    """Yield the checks of every database in use, or of all in the settings when the declarations have mistakes."""
    used = dict.fromkeys(each.database for each in resources) if application else settings.databases
    provided = application.databases.providers if application else {}
    for name in used:
        if absent := diagnosis.check_sqlite_file(name, settings.databases[name].url.get_secret_value()):
            yield absent
            continue
        try:
            database = provided[name]() if application else open_database(settings, name)
        except DeclarationError as error:
            yield from diagnosis.check_mistakes("database", [f"{name}: {each}" for each in error.mistakes])
            continue
        kept = [each for each in resources if each.database == name]
        policy = migration_policy(settings, database)
        proposal = None
        if application:
            at = MigrationTarget(target=target, database=name if len(used) > 1 else None)
            proposal = partial(_propose, application, database, at)
        with files_as_they_are():
            checks = asyncio.run(diagnosis.check_database(database, kept, policy, proposal))
        yield from checks


async def _propose(application: Any, database: Database, at: MigrationTarget) -> Outcome[Any]:
    """Return what leads to the declared schema of *database*; `Unsupported` where nothing is migrated."""
    store = find_schema_store(application, database)
    if store is None:
        return Failure(Unsupported(database.name, "migrations"))
    try:
        return await propose(make_migrations(application, database, store), at)
    finally:
        await store.close()
