"""How the databases of an application stand to what is declared, for readiness checks."""

from collections.abc import Mapping

from returns.result import Failure

from fastapi_easy.composition.application import Application
from fastapi_easy.composition.schemas.preparation import migration_policy
from fastapi_easy.composition.schemas.schema_stores import find_schema_store
from fastapi_easy.domain.migrations.policy import MigrationPolicy

__all__ = ["read_standings"]


async def read_standings(application: Application) -> Mapping[str, str]:
    """Return how each database stands by what its ledger says, by name; those that have none are left out."""
    # Not for a program that is never asked.
    from fastapi_easy.application.migrations.read_standing import ReadStandingHandler, Standing

    found: dict[str, str] = {}
    for database in application.every_database():
        if migration_policy(application.settings(), database) is MigrationPolicy.OFF:
            continue
        store = find_schema_store(application, database)
        if store is None:
            continue
        try:
            standing = await ReadStandingHandler(store)()
        finally:
            await store.close()
        # A database that is down is reported as that.
        if not isinstance(standing, Failure) and standing.unwrap() is not Standing.UNMANAGED:
            found[database.name] = standing.unwrap().value
    return found
