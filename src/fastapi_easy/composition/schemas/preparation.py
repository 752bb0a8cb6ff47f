"""What happens to the stored schema of a database at start."""

import logging
from collections.abc import Sequence
from typing import Final

from returns.result import Failure

from fastapi_easy.composition.answers import answer, require_none
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.events.outboxes import prepare_outbox
from fastapi_easy.composition.schemas.schema_stores import find_schema_store
from fastapi_easy.composition.scripts.sources import has_scripts
from fastapi_easy.composition.technologies import technology_of
from fastapi_easy.domain.errors import DeclarationError, Error, Unavailable, UnavailableReason
from fastapi_easy.domain.migrations.policy import MigrationPolicy
from fastapi_easy.domain.ports.database import Database, SchemaMode
from fastapi_easy.domain.ports.schema_store import SchemaStore
from fastapi_easy.settings import Settings

__all__ = ["migration_policy", "prepare_schema"]

_logger: Final = logging.getLogger("fastapi_easy.schemas")


def migration_policy(settings: Settings, database: Database) -> MigrationPolicy:
    """Return what happens to the stored schema of *database* at start."""
    chosen = settings.databases[database.name].migrations
    is_embedded = database.technology in {"SQLite", "memory"}
    return chosen or (MigrationPolicy.AUTO if is_embedded else MigrationPolicy.CHECK)


async def prepare_schema(application: Application, database: Database) -> None:
    """Bring the stored schema of *database* to what is declared, as far as its policy lets that happen.

    Raises:
        MigrationRequired: The program could not run with the stored schema; with the plan that leads on.

        DeclarationError: With every difference that the program could not run with, where there is no such plan.

        ConnectionError: The database does not answer.
    """
    _tell_what_is_left_out(application, database)
    await _prepare_tables(application, database)
    await _prepare_idempotency(application, database)
    await _prepare_journal(application, database)
    await prepare_outbox(application, database)


def _tell_what_is_left_out(application: Application, database: Database) -> None:
    for each in application.every_resource():
        if each.database == database.name:
            for notice in each.notices:
                _logger.warning("%s: %s", each.name, notice)


async def _prepare_journal(application: Application, database: Database) -> None:
    journal = application.journal()
    if journal is None:
        return
    prepare_journal = technology_of(database).journal
    if prepare_journal is None:
        raise DeclarationError(
            [f"database {database.name!r}: {database.technology} does not support a journal"]
        )
    require_none(database, answer(database, await prepare_journal(database, journal.tables)))


async def _prepare_idempotency(application: Application, database: Database) -> None:
    """Make *database* ready for idempotency keys, where resources require them; elsewhere the first key does."""
    requiring = [
        each.name
        for each in application.every_resource()
        if each.requires_idempotency_key and each.database == database.name
    ]
    if not requiring:
        return
    make_store = technology_of(database).idempotency
    if make_store is None:
        raise DeclarationError(
            [f"{each}: {database.technology} does not support idempotency keys" for each in requiring]
        )
    require_none(database, answer(database, await make_store(database).prepare()))


def _is_slow(error: Error) -> bool:
    return isinstance(error, Unavailable) and error.reason in {
        UnavailableReason.OVERLOAD,
        UnavailableReason.TIMEOUT,
    }


async def _prepare_tables(application: Application, database: Database) -> None:
    resources = [each for each in application.every_resource() if each.database == database.name]

    async def find_differences(mode: SchemaMode) -> Sequence[str]:
        prepared = await database.prepare(resources, mode)
        if isinstance(prepared, Failure) and _is_slow(prepared.failure()):
            # A server that has just been started with the application takes its time.
            prepared = await database.prepare(resources, mode)
        return answer(database, prepared)

    policy = migration_policy(application.settings(), database)
    if policy is MigrationPolicy.OFF:
        _ = await find_differences(SchemaMode.OFF)
        return
    store = find_schema_store(application, database)
    if store is None:
        mode = SchemaMode.CREATE if policy is MigrationPolicy.AUTO else SchemaMode.FRESH
        require_none(database, await find_differences(mode))
        return
    try:
        if has_scripts(application, database):
            from fastapi_easy.composition.schemas.migration_start import MigrationStart

            start = MigrationStart(application, database, store, find_differences)
            await start.follow_scripts(policy)
            return
        differences = await find_differences(SchemaMode.CHECK)
        is_new = bool(differences) and await _is_new(database, store, policy)
        if is_new:
            differences = await find_differences(SchemaMode.FRESH)
        if not differences and (is_new or policy is MigrationPolicy.CHECK):
            # Nothing to migrate, and a ledger would take longer than the tables.
            return
        # Imported by those who need it: it takes longer than all the rest of a start.
        from fastapi_easy.composition.schemas.migration_start import MigrationStart

        start = MigrationStart(application, database, store, find_differences)
        if policy is MigrationPolicy.CHECK:
            await start.wait_for_others(differences)
        else:
            await start.apply_safe(differences)
    finally:
        await store.close()


async def _is_new(database: Database, store: SchemaStore, policy: MigrationPolicy) -> bool:
    """Return whether missing tables may be created as they are declared.

    Where tables exist, a missing one may be one of those under a new name, and only a comparison would see that.
    """
    if policy is MigrationPolicy.AUTO:
        return answer(database, await store.is_empty())
    # On a server other programs have their tables in the same place.
    return not answer(database, await store.history()).exists
