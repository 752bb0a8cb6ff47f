"""SQLite, PostgreSQL, MySQL and MariaDB, and SQLAlchemy's declarative classes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from fastapi_easy.domain.changes.journal import SystemTable
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.ports import (
    ApiKeyStore,
    AuditSink,
    Clock,
    Database,
    Generations,
    IdempotencyStore,
    Inbox,
    LeaseStore,
    Outbox,
    SchemaStore,
    WakeUpChannel,
    WebhookStore,
)
from fastapi_easy.domain.ports.migration_scripts import ScriptSource
from fastapi_easy.domain.ports.technology import DatabaseRequest, Technology
from fastapi_easy.domain.resources.resource import Resource
from fastapi_easy.infrastructure.locks.relational import fence as relational_fence
from fastapi_easy.infrastructure.persistence.sqlalchemy import journal
from fastapi_easy.infrastructure.persistence.sqlalchemy.connection import SqlAlchemyDatabase
from fastapi_easy.infrastructure.persistence.sqlalchemy.repository import SqlAlchemyRepository
from fastapi_easy.infrastructure.persistence.sqlalchemy.tables import mapping
from fastapi_easy.infrastructure.persistence.sqlalchemy.unit_of_work import SqlAlchemyUnitOfWork
from fastapi_easy.infrastructure.relational.options import ConnectionOptions
from fastapi_easy.infrastructure.relational.server import server_name_of
from fastapi_easy.infrastructure.relational.url import resolve

__all__ = ["TECHNOLOGY"]


def _is_embedded(url: str) -> bool:
    return url.startswith("sqlite")


def _open(request: DatabaseRequest) -> Database:
    limits = ConnectionOptions(**request.limits)
    return SqlAlchemyDatabase(request.name, request.url, limits, request.breaker, request.tracer)


def _leases(database: SqlAlchemyDatabase, _clock: Clock) -> LeaseStore:
    # Creates the folder of a temporary SQLite file, in which the leases are kept too.
    _ = database.begin()
    return _leases_in(database.url)


def _leases_at(url: str, _clock: Clock) -> LeaseStore:
    return _leases_in(resolve(url))


def _leases_in(url: URL) -> LeaseStore:
    # Imported when they are chosen, so that an application without locks does not pay for them.
    match url.get_backend_name():
        case "sqlite":
            from fastapi_easy.infrastructure.locks.relational.sqlite import SqliteLeaseStore

            return SqliteLeaseStore(url)
        case "postgresql":
            from fastapi_easy.infrastructure.locks.relational.postgres import PostgresLeaseStore

            return PostgresLeaseStore(url)
        case _:  # `resolve` lets nothing pass but these and MySQL, MariaDB
            from fastapi_easy.infrastructure.locks.relational.mysql import MySqlLeaseStore

            return MySqlLeaseStore(url)


def _session_locks(url: str, clock: Clock) -> LeaseStore:
    resolved = resolve(url)
    match resolved.get_backend_name():
        case "postgresql":
            from fastapi_easy.infrastructure.locks.relational.postgres_advisory import (
                PostgresAdvisoryLockStore,
            )

            return PostgresAdvisoryLockStore(resolved, clock)
        case "mysql" | "mariadb":
            from fastapi_easy.infrastructure.locks.relational.mysql_named import MySqlNamedLockStore

            return MySqlNamedLockStore(resolved, clock)
        case other:
            raise DeclarationError([f"{other} has no session locks: use open_leases"])


def _schema(
    database: SqlAlchemyDatabase,
    resources: Sequence[Resource[Any]],
    systems: Sequence[SystemTable],
    clock: Clock,
) -> SchemaStore | None:
    from fastapi_easy.infrastructure.migrations.relational.store import RelationalSchemaStore
    from fastapi_easy.infrastructure.migrations.relational.toolbox import tools_for
    from fastapi_easy.infrastructure.persistence.sqlalchemy.declared_tables import DeclaredSchema

    if database.is_scratch:
        # Made anew at each start.
        return None
    url = database.url
    return RelationalSchemaStore(
        database.name,
        url,
        DeclaredSchema(database.entities, resources, systems),
        tools_for(server_name_of(url.get_backend_name())),
        clock,
    )


def _scripts(
    store: Any,
    folder: Path,
    write: Callable[[MigrationPlan], str],
    read: Callable[[str], MigrationPlan],
) -> ScriptSource:
    from fastapi_easy.infrastructure.migrations.scripts.documents import PlanDocuments
    from fastapi_easy.infrastructure.migrations.scripts.source import RelationalScripts

    return RelationalScripts(store, folder, PlanDocuments(write=write, read=read))


def _generations(database: SqlAlchemyDatabase) -> Generations:
    from fastapi_easy.infrastructure.caching.generations.relational import RelationalGenerations

    return RelationalGenerations(database)


def _api_keys(database: SqlAlchemyDatabase) -> ApiKeyStore:
    from fastapi_easy.infrastructure.authentication.api_keys.relational import RelationalApiKeyStore

    return RelationalApiKeyStore(database)


def _outbox(database: SqlAlchemyDatabase) -> Outbox:
    from fastapi_easy.infrastructure.outbox.relational.outbox import RelationalOutbox

    return RelationalOutbox(database)


def _wake_ups(database: SqlAlchemyDatabase) -> WakeUpChannel | None:
    if database.executor.engine.dialect.name != "postgresql":
        return None
    from fastapi_easy.infrastructure.outbox.relational.postgres_channel import PostgresChannel

    return PostgresChannel(database)


def _inbox(database: SqlAlchemyDatabase) -> Inbox:
    from fastapi_easy.infrastructure.inbox.relational import RelationalInbox

    return RelationalInbox(database)


def _audit(database: SqlAlchemyDatabase) -> AuditSink:
    from fastapi_easy.infrastructure.audit.relational.sink import RelationalAuditSink

    return RelationalAuditSink(database)


def _idempotency(database: SqlAlchemyDatabase) -> IdempotencyStore:
    from fastapi_easy.infrastructure.idempotency.relational import RelationalIdempotencyStore

    return RelationalIdempotencyStore(database)


def _webhooks(database: SqlAlchemyDatabase) -> WebhookStore:
    from fastapi_easy.infrastructure.webhooks.relational import RelationalWebhookStore

    return RelationalWebhookStore(database)


TECHNOLOGY = Technology(
    name="SQLAlchemy",
    recognises=mapping.recognises,
    describe=mapping.describe,
    schemes=("sqlite", "postgresql", "postgres", "mysql", "mariadb"),
    is_embedded=_is_embedded,
    open=_open,
    database=SqlAlchemyDatabase,
    repository=SqlAlchemyRepository,
    unit_of_work=SqlAlchemyUnitOfWork,
    fence=relational_fence.stamp,
    journal=journal.prepare,
    generations=_generations,
    schema=_schema,
    scripts=_scripts,
    idempotency=_idempotency,
    leases=_leases,
    leases_at_url=_leases_at,
    session_locks=_session_locks,
    api_keys=_api_keys,
    outbox=_outbox,
    wake_ups=_wake_ups,
    inbox=_inbox,
    webhooks=_webhooks,
    audit=_audit,
)
