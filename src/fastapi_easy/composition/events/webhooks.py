"""Where webhooks are kept, what delivers to them, and what looks after them."""

import ipaddress
import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Final

from fastapi_easy.application.events.backoff import Backoff
from fastapi_easy.application.webhooks.deliver_webhooks import DeliverWebhooks
from fastapi_easy.application.webhooks.delivery import DeliveryLimits, DeliveryPorts
from fastapi_easy.application.webhooks.places import WebhookPlace
from fastapi_easy.application.webhooks.rotate_webhooks import WebhookSecretRotation
from fastapi_easy.application.webhooks.signed_posts import SignedPosts
from fastapi_easy.application.webhooks.stored_secrets import StoredSecrets
from fastapi_easy.application.webhooks.webhooks import Webhooks
from fastapi_easy.composition.answers import answer, require_none
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.technologies import technology_of
from fastapi_easy.domain.changes.journal import SystemTable
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.outbox.cloud_event import write_cloud_event
from fastapi_easy.domain.outbox.message import OutboxMessage
from fastapi_easy.domain.ports import Clock, Database, WebhookSender, WebhookStore
from fastapi_easy.domain.webhooks.destination import DestinationRules
from fastapi_easy.domain.webhooks.table import WEBHOOKS
from fastapi_easy.settings import Settings
from fastapi_easy.settings.webhooks import WebhookSettings

__all__ = [
    "delivery_tasks",
    "find_webhook_mistakes",
    "keeps_webhooks_for_others",
    "open_webhooks",
    "prepare_webhooks",
    "sender_factory",
    "webhook_secrets",
    "webhook_tables",
]

_log: Final = logging.getLogger(__name__)

_LEASE_TIMEOUTS: Final = 4
"""A claim lasts as long as so many requests may take."""

_SHORTEST_LEASE: Final = 60.0
"""Seconds that a claim lasts at least, so that few statements are spent on claims."""

_NO_WEBHOOKS: Final = "the application has no webhooks: set webhooks.enabled"
_NO_EVENTS: Final = (
    "webhooks.enabled is set, but no resource publishes its changes: declare one with events=True"
)


def open_webhooks(application: Application) -> Webhooks:
    """Return what adds, lists, tries and removes webhooks.

    Raises:
        DeclarationError: The application has none.
    """
    settings = application.settings()
    mistakes = find_webhook_mistakes(application)
    if not settings.webhooks.enabled:
        mistakes = [_NO_WEBHOOKS]
    if mistakes:
        raise DeclarationError(mistakes)
    return Webhooks(
        tuple(_places_of(application)),
        _rules_of(settings.webhooks),
        StoredSecrets(application.cipher()),
        partial(_posts_of, application),
        application.clock(),
        application.event_bus(),
        source=application.envelope().source,
    )


def delivery_tasks(application: Application) -> Sequence[DeliverWebhooks]:
    """Return what a relay of *application* does for webhooks, one task for each database with an outbox."""
    settings = application.settings().webhooks
    if not settings.enabled:
        return ()
    envelope, clock, events = application.envelope(), application.clock(), application.event_bus()

    def encode(message: OutboxMessage) -> bytes:
        return write_cloud_event(envelope.to_event(message))

    limits = DeliveryLimits(
        concurrency=settings.concurrency,
        timeout=settings.timeout,
        lease=max(_SHORTEST_LEASE, _LEASE_TIMEOUTS * settings.timeout),
        max_attempts=settings.max_attempts,
        backoff=Backoff(first=1.0, longest=settings.longest_retry),
    )
    return [
        DeliverWebhooks(
            place.database,
            DeliveryPorts(
                store=place.store,
                outbox=place.outbox,
                # Each has a sender of its own, which it closes when it has nothing to do.
                posts=_posts_of(application),
                encode=encode,
                clock=clock,
                events=events,
            ),
            limits,
        )
        for place in _places_of(application)
    ]


def webhook_secrets(application: Application) -> Sequence[WebhookSecretRotation]:
    """Return the secrets of webhooks of *application* as they are stored, one for each database that keeps some."""
    if not application.settings().webhooks.enabled:
        return ()
    secrets = StoredSecrets(application.cipher())
    return [WebhookSecretRotation(each.database, each.store, secrets) for each in _places_of(application)]


def sender_factory(settings: Settings, clock: Clock) -> Callable[[], WebhookSender]:
    """Return what makes senders; whoever has one closes it.

    Raises:
        DeclarationError: The library is not installed.
    """
    chosen = settings.webhooks
    if find_spec("httpcore2") is None:
        raise DeclarationError(['httpcore2 is not installed: pip install "fastapi_easy[webhooks]"'])
    from fastapi_easy.infrastructure.webhooks.sender import HttpWebhookSender, SenderOptions

    options = SenderOptions(
        rules=_rules_of(chosen),
        connect_timeout=chosen.connect_timeout,
        timeout=chosen.timeout,
        ca_file=chosen.ca_file,
    )
    return lambda: HttpWebhookSender(options, clock)


def find_webhook_mistakes(application: Application) -> list[str]:
    """Return what keeps the webhooks of *application* from working, if they are enabled."""
    settings = application.settings().webhooks
    if not settings.enabled:
        return []
    outboxes = application.outboxes()
    mistakes = [] if outboxes else [_NO_EVENTS]
    if settings.ca_file is not None and not settings.ca_file.is_file():
        mistakes.append(f"webhooks.ca_file: there is no file {settings.ca_file}")
    databases = {each.name: each for each in application.every_database()}
    return mistakes + [
        f"webhooks.enabled is set, but {databases[name].technology}, the database {name!r}, keeps no webhooks"
        for name in outboxes
        if technology_of(databases[name]).webhooks is None
    ]


def webhook_tables(application: Application, database: str) -> tuple[SystemTable, ...]:
    """Return the tables of webhooks that *database* is to have."""
    enabled = application.settings().webhooks.enabled
    return (WEBHOOKS,) if enabled and database in application.outboxes() else ()


async def prepare_webhooks(application: Application, database: Database) -> None:
    """Make *database* ready for webhooks, where they are kept there.

    Raises:
        DeclarationError: It cannot hold any.

        ConnectionError: It does not answer.
    """
    if not webhook_tables(application, database.name):
        return
    store = _store_in(database)
    require_none(database, answer(database, await store.prepare()))
    if application.cipher() is None:
        _log.warning(
            "the secrets of webhooks are stored in database %r as they are, since there are no keys: set "
            "encryption.keys and encryption.current to have them encrypted",
            database.name,
        )


def keeps_webhooks_for_others(application: Application) -> bool:
    """Return whether another process sees the webhooks of *application*."""
    outboxes = application.outboxes()
    return all(
        each.technology != "memory" and not getattr(each, "is_scratch", False)
        for each in application.every_database()
        if each.name in outboxes
    )


def _places_of(application: Application) -> Iterator[WebhookPlace]:
    databases = {each.name: each for each in application.every_database()}
    for name, outbox in application.outboxes().items():
        messages = frozenset(
            f"{each.name}.{verb}"
            for each in application.every_resource()
            if each.database == name and each.events is not None
            for verb in each.events.verbs
        )
        yield WebhookPlace(database=name, store=_store_in(databases[name]), outbox=outbox, messages=messages)


def _store_in(database: Database) -> WebhookStore:
    make = technology_of(database).webhooks
    if make is None:
        raise DeclarationError([f"{database.technology}, the database {database.name!r}, keeps no webhooks"])
    return make(database)


def _posts_of(application: Application) -> SignedPosts:
    return SignedPosts(application.webhook_sender(), StoredSecrets(application.cipher()), application.clock())


def _rules_of(settings: WebhookSettings) -> DestinationRules:
    return DestinationRules(
        allow_http=settings.allow_http,
        ports=settings.ports,
        networks=tuple(ipaddress.ip_network(each) for each in settings.allowed_networks),
    )
