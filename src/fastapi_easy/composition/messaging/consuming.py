"""Consuming, from the subscriptions at the broker to the end of the last delivery."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from returns.result import Failure

from fastapi_easy.application.events.relay import Relay
from fastapi_easy.application.events.relay_task import ScheduledTask
from fastapi_easy.application.events.remove_expired import RemoveHandledNotes
from fastapi_easy.application.kernel import Kernel
from fastapi_easy.application.messaging.message_handler import MessageHandler
from fastapi_easy.application.messaging.performing import Perform, PerformCommand, PerformFunction
from fastapi_easy.composition.answers import answer, require_none
from fastapi_easy.composition.application import Application
from fastapi_easy.composition.messaging.declared import DeclaredConsumer, read_consumers
from fastapi_easy.composition.technologies import technology_of
from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.ports import Broker, Inbox, Subscription
from fastapi_easy.interfaces.messaging.deliveries import handle_deliveries

__all__ = ["consuming", "embedded_consumers"]

_MOST_DELIVERIES: Final = 1000
"""Deliveries after which a broker parks a message by itself: one that kills each process that is given it."""

_RETENTION_INTERVAL: Final = 600.0
"""Seconds between two looks for what inboxes need not know any more."""

_MARGIN: Final = 5.0
"""Seconds between the end of handling and the moment at which a broker gives the message to somebody else."""


@contextlib.asynccontextmanager
async def consuming(
    application: Application, kernel: Kernel, groups: Sequence[str] = ()
) -> AsyncIterator[Sequence[DeclaredConsumer]]:
    """Handle messages during the block; at its end wait for those under way.

    Args:
        application: Its consumers; its databases are open.

        kernel: The kernel of the application.

        groups: The groups to consume for; all of them when empty.

    Raises:
        DeclarationError: There is nothing to consume, no broker, or a database cannot note what was handled.

        ConnectionError: The broker or a database does not answer.
    """
    declared = read_consumers(application, kernel)
    chosen = [each for each in declared if not groups or each.group in groups]
    known = {each.group for each in declared}
    if unknown := [each for each in groups if each not in known]:
        raise DeclarationError([f"no consumer has the group {each!r}" for each in unknown])
    if not chosen:
        raise DeclarationError(["the application declares no consumers: consumers = [consume(…)]"])
    broker = application.broker()
    if broker is None:
        raise DeclarationError(["there is no broker to consume from: set events.broker_url"])
    inboxes = await _prepare_inboxes(application, chosen)
    retention = application.settings().events.inbox_retention
    async with contextlib.AsyncExitStack() as stack:
        _ = stack.push_async_callback(broker.close, application.settings().http.grace)
        await _require_answer(broker, broker.open())
        for each in chosen:
            subscription = _subscription(application, kernel, each, inboxes.get(each.database))
            await _require_answer(broker, broker.subscribe(subscription))
        await stack.enter_async_context(_short_inboxes(inboxes, retention))
        yield chosen


@contextlib.asynccontextmanager
async def embedded_consumers(application: Application, kernel: Kernel) -> AsyncIterator[None]:
    """Handle messages beside requests during the block."""
    async with consuming(application, kernel):
        yield


async def _prepare_inboxes(
    application: Application, consumers: Sequence[DeclaredConsumer]
) -> dict[str, Inbox]:
    needed = {each.database for each in consumers if each.consumer.deduplicate}
    inboxes = {}
    for database in application.every_database():
        make = technology_of(database).inbox
        if database.name in needed and make is not None:
            inbox = make(database)
            refused = answer(database, await inbox.prepare())
            hint = "write deduplicate=False where it does no harm that a message is handled twice"
            require_none(database, [f"{each}; or {hint}" for each in refused])
            inboxes[database.name] = inbox
    return inboxes


def _short_inboxes(
    inboxes: Mapping[str, Inbox], retention: float
) -> contextlib.AbstractAsyncContextManager[None]:
    """Return what removes notes from *inboxes*, beside a block, of messages that no broker delivers any more."""
    return Relay(
        [
            ScheduledTask(
                task=RemoveHandledNotes(name, inbox, retention=retention),
                interval=_RETENTION_INTERVAL,
                longest_interval=_RETENTION_INTERVAL,
            )
            for name, inbox in inboxes.items()
        ]
    ).running()


async def _require_answer(broker: Broker, asked: Any) -> None:
    outcome = await asked
    if isinstance(outcome, Failure):
        raise ConnectionError(
            f"the broker {broker.name} does not take subscriptions: {outcome.failure().code}"
        )


def _subscription(
    application: Application, kernel: Kernel, declared: DeclaredConsumer, inbox: Inbox | None
) -> Subscription:
    consumer = declared.consumer
    handler = MessageHandler(
        consumer,
        declared.group,
        _perform(application, kernel, declared),
        inbox if consumer.deduplicate else None,
        application.tracer,
    )
    return Subscription(
        consumer=declared.group,
        topic=consumer.topic,
        handle=handle_deliveries(handler),
        max_attempts=max(_MOST_DELIVERIES, consumer.max_attempts),
        timeout=consumer.timeout + _MARGIN,
    )


def _perform(application: Application, kernel: Kernel, declared: DeclaredConsumer) -> Perform:
    command, function = declared.command, declared.consumer.handle
    if command is not None:
        return PerformCommand(command.handle, command.read, application.clock)
    if function is None:
        raise DeclarationError([f"consumers: {declared.consumer.topic!r}: give command=… or handle=…"])
    return PerformFunction(function, kernel, declared.database)
