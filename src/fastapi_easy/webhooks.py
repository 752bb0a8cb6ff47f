"""Webhooks: looking after them, and verifying on the receiving side what was posted."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import cast

from fastapi_easy.application.webhooks.webhooks import Webhooks, WebhookStanding, WebhookWithSecret
from fastapi_easy.bootstrap.opening import checked_kernel
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.audit.operators import written_by_operators
from fastapi_easy.container import Container
from fastapi_easy.domain.ports import PostResult, Webhook, WebhookSender
from fastapi_easy.domain.webhooks.events import (
    WebhookAdded,
    WebhookDisabled,
    WebhookEnabled,
    WebhookRemoved,
    WebhookSecretRotated,
)
from fastapi_easy.domain.webhooks.signing import WebhookVerificationError, verify

__all__ = [
    "PostResult",
    "Webhook",
    "WebhookAdded",
    "WebhookDisabled",
    "WebhookEnabled",
    "WebhookRemoved",
    "WebhookSecretRotated",
    "WebhookSender",
    "WebhookStanding",
    "WebhookVerificationError",
    "WebhookWithSecret",
    "Webhooks",
    "open_webhooks",
    "verify",
]


@asynccontextmanager
async def open_webhooks(container: Container) -> AsyncIterator[Webhooks]:
    """Open the webhooks of *container* for a script, and close them at the end. A running application has `webhooks()`.

    ```python
    async with open_webhooks(Shop()) as webhooks:
        added = await webhooks.add("https://hooks.example/orders", events=["orders.*"])
    ```

    Args:
        container: An instance of your container.

    Raises:
        DeclarationError: With every mistake in the declarations, or because the application has no webhooks.
    """
    application = cast("Application", container)
    _ = checked_kernel(application)
    webhooks, outboxes = application.webhooks(), application.outboxes()
    async with AsyncExitStack() as stack:
        for database in application.every_database():
            if database.name in outboxes:
                _ = stack.push_async_callback(database.close)
                await database.open()
        await stack.enter_async_context(written_by_operators(application))
        yield webhooks
