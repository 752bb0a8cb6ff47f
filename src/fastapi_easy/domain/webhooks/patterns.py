"""Which messages a webhook is sent."""

from collections.abc import Collection, Sequence

from fastapi_easy.domain.outbox.message import OutboxMessage
from fastapi_easy.domain.ports.webhook_store import Webhook

_ANY_VERB = ".*"


def matches(pattern: str, message_name: str) -> bool:
    """Return whether *pattern*, like `books.created` or `books.*`, stands for the name of a message."""
    if pattern.endswith(_ANY_VERB):
        return message_name.rpartition(".")[0] == pattern.removesuffix(_ANY_VERB)
    return pattern == message_name


def is_wanted(webhook: Webhook, message: OutboxMessage) -> bool:
    """Return whether *webhook* is sent *message*."""
    if webhook.tenant is not None and webhook.tenant != message.tenant:
        return False
    return not webhook.events or any(matches(each, message.name) for each in webhook.events)


def find_unmatched(patterns: Sequence[str], message_names: Collection[str]) -> Sequence[str]:
    """Return those of *patterns* that stand for none of *message_names*."""
    return [each for each in patterns if not any(matches(each, name) for name in message_names)]
