"""What the commands below `webhooks` need from the composition root."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from fastapi_easy.application.webhooks.webhooks import Webhooks
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.interfaces.cli.tasks import Target

WebhookQuestion: TypeAlias = Callable[[Webhooks], Awaitable[Outcome[Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTasks:
    """The functions behind the commands below `webhooks`.

    Attributes:
        ask: Opens the webhooks of an application, asks a question, closes them, and returns the answer. Raises
            `CommandError` when there is no such application, or it has none that another process could see.
    """

    ask: Callable[[Target, WebhookQuestion], Outcome[Any]]


LoadWebhookTasks: TypeAlias = Callable[[], WebhookTasks]
"""Returns the functions; called when a command below `webhooks` is."""
