"""The owners of locks: a task of a process of a machine."""

import asyncio
import itertools
import os
import socket
import uuid
from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_HOST_LENGTH: Final = 60


class Owners:
    """Makes the ids of owners: `host:pid:boot:task/acquisition`.

    The task is part of it, so that two tasks of a process exclude each other; the acquisition is, so that the release
    of a cancelled acquisition can never release the next one.
    """

    def __init__(self) -> None:
        self.process = os.getpid()
        host = socket.gethostname()[:_HOST_LENGTH].encode("ascii", "replace").decode()
        self._prefix = f"{host}:{self.process}:{_boot_id()}"
        self._tasks: WeakKeyDictionary[asyncio.Task[object], str] = WeakKeyDictionary()
        self._counter = itertools.count(1)

    def next(self, task: "asyncio.Task[object]") -> str:
        """Return a new owner id for an acquisition by *task*."""
        known = self._tasks.get(task)
        if known is None:
            known = self._tasks[task] = f"{self._prefix}:{uuid.uuid4().hex[:16]}"
        return f"{known}/{next(self._counter)}"


def task_of(owner: str) -> str:
    """Return the part of *owner* that is the same for all acquisitions of its task."""
    return owner.rpartition("/")[0]


def _boot_id() -> str:
    try:
        return _BOOT.read_text("ascii")[:8]
    except OSError:
        return "-"
