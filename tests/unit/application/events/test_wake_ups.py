"""Hints between processes: few are sent, and without any everybody goes on."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from returns.result import Failure, Success

from fastapi_easy.application.events.announcer import Announcer
from fastapi_easy.application.events.backoff import Backoff
from fastapi_easy.application.events.remote_hints import RemoteHints
from fastapi_easy.domain.errors import Outcome, Unavailable


@dataclass
class Line:
    """Implements `WakeUpChannel`: what becomes of each attempt to listen is said beforehand."""

    attempts: list[bool] = field(default_factory=list)
    sent: int = 0
    is_down: bool = False
    on_send: Callable[[], None] = lambda: None
    used_up: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self) -> Outcome[None]:
        self.sent += 1
        self.on_send()
        return Failure(Unavailable("line")) if self.is_down else Success(None)

    async def listen(self, wake: Callable[[], None], /) -> Outcome[None]:
        if not self.attempts:
            self.used_up.set()
            await asyncio.Event().wait()
        if self.attempts.pop(0):
            wake()
        return Failure(Unavailable("line"))


async def test_many_commits_are_one_hint_and_those_that_come_while_it_is_sent_another() -> None:
    line = Line()
    announcer = Announcer(line, pause=0.0)

    sent_twice = asyncio.Event()

    def commit_once() -> None:
        if line.sent == 1:
            announcer.announce()
        else:
            sent_twice.set()

    line.on_send = commit_once
    for _ in range(5):
        announcer.announce()
    async with asyncio.timeout(30):
        running = asyncio.create_task(announcer.run())
        await sent_twice.wait()
        await asyncio.sleep(0.01)
    running.cancel()

    assert line.sent == 2


async def test_a_hint_that_cannot_be_sent_is_forgotten_and_what_is_due_is_sent_at_the_end() -> None:
    line = Line(is_down=True)
    announcer = Announcer(line)

    announcer.announce()
    await announcer.finish()
    await announcer.finish()

    assert line.sent == 1


async def test_a_channel_that_cannot_be_listened_to_is_told_of_once_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    line, woken = Line([False, False, False, True, True, False, False]), []
    hints = RemoteHints("default", line, Backoff(first=0.0, longest=0.0))

    with caplog.at_level(logging.INFO):
        running = asyncio.create_task(hints.run(lambda: woken.append(len(line.attempts))))
        async with asyncio.timeout(30):
            await line.used_up.wait()
        running.cancel()

    assert woken == [3, 2]
    assert [(each.levelname, "cannot be heard" in each.message) for each in caplog.records] == [
        ("WARNING", True),
        ("INFO", False),
        ("WARNING", True),
    ]
