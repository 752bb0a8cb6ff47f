"""What happens to webhooks. No event holds a secret."""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from fastapi_easy.domain.changes.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAdded(DomainEvent):
    """A webhook was added: `webhook.added`. The key of each event here is the id of the webhook.

    Attributes:
        url: Where it leads.
    """

    verb: ClassVar[str] = "added"
    resource: str = "webhook"
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEnabled(DomainEvent):
    """An operator has enabled a webhook: `webhook.enabled`."""

    verb: ClassVar[str] = "enabled"
    resource: str = "webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDisabled(DomainEvent):
    """A webhook is sent nothing until an operator enables it: `webhook.disabled`.

    Attributes:
        error: Why a relay has given it up; empty when an operator has disabled it.
    """

    verb: ClassVar[str] = "disabled"
    resource: str = "webhook"
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSecretRotated(DomainEvent):
    """A webhook has a new secret, or the one before counts no more: `webhook.secret_rotated`."""

    verb: ClassVar[str] = "secret_rotated"
    resource: str = "webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRemoved(DomainEvent):
    """A webhook was removed: `webhook.removed`."""

    verb: ClassVar[str] = "removed"
    resource: str = "webhook"


WebhookEvent: TypeAlias = (
    WebhookAdded | WebhookEnabled | WebhookDisabled | WebhookSecretRotated | WebhookRemoved
)
"""What happens to a webhook."""
