"""What `consume` does to an application."""

import asyncio
import logging.config
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from fastapi_easy.infrastructure.observation.structured_logs import log_config
from fastapi_easy.interfaces.cli.consuming.tasks import Announce, Consume, Consumed
from fastapi_easy.interfaces.cli.events.signals import stopped_by_signals
from fastapi_easy.interfaces.cli.tasks import CommandError, Target
from fastapi_easy.messaging import open_consumers

__all__ = ["consume_of"]


def consume_of(
    find: Callable[[Target], Any], report_mistakes: Callable[[], AbstractContextManager[None]]
) -> Consume:
    """Return what the command calls.

    Args:
        find: Returns the container of the application at a target. Raises `CommandError`.

        report_mistakes: Turns a `DeclarationError` into a `CommandError`.
    """

    def consume(target: Target, groups: Sequence[str], announce: Announce) -> None:
        with report_mistakes():
            container = find(target)
            log = container.settings().log
            logging.config.dictConfig(log_config(log.level, json_lines=log.json_lines))
            try:
                asyncio.run(_consume(container, groups, announce))
            except ConnectionError as error:
                raise CommandError(str(error)) from error

    return consume


async def _consume(container: Any, groups: Sequence[str], announce: Announce) -> None:
    stopping = asyncio.Event()
    with stopped_by_signals(stopping.set):
        async with open_consumers(container, groups) as consumers:
            announce([Consumed(each.topic, each.group or "") for each in consumers])
            _ = await stopping.wait()
