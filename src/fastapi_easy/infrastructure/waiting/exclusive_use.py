"""One task at a time: what is in use is refused to others at once, instead of letting them wait."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Final

from fastapi_easy.domain.ports.unit_of_work import UnitOfWorkMisuse
from fastapi_easy.infrastructure.waiting.completion import run_to_completion

_ENDED: Final = object()
"""Stands for a task once there is to be no further use."""

_IN_USE_TEXT: Final = (
    "another task is in the middle of a call: "
    "a unit of work belongs to one task; open a unit of work for each task"
)
_ENDED_TEXT: Final = (
    "the unit of work has ended: await every call before its block ends, and open a new one for more"
)


class ExclusiveUse:
    """A context manager around each use of something that tasks must not use at once.

    What counts is overlap: a task may use it after another one has finished. The task in whose use it is may enter
    again.
    """

    __slots__ = ("_depth", "_idle", "_owner", "_successor")

    def __init__(self) -> None:
        self._owner: object = None
        # What the owner is once the outermost use has ended.
        self._successor: object = None
        self._depth = 0
        self._idle: asyncio.Event | None = None

    def __enter__(self) -> None:
        """Begin a use.

        Raises:
            UnitOfWorkMisuse: Another task is in the middle of one, or there is to be no further one.
        """
        if self._owner is None:
            self._owner = asyncio.current_task()
        else:
            self._enter_again()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the use."""
        if self._depth:
            self._depth -= 1
            return
        self._owner = self._successor
        if self._idle is not None:
            self._idle.set()

    @property
    def has_ended(self) -> bool:
        """Whether there is to be no further use."""
        return self._successor is _ENDED

    async def end_with(self, last: Callable[[], Awaitable[None]]) -> None:
        """Refuse every further use, and run *last* once none is going on, also when the task is cancelled meanwhile."""
        self._successor = _ENDED
        if self._owner is None:
            self._owner = _ENDED
        if self._owner in {_ENDED, asyncio.current_task()}:
            await last()
        else:
            await run_to_completion(self._run_when_idle(last))

    async def _run_when_idle(self, last: Callable[[], Awaitable[None]]) -> None:
        if self._idle is None:
            self._idle = asyncio.Event()
        if self._owner is not _ENDED:
            _ = await self._idle.wait()
        await last()

    def _enter_again(self) -> None:
        if self._owner is not asyncio.current_task():
            raise UnitOfWorkMisuse(_ENDED_TEXT if self.has_ended else _IN_USE_TEXT)
        self._depth += 1
