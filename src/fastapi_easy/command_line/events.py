"""`relay`, and the commands below `events`."""

import logging.config
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any

from fastapi_easy.application.events.outbox_operations import OutboxOperations
from fastapi_easy.events import hidden_outboxes, open_outboxes, open_relay, outbox_operations
from fastapi_easy.infrastructure.observation.structured_logs import log_config
from fastapi_easy.interfaces.cli.events.facade_tasks import OpenedRelay, event_tasks
from fastapi_easy.interfaces.cli.events.tasks import EventTasks
from fastapi_easy.interfaces.cli.tasks import CommandError, Target


def event_tasks_of(
    find: Callable[[Target], Any],
    report_mistakes: Callable[[], AbstractContextManager[None]],
    set_up_log: Callable[[dict[str, Any]], None] = logging.config.dictConfig,
) -> EventTasks:
    """Return what the commands call.

    Args:
        find: Returns the container of the application at a target. Raises `CommandError`.

        report_mistakes: Turns a `DeclarationError` into a `CommandError`.

        set_up_log: Lets a relay log as the settings of the application say.
    """

    @asynccontextmanager
    async def relay(target: Target) -> AsyncIterator[OpenedRelay]:
        application = find(target)
        with report_mistakes():
            # Webhooks, checkpoints of the audit trail and tasks of the program are reasons for a relay as well.
            if not application.relay().tasks:
                raise _nothing_published(target)
            _refuse_hidden(application)
            log = application.settings().log
            set_up_log(log_config(log.level, json_lines=log.json_lines))
            async with open_relay(application) as opened:
                yield OpenedRelay(
                    relay=opened,
                    figures=application.relay_figures,
                    outboxes=outbox_operations(application),
                    has_broker=application.broker() is not None,
                )

    @asynccontextmanager
    async def outboxes(target: Target) -> AsyncIterator[OutboxOperations]:
        application = find(target)
        with report_mistakes():
            if not application.outboxes():
                raise _nothing_published(target)
            _refuse_hidden(application)
            async with open_outboxes(application) as operations:
                yield operations

    return event_tasks(relay, outboxes)


def _nothing_published(target: Target) -> CommandError:
    return CommandError(f"{target.path} publishes nothing: declare a resource with events=True")


def _refuse_hidden(application: Any) -> None:
    """Raise `CommandError` when *application* has an outbox that no other process sees."""
    if hidden := hidden_outboxes(application):
        raise CommandError(
            f"the outbox of {', '.join(hidden)} is in process memory and cannot be seen from another process: run a "
            "relay in the application itself, with the setting events.relay = embedded"
        )
