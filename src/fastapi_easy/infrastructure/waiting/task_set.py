"""Tasks that run beside the calls that have started them."""

import asyncio
from collections.abc import Coroutine


class TaskSet:
    """The tasks of one owner, who waits for them at its end."""

    __slots__ = ("_tasks",)

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, work: Coroutine[object, object, object]) -> None:
        """Run *work* in a task of its own."""
        task = asyncio.get_running_loop().create_task(work)
        # The loop itself holds tasks weakly: without another reference one may vanish before its end.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait(self) -> None:
        """Wait until all of them are done."""
        if self._tasks:
            _ = await asyncio.wait(self._tasks)
