"""The lifespan of kept answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi_easy.composition.answers import answer, require_none
from fastapi_easy.composition.application import Application
from fastapi_easy.domain.ports import Database

__all__ = ["check_caching", "opened_cache", "prepare_generations"]


def check_caching(application: Application) -> None:
    """Say now what the store of kept answers lacks, if a resource is declared with a cache.

    Raises:
        DeclarationError: It cannot be used, or a database does not mark its changes.
    """
    if application.caching is not None:
        _ = application.caching.tables()
        _ = application.result_cache()


async def prepare_generations(application: Application, database: Database) -> None:
    """Make *database* ready to mark its changes, and end all answers that were kept before this start.

    Raises:
        DeclarationError: It cannot.

        ConnectionError: It does not answer.
    """
    if application.caching is None:
        return
    tables = application.caching.tables()
    names = tables.by_database.get(database.name)
    if names is not None:
        prepared = await tables.generations[database.name].prepare(names)
        require_none(database, answer(database, prepared))


@asynccontextmanager
async def opened_cache(application: Application) -> AsyncIterator[None]:
    """Close, at the end, the store of kept answers and what is being answered."""
    caching = application.caching
    if caching is None:
        yield
        return
    cache = application.result_cache()
    try:
        yield
    finally:
        try:
            await caching.flights.close()
        finally:
            await cache.close()
