"""A machine that has other things to do: processes that compute, as long as a block lasts."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.services.service import new_folder, spawn

LOAD: Final = 8


@contextmanager
def busy(processes: int = LOAD) -> Iterator[None]:
    """Compute in so many processes until the end of the block, at the usual priority.

    They end with this process, however it ends.
    """
    folder = new_folder("busy")
    started = [spawn([sys.executable, "-c", "while True: pass"], folder) for _ in range(processes)]
    try:
        yield
    finally:
        for each in started:
            each.kill()
        for each in started:
            _ = each.wait()
        shutil.rmtree(folder, ignore_errors=True)
