"""SIGTERM and SIGINT for commands that run until they are told to stop."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call *stop* on the first SIGTERM or SIGINT during the block, and cancel the current task on the second."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    is_stopping = False

    def handle() -> None:
        nonlocal is_stopping
        if is_stopping and task is not None:
            _ = task.cancel()
        is_stopping = True
        stop()

    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    for each in before:
        # Not `loop.add_signal_handler`, which Windows has not.
        _ = signal.signal(each, lambda *_: loop.call_soon_threadsafe(handle))
    try:
        yield
    finally:
        for each, handler in before.items():
            _ = signal.signal(each, handler)
