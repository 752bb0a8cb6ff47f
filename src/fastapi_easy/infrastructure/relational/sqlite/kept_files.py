"""Files of SQLite that a command only looks at. It knows no library of databases, since none may be installed."""

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Final

_ARE_KEPT: Final = contextvars.ContextVar("are_kept", default=False)


@contextlib.contextmanager
def files_as_they_are() -> Iterator[None]:
    """Let files of SQLite that the block connects to stay as they are: their journal mode is not changed."""
    token = _ARE_KEPT.set(True)
    try:
        yield
    finally:
        _ARE_KEPT.reset(token)


def are_files_kept() -> bool:
    """Return whether this runs in a block of `files_as_they_are`."""
    return _ARE_KEPT.get()
