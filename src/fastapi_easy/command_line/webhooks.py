"""The commands below `webhooks`."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from fastapi_easy.composition.events.webhooks import keeps_webhooks_for_others
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.interfaces.cli.tasks import CommandError, Target
from fastapi_easy.interfaces.cli.webhooks.tasks import WebhookQuestion, WebhookTasks
from fastapi_easy.webhooks import open_webhooks


def webhook_tasks_of(
    find: Callable[[Target], Any], report_mistakes: Callable[[], AbstractContextManager[None]]
) -> WebhookTasks:
    """Return what the commands call.

    Args:
        find: Returns the container of the application at a target. Raises `CommandError`.

        report_mistakes: Turns a `DeclarationError` into a `CommandError`.
    """

    def ask(target: Target, question: WebhookQuestion) -> Outcome[Any]:
        application = find(target)
        with report_mistakes():
            if not keeps_webhooks_for_others(application):
                raise CommandError(
                    "the webhooks of this application are in process memory and cannot be seen from another process"
                )
            return asyncio.run(_ask(application, question))

    return WebhookTasks(ask=ask)


async def _ask(container: Any, question: WebhookQuestion) -> Outcome[Any]:
    async with open_webhooks(container) as webhooks:
        return await question(webhooks)
