"""The checks of databases that `fastapi-easy doctor` makes."""

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from pydantic import SecretStr
from returns.result import Failure

from fastapi_easy.composition.answers import answer
from fastapi_easy.composition.schemas.migrations import make_migrations
from fastapi_easy.composition.schemas.preparation import migration_policy
from fastapi_easy.composition.schemas.schema_stores import find_schema_store
from fastapi_easy.composition.technologies import open_database
from fastapi_easy.domain.errors import DeclarationError, Outcome, Unsupported
from fastapi_easy.domain.ports.database import Database, SchemaMode
from fastapi_easy.domain.ports.lock_provider import LockProvider
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.infrastructure.relational.sqlite.kept_files import files_as_they_are
from fastapi_easy.interfaces.cli import diagnosis
from fastapi_easy.interfaces.cli.migrate.proposal import propose
from fastapi_easy.interfaces.cli.migrate.tasks import MigrationTarget
from fastapi_easy.interfaces.cli.tasks import Check, Target
from fastapi_easy.settings import Settings

__all__ = ["check_databases", "check_locks"]


def check_databases(
    settings: Any, application: Any, resources: Sequence[Any], target: Target
) -> Iterator[Check]:
    """Yield the checks of every database in use, or of all in the settings when the declarations have mistakes."""
    used = dict.fromkeys(each.database for each in resources) if application else settings.databases
    provided = application.databases.providers if application else {}
    for name in used:
        kept = [each for each in resources if each.database == name]
        url = settings.databases[name].url.get_secret_value()
        try:
            database = provided[name]() if application else open_database(settings, name)
        except DeclarationError as error:
            yield from diagnosis.check_mistakes("database", [f"{name}: {each}" for each in error.mistakes])
            continue
        if absent := diagnosis.check_sqlite_file(name, url):
            yield from _check_new_file(settings, name, kept) or [absent]
            continue
        policy = migration_policy(settings, database)
        proposal = None
        if application:
            at = MigrationTarget(target=target, database=name if len(used) > 1 else None)
            proposal = partial(_propose, application, database, at)
        with files_as_they_are():
            checks = asyncio.run(diagnosis.check_database(database, kept, policy, proposal))
        yield from checks


def check_locks(application: Any, settings: Settings) -> Iterator[Check]:
    """Yield what is wrong with the store of locks, where it is not a database that is checked already."""
    if settings.locks.url is None or diagnosis.absent_file(settings.locks.url.get_secret_value()):
        return
    locks: LockProvider = application.locks()

    async def check() -> Outcome[Sequence[str]]:
        try:
            return await locks.check()
        finally:
            await locks.aclose()

    try:
        checked = asyncio.run(check())
    except DeclarationError as error:
        yield from diagnosis.check_mistakes("locks", error.mistakes)
        return
    mistakes = (
        ["the store of the locks does not answer: the setting locks.url says where it is"]
        if isinstance(checked, Failure)
        else checked.unwrap()
    )
    yield from diagnosis.check_mistakes("locks", mistakes)


def _check_new_file(settings: Settings, name: str, resources: Sequence[Resource[Any]]) -> list[Check]:
    """Return what would keep the first start from creating the file of *name* and its tables in it."""
    from fastapi_easy.infrastructure.relational.sqlite.database_file import find_file_mistake
    from fastapi_easy.infrastructure.relational.url import resolve

    chosen = settings.databases[name]
    mistake = find_file_mistake(resolve(chosen.url.get_secret_value()))
    if mistake is not None:
        return diagnosis.check_mistakes("database", [f"database {name!r}: {mistake}"])
    nowhere = chosen.model_copy(update={"url": SecretStr("sqlite://")})
    elsewhere = settings.model_copy(update={"databases": {**settings.databases, name: nowhere}})

    async def create() -> Sequence[str]:
        database = open_database(elsewhere, name, [each.stored for each in resources])
        await database.open()
        try:
            return answer(database, await database.prepare(resources, SchemaMode.CREATE))
        finally:
            await database.close()

    try:
        return diagnosis.check_mistakes("schema", [f"{name}: {each}" for each in asyncio.run(create())])
    except DeclarationError as error:
        return diagnosis.check_mistakes("schema", error.mistakes)


async def _propose(application: Any, database: Database, at: MigrationTarget) -> Outcome[Any]:
    """Return what leads to the declared schema of *database*; `Unsupported` where nothing is migrated."""
    store = find_schema_store(application, database)
    if store is None:
        return Failure(Unsupported(database.name, "migrations"))
    try:
        return await propose(make_migrations(application, database, store), at)
    finally:
        await store.close()
