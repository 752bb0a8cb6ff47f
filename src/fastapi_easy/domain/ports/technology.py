"""A technology that stores entities or leases, with all that a program has to know of it in one object."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Never, TypeAlias

from fastapi_easy.domain.changes.journal import SystemTable
from fastapi_easy.domain.errors import DeclarationError, Outcome
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.ports.api_key_store import ApiKeyStore
from fastapi_easy.domain.ports.audit_sink import AuditSink
from fastapi_easy.domain.ports.breaker import Breaker
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.database import Database
from fastapi_easy.domain.ports.event_bus import EventBus
from fastapi_easy.domain.ports.generations import Generations
from fastapi_easy.domain.ports.idempotency_store import IdempotencyStore
from fastapi_easy.domain.ports.inbox import Inbox
from fastapi_easy.domain.ports.lease_store import LeaseStore
from fastapi_easy.domain.ports.migration_scripts import ScriptSource
from fastapi_easy.domain.ports.outbox import Outbox
from fastapi_easy.domain.ports.repository import Repository
from fastapi_easy.domain.ports.schema_store import SchemaStore
from fastapi_easy.domain.ports.tracer import Tracer
from fastapi_easy.domain.ports.unit_of_work import UnitOfWork
from fastapi_easy.domain.ports.wake_up_channel import WakeUpChannel
from fastapi_easy.domain.ports.webhook_store import WebhookStore
from fastapi_easy.domain.resources.resource import Resource, Shape

Repositories: TypeAlias = Mapping[str, Callable[[], Repository[Any]]]
"""What makes the repository of each resource, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseRequest:
    """The database that a technology is asked to open.

    Attributes:
        name: Of the database in the settings.

        url: Where it is.

        limits: The other settings of the database, by name: `pool_size`, `connect_timeout` and so on.

        entities: The classes whose entities live there.

        breaker: Returns the circuit breaker for its calls; called anew each time, as it may be overridden.

        tracer: Records its calls; `None` for nothing.
    """

    name: str
    url: str
    limits: Mapping[str, Any]
    entities: Sequence[type[Any]] = ()
    breaker: Callable[[], Breaker | None] = lambda: None
    tracer: Tracer | None = None


def _never(_: object) -> bool:
    return False


def _not_supported(*_: object) -> Never:
    raise DeclarationError(["this technology does not store entities"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Technology:
    """A technology that stores entities, or leases. What it cannot do is left out.

    A package that brings one names it in the entry-point group `fastapi_easy.technologies`. It is imported when no
    other technology knows the class, the URL or the database that somebody has.

    Attributes:
        name: For people.

        recognises: Whether a class is one of those that it describes.

        describe: Reads what such a class holds. Raises `DeclarationError` with every mistake in it.

        schemes: What the URLs begin with that it opens: `postgresql` stands for `postgresql+asyncpg://…` as well.

        is_embedded: Whether a URL means something inside this process or on this machine, where silence cannot come
            from a distance, and no breaker is needed.

        is_exclusive: A database of its own holds classes that it recognises and no others; those classes decide
            between it and other technologies that open the same URL.

        open: Opens a database; nothing is connected yet. Raises `DeclarationError` when that cannot work.

        database: The class of what it opens; subclasses are taken for it as well. Without one it keeps no entities.

        repository: Makes the repository of a resource in a database. It is made once and kept: each call stands alone.

        unit_of_work: Makes a unit of work in a database, from every resource, what makes their repositories, and the
            event bus.

        fence: Stamps a name with a token in the transaction of a unit of work; whether no larger one is there. See
            `Lease.guard`.

        journal: Makes a database ready for rows in the system's own tables that it is given; answers why it cannot hold
            any, each a sentence with the way to mend it. Its units of work then `keep` such rows.

        generations: The generations of a database, which tell whether a kept answer is still true. Without them no
            resource in it can be declared with a cache.
        idempotency: Keeps the records of calls with an idempotency key in a database, beside the changes of its
            units of work. Without it calls with a key are refused.

        schema: Looks after the stored schema of a database in which resources are kept, and of the system's own tables.
            Without one, or when it answers `None`, nothing has to be migrated.

        scripts: The migration scripts in a folder, for a database whose schema is looked after here; it is given how
            plans are written as documents, and read. Without it plans come from comparisons only.

        leases: Keeps leases in a database.

        leases_at_url: Keeps leases at a URL.

        session_locks: Locks at a URL that end with their connection and need no table.

        api_keys: Keeps API keys in a database.

        outbox: The outbox of a database. Without it no resource in it can be declared with events.

        wake_ups: Carries hints between the processes of a database that has an outbox. Without it, or when it answers
            `None`, processes hear of the messages of others when they look.

        inbox: The inbox of a database, for consumers that change what is in it.

        webhooks: Keeps webhooks in a database.

        audit: The audit trail of a database. Without it no resource in it can be declared with one.
    """

    name: str
    recognises: Callable[[type[Any]], bool] = _never
    describe: Callable[[type[Any]], Shape] = _not_supported
    schemes: tuple[str, ...] = ()
    is_embedded: Callable[[str], bool] = _never
    is_exclusive: bool = False
    open: Callable[[DatabaseRequest], Database] = _not_supported
    database: type[Any] | None = None
    repository: Callable[[Resource[Any], Any], Repository[Any]] = _not_supported
    unit_of_work: Callable[[Any, Mapping[str, Resource[Any]], Repositories, EventBus], UnitOfWork] = (
        _not_supported
    )
    fence: Callable[[Any, str, int], Awaitable[Outcome[bool]]] | None = None
    journal: Callable[[Any, Sequence[SystemTable]], Awaitable[Outcome[Sequence[str]]]] | None = None
    generations: Callable[[Any], Generations] | None = None
    idempotency: Callable[[Any], IdempotencyStore] | None = None
    schema: (
        Callable[[Any, Sequence[Resource[Any]], Sequence[SystemTable], Clock], SchemaStore | None] | None
    ) = None
    scripts: (
        Callable[[Any, Path, Callable[[MigrationPlan], str], Callable[[str], MigrationPlan]], ScriptSource]
        | None
    ) = None
    leases: Callable[[Any, Clock], LeaseStore] | None = None
    leases_at_url: Callable[[str, Clock], LeaseStore] | None = None
    session_locks: Callable[[str, Clock], LeaseStore] | None = None
    api_keys: Callable[[Any], ApiKeyStore] | None = None
    outbox: Callable[[Any], Outbox] | None = None
    wake_ups: Callable[[Any], WakeUpChannel | None] | None = None
    inbox: Callable[[Any], Inbox] | None = None
    webhooks: Callable[[Any], WebhookStore] | None = None
    audit: Callable[[Any], AuditSink] | None = None
