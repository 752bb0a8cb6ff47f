"""The descriptors of lock files, which belong to one process.

With `flock` a descriptor and its copies share a lock, which lasts until one of them unlocks it or all are closed. A
process that is forked without `exec` has copies of all descriptors: it closes those of lock files at once, so that a
lock does not outlive its holder, and releasing is unlocking, so that it does not matter whether it has got there yet.
"""

import contextlib
import fcntl
import os
import threading
from pathlib import Path
from typing import Final

_open_files: Final[set[int]] = set()
_lock: Final = threading.Lock()
"""Held while a descriptor is opened or closed: between the two steps of that no thread may fork."""


def open_lock_file(path: Path, flags: int) -> int:
    """Open the lock file at *path*; neither a forked process nor another program will have it.

    Raises:
        OSError: It cannot be opened.
    """
    with _lock:
        # CLOEXEC for programs that are started. With `flock`, unlike POSIX locks, each descriptor that was opened locks
        # by itself, also within one process.
        file = os.open(path, flags | os.O_CLOEXEC, 0o600)
        _open_files.add(file)
    return file


def close_lock_file(file: int) -> None:
    """Unlock and close *file*, whoever has a copy of it."""
    with _lock:
        _open_files.discard(file)
        try:
            fcntl.flock(file, fcntl.LOCK_UN)
        finally:
            os.close(file)


def _close_in_child() -> None:
    # Closed and not unlocked: the lock is that of the parent.
    while _open_files:
        with contextlib.suppress(OSError):
            os.close(_open_files.pop())
    _lock.release()


os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_close_in_child)
