"""The webhooks of an application behind one object, for scripts, the command line and a program's own routes."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from returns.result import Failure, Success

from fastapi_easy.application.context import NOBODY, Context
from fastapi_easy.application.webhooks.places import (
    WebhookPlace,
    find_event_faults,
    places_of,
    present_position,
)
from fastapi_easy.application.webhooks.signed_posts import SignedPosts
from fastapi_easy.application.webhooks.stored_secrets import StoredSecrets
from fastapi_easy.domain.changes.events import DomainEvent
from fastapi_easy.domain.errors import Fault, Invalid, NotFound, Outcome
from fastapi_easy.domain.outbox.cloud_event import CloudEvent, write_cloud_event
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.event_bus import EventBus
from fastapi_easy.domain.ports.webhook_sender import PostResult
from fastapi_easy.domain.ports.webhook_store import Webhook
from fastapi_easy.domain.principal import Tenant
from fastapi_easy.domain.webhooks.destination import DestinationRules
from fastapi_easy.domain.webhooks.events import (
    WebhookAdded,
    WebhookDisabled,
    WebhookEnabled,
    WebhookRemoved,
    WebhookSecretRotated,
)
from fastapi_easy.domain.webhooks.signing import generate_secret
from fastapi_easy.domain.webhooks.table import MAX_TENANT, WEBHOOKS

PING: Final = "webhooks.ping"
"""The type of the event that `Webhooks.ping` sends."""

_ID_BYTES: Final = 10
"""Of an id: so many that no two are the same."""


@dataclass(frozen=True, slots=True)
class WebhookWithSecret:
    """A webhook, with the secret that is shown once.

    Attributes:
        webhook: The webhook.

        secret: Its newest secret, for the receiver.
    """

    webhook: Webhook
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookStanding:
    """A webhook, and how far it has come.

    Attributes:
        webhook: The webhook.

        database: The name of the database whose messages it is sent.

        behind: Messages after its position, whether or not it wants them.

        missed: Of those, how many at most are gone already, because they were kept no longer.
    """

    webhook: Webhook
    database: str
    behind: int
    missed: int


class Webhooks:
    """Adds, lists, tries and removes webhooks. It asks no policy: who calls it decides who may.

    A webhook is kept in the database whose messages it is sent.

    Args:
        places: The databases with an outbox.

        rules: Where webhooks may lead.

        stored_secrets: Reads and writes secrets.

        open_posts: Returns what signs and posts, which is closed after each use.

        clock: Dates webhooks and events.

        events: Are told of what happens to each webhook.

        source: Of the event that is sent to try a webhook.
    """

    def __init__(
        self,
        places: Sequence[WebhookPlace],
        rules: DestinationRules,
        stored_secrets: StoredSecrets,
        open_posts: Callable[[], SignedPosts],
        clock: Clock,
        events: EventBus,
        *,
        source: str,
    ) -> None:
        self._places = places
        self._rules = rules
        self._secrets = stored_secrets
        self._open_posts = open_posts
        self._clock = clock
        self._events = events
        self._source = source

    async def add(
        self,
        url: str,
        *,
        events: Iterable[str] = (),
        tenant: Tenant | None = None,
        context: Context = NOBODY,
    ) -> Outcome[WebhookWithSecret]:
        """Add a webhook, which is sent what happens from now on.

        Args:
            url: Where it leads.

            events: The messages it is sent, like `books.created` or `books.*`; all unless some are named.

            tenant: Only messages of this partition; those of all where it is `None`.

            context: Who asks, for the event.

        Fails with:
            Invalid: No webhook may lead to *url*, there are no such messages, or they are in several databases.

            Unavailable: A database does not answer.
        """
        patterns = tuple(dict.fromkeys(events))
        faults = [*find_event_faults(self._places, patterns), *self._faults_of(url, tenant)]
        if faults:
            return Failure(Invalid(tuple(faults)))
        (place,) = places_of(self._places, patterns)
        position = await present_position(place.outbox)
        if isinstance(position, Failure):
            return position
        webhook_id, secret = f"wh_{secrets.token_hex(_ID_BYTES)}", generate_secret()
        webhook = Webhook(
            id=webhook_id,
            url=url,
            events=patterns,
            tenant=tenant,
            secrets=self._secrets.write(webhook_id, (secret,)),
            position=position.unwrap(),
            created_at=self._clock.now(),
        )
        added = await place.store.add(webhook)
        if isinstance(added, Failure):
            return added
        await self._announce(WebhookAdded, webhook, context, url=url)
        return Success(WebhookWithSecret(webhook, secret))

    async def list(self) -> Outcome[Sequence[WebhookStanding]]:
        """Return every webhook and how far it has come, database by database in the order of their addition.

        Fails with:
            Unavailable: A database does not answer.
        """
        found: list[WebhookStanding] = []
        for place in self._places:
            webhooks = await place.store.find_all()
            if isinstance(webhooks, Failure):
                return webhooks
            last, first = await place.outbox.last_position(), await place.outbox.first_position()
            if isinstance(last, Failure):
                return last
            if isinstance(first, Failure):
                return first
            found += (
                WebhookStanding(
                    webhook=each,
                    database=place.database,
                    behind=max(0, last.unwrap() - each.position),
                    missed=max(0, first.unwrap() - 1 - each.position),
                )
                for each in webhooks.unwrap()
            )
        return Success(found)

    async def ping(self, webhook_id: str) -> Outcome[PostResult]:
        """Post an event of the type `webhooks.ping` to a webhook, also when it is disabled; return what came of it.

        Fails with:
            NotFound: There is no such webhook.

            Unavailable: A database does not answer.
        """
        found = await self._find(webhook_id)
        if isinstance(found, Failure):
            return found
        _, webhook = found.unwrap()
        message_id = f"ping_{secrets.token_hex(_ID_BYTES)}"
        ping = CloudEvent(id=message_id, source=self._source, type=PING, time=self._clock.now(), data={})
        posts = self._open_posts()
        try:
            return Success(await posts.post(webhook, message_id, write_cloud_event(ping)))
        finally:
            await posts.aclose()

    async def enable(self, webhook_id: str, *, context: Context = NOBODY) -> Outcome[Webhook]:
        """Deliver to a webhook again at once, from where it was; its failures are forgotten.

        Its secrets are encrypted with the current key.

        Fails with:
            NotFound: There is no such webhook.

            Unavailable: A database does not answer.
        """
        return await self._set_disabled(webhook_id, context, disabled=False)

    async def disable(self, webhook_id: str, *, context: Context = NOBODY) -> Outcome[Webhook]:
        """Send nothing to a webhook until it is enabled again.

        Fails with:
            NotFound: There is no such webhook.

            Unavailable: A database does not answer.
        """
        return await self._set_disabled(webhook_id, context, disabled=True)

    async def rotate(self, webhook_id: str, *, context: Context = NOBODY) -> Outcome[WebhookWithSecret]:
        """Give a webhook a new secret; messages are signed with the one before as well, until `finish_rotation`.

        Fails with:
            NotFound: There is no such webhook.

            Unavailable: A database does not answer.
        """
        found = await self._find(webhook_id)
        if isinstance(found, Failure):
            return found
        place, webhook = found.unwrap()
        secret = generate_secret()
        written = self._secrets.write(webhook.id, (secret,))
        changed = replace(webhook, secrets=(*written, *webhook.secrets[:1]))
        stored = await self._change(place, changed, WebhookSecretRotated, context)
        return stored if isinstance(stored, Failure) else Success(WebhookWithSecret(changed, secret))

    async def finish_rotation(self, webhook_id: str, *, context: Context = NOBODY) -> Outcome[Webhook]:
        """Sign with the newest secret of a webhook only.

        Fails with:
            NotFound: There is no such webhook.

            Unavailable: A database does not answer.
        """
        found = await self._find(webhook_id)
        if isinstance(found, Failure):
            return found
        place, webhook = found.unwrap()
        changed = replace(webhook, secrets=webhook.secrets[:1])
        return await self._change(place, changed, WebhookSecretRotated, context)

    async def remove(self, webhook_id: str, *, context: Context = NOBODY) -> Outcome[Webhook]:
        """Remove a webhook for good.

        Fails with:
            NotFound: There is no such webhook.

            Unavailable: A database does not answer.
        """
        found = await self._find(webhook_id)
        if isinstance(found, Failure):
            return found
        place, webhook = found.unwrap()
        removed = await place.store.remove(webhook_id)
        if isinstance(removed, Failure):
            return removed
        if not removed.unwrap():
            return Failure(NotFound(WEBHOOKS.name, webhook_id))
        await self._announce(WebhookRemoved, webhook, context)
        return Success(webhook)

    async def _set_disabled(self, webhook_id: str, context: Context, *, disabled: bool) -> Outcome[Webhook]:
        found = await self._find(webhook_id)
        if isinstance(found, Failure):
            return found
        place, webhook = found.unwrap()
        readable = self._secrets.read(webhook)
        written = webhook.secrets if readable is None else self._secrets.write(webhook.id, readable)
        changed = replace(webhook, secrets=written, disabled=disabled, attempts=0, retry_at=None, error="")
        event = WebhookDisabled if disabled else WebhookEnabled
        return await self._change(place, changed, event, context)

    async def _change(
        self, place: WebhookPlace, changed: Webhook, event: type[DomainEvent], context: Context
    ) -> Outcome[Webhook]:
        stored = await place.store.change(changed)
        if isinstance(stored, Failure):
            return stored
        if not stored.unwrap():
            return Failure(NotFound(WEBHOOKS.name, changed.id))
        await self._announce(event, changed, context)
        return Success(changed)

    async def _find(self, webhook_id: str) -> Outcome[tuple[WebhookPlace, Webhook]]:
        for place in self._places:
            webhooks = await place.store.find_all()
            if isinstance(webhooks, Failure):
                return webhooks
            for each in webhooks.unwrap():
                if each.id == webhook_id:
                    return Success((place, each))
        return Failure(NotFound(WEBHOOKS.name, webhook_id))

    def _faults_of(self, url: str, tenant: str | None) -> Iterator[Fault]:
        if (mistake := self._rules.find_mistake(url)) is not None:
            yield Fault("/url", mistake, "webhook_url")
        if tenant is not None and not (0 < len(tenant) <= MAX_TENANT and tenant.isprintable()):
            yield Fault("/tenant", f"Must have 1 to {MAX_TENANT} printable characters", "webhook_tenant")

    async def _announce(
        self, event: type[DomainEvent], webhook: Webhook, context: Context, **others: Any
    ) -> None:
        happened = event(
            key=webhook.id,
            tenant=webhook.tenant,
            actor=context.principal.id,
            correlation_id=context.correlation_id,
            occurred_at=self._clock.now(),
            **others,
        )
        await self._events.publish([happened])
