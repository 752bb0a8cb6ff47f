"""The functions behind `relay` and the commands below `events`, carried out by the use cases of the application."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, TypeAlias

from returns.result import Failure, Success

from fastapi_easy.application.events.outbox_operations import OutboxOperations
from fastapi_easy.application.events.relay import Relay
from fastapi_easy.application.events.relay_figures import RelayFigures
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.interfaces.cli.events.signals import stopped_by_signals
from fastapi_easy.interfaces.cli.events.tasks import EventTasks, OutboxQuestion, Relayed
from fastapi_easy.interfaces.cli.tasks import CommandError, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedRelay:
    """A relay of an application, which is open.

    Attributes:
        relay: The relay.

        figures: What it has done, by the name of the database.

        outboxes: What is left.

        has_broker: Whether messages are published; without a broker none is ever left.
    """

    relay: Relay
    figures: Mapping[str, RelayFigures]
    outboxes: OutboxOperations
    has_broker: bool


OpenRelay: TypeAlias = Callable[[Target], AbstractAsyncContextManager[OpenedRelay]]
"""Opens a relay for the duration of a block. May raise `CommandError`."""

OpenOutboxes: TypeAlias = Callable[[Target], AbstractAsyncContextManager[OutboxOperations]]
"""Opens outboxes for the duration of a block. May raise `CommandError`."""


def event_tasks(open_relay: OpenRelay, open_outboxes: OpenOutboxes) -> EventTasks:
    """Return the functions behind the commands.

    Args:
        open_relay: Opens the relay of the application that the command works on.

        open_outboxes: Opens the outboxes of the application that a command works on.
    """

    def relay(target: Target, is_once: bool, announce: Callable[[], None]) -> Relayed:
        try:
            return asyncio.run(_relay(open_relay(target), announce, is_once=is_once))
        except ConnectionError as error:
            raise CommandError(str(error)) from error
        except asyncio.CancelledError:
            raise CommandError(
                "stopped at once: another relay goes on when the claims have expired", exit_code=1
            ) from None

    async def ask(target: Target, question: OutboxQuestion) -> Outcome[Any]:
        async with open_outboxes(target) as outboxes:
            return await question(outboxes)

    return EventTasks(relay=relay, ask=lambda target, question: asyncio.run(ask(target, question)))


async def _relay(
    opening: AbstractAsyncContextManager[OpenedRelay], announce: Callable[[], None], *, is_once: bool
) -> Relayed:
    async with opening as opened:
        with stopped_by_signals(opened.relay.stop):
            announce()
            await (opened.relay.drain() if is_once else opened.relay.run())
        lags = await opened.outboxes.lag() if is_once and opened.has_broker else Success({})
        return Relayed(
            published=sum(each.published for each in opened.figures.values()),
            parked=sum(each.parked for each in opened.figures.values()),
            lags=None if isinstance(lags, Failure) else lags.unwrap(),
        )
