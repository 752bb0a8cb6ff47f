"""A server of one's own that is killed and started again, with its data and at its port."""

import contextlib
import os
import pwd
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from tests.services.obtain import RECIPES
from tests.services.scratch import drop_scratch_database, scratch_database
from tests.services.service import Service, Unavailable, await_ready, spawn, unprivileged_account

_KILLS = {"postgres": signal.SIGQUIT}
"""What ends a server at once: PostgreSQL has many processes, and takes them along."""


class Restarted:
    """A server that was started for this alone.

    Attributes:
        url: A database of its own on it.
    """

    def __init__(self, name: str) -> None:
        recipe = RECIPES[name]
        program = recipe.locate()
        if program is None:
            raise Unavailable(f"{name} is not installed: {recipe.advice}")
        self._recipe = recipe
        self._service: Service = recipe.start(program)
        process = self._process
        # Its launcher has become the server itself.
        self._arguments = Path(f"/proc/{process}/cmdline").read_bytes().decode().rstrip("\0").split("\0")
        owner = pwd.getpwuid(Path(f"/proc/{process}").stat().st_uid)
        self._account = unprivileged_account() if owner.pw_uid != os.geteuid() else None
        self.url = scratch_database(self._service)

    @property
    def _process(self) -> int:
        assert self._service.process is not None
        return self._service.process.pid

    def kill(self) -> None:
        """End it at once, without a word to its clients."""
        process = self._service.process
        assert process is not None
        process.send_signal(_KILLS.get(self._service.name, signal.SIGKILL))
        _ = process.wait(20)

    def start(self) -> None:
        """Start it again, and return at once."""
        folder = self._service.folder
        assert folder is not None
        self._service.process = spawn(
            self._arguments, folder, account=self._account, stop_signal=self._service.stop_signal
        )

    def accepts_at(self) -> float:
        """Wait until it answers a client of its own, and return when that was, on `time.monotonic`."""
        await_ready(self._service, lambda: self._recipe.answers(self._service.url))
        return time.monotonic()

    def close(self) -> None:
        """End it, and remove what it stored."""
        with contextlib.suppress(Exception):
            drop_scratch_database(self._service, self.url)
        self._service.stop()


@contextlib.contextmanager
def restarted(name: str) -> Iterator[Restarted]:
    """A server *name* that can be killed and started."""
    server = Restarted(name)
    try:
        yield server
    finally:
        server.close()
