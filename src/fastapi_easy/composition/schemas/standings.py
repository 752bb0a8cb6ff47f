"""How the databases of an application stand to what is declared, for readiness checks."""

import asyncio
from collections.abc import Mapping
from typing import Final

from returns.result import Failure

from fastapi_easy.composition.application import Application
from fastapi_easy.composition.schemas.preparation import migration_policy
from fastapi_easy.composition.schemas.schema_stores import find_schema_store
from fastapi_easy.domain.migrations.policy import MigrationPolicy
from fastapi_easy.domain.ports.schema_store import SchemaStore

__all__ = ["read_standings"]

_closings: Final[set["asyncio.Task[None]"]] = set()
"""What is being closed: the loop itself holds tasks weakly."""


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
        except BaseException:
            # Whoever asks has given up: the connections are closed all the same, and nobody waits for that.
            _ = _closing(store)
            raise
        await asyncio.shield(_closing(store))
        # A database that is down is reported as that.
        if not isinstance(standing, Failure) and standing.unwrap() is not Standing.UNMANAGED:
            found[database.name] = standing.unwrap().value
    return found


def _closing(store: SchemaStore) -> "asyncio.Task[None]":
    """Close *store* in a task of its own, which ends also when whoever waits for it does not."""
    task = asyncio.get_running_loop().create_task(_close(store))
    _closings.add(task)
    task.add_done_callback(_closings.discard)
    return task


async def _close(store: SchemaStore) -> None:
    await store.close()
