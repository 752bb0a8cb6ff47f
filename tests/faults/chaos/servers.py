"""Servers that are killed and started again where they were, with what they had on the disk."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.services.obtain import RECIPES
from tests.services.service import Service, Unavailable

_DURABLE: Final[Mapping[str, tuple[str, ...]]] = {
    # The servers of tests may lose what they have answered when they are killed.
    "postgres": ("-c", "synchronous_commit=on"),
    "mariadb": ("--innodb-flush-log-at-trx-commit=2",),
}
START_LIMIT: Final = 60.0


class Server:
    """A server of its own for a run, which keeps what it has answered when it is killed.

    Attributes:
        name: Which of the recipes of `tests/services`.
    """

    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        recipe = RECIPES[name]
        program = recipe.locate()
        if program is None:
            raise Unavailable(f"There is no program of {name} to start: {recipe.advice}.")
        self.name = name
        self._recipe = recipe
        self._service: Service = recipe.start(program)
        assert self._service.process is not None
        assert isinstance(self._service.process.args, list)
        self._command = [*map(str, self._service.process.args), *_DURABLE.get(name, ())]
        self._environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", **environment}

    @property
    def url(self) -> str:
        """Where it answers; the same after each start."""
        return self._service.url

    async def kill(self) -> None:
        """Kill it, with everything that it knows and has not written."""
        process = self._service.process
        assert process is not None
        process.kill()
        _ = await asyncio.to_thread(process.wait)

    def kill_one_process(self, chance: random.Random) -> None:
        """Kill one of the processes that it has started, if it has any; it recovers by itself."""
        process = self._service.process
        assert process is not None
        with contextlib.suppress(OSError):
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            if children:
                os.kill(int(chance.choice(children)), signal.SIGKILL)

    async def start(self) -> None:
        """Start it where it was.

        Raises:
            Unavailable: It does not answer in time.
        """
        until = time.monotonic() + START_LIMIT
        while time.monotonic() < until:
            self._spawn()
            if await self._answers(until):
                return
            # What it left behind, like processes that have not noticed yet, may keep it from starting.
            await asyncio.sleep(0.2)
        raise Unavailable(f"{self.name} did not answer {START_LIMIT:g} s after it was started again")

    def stop(self) -> None:
        """End it for good."""
        self._service.stop()

    def _spawn(self) -> None:
        # In the main thread, since it ends with the thread that started it.
        assert self._service.folder is not None
        with (self._service.folder / "log").open("ab") as log:
            self._service.process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._service.folder,
                env={**self._environment, "HOME": str(self._service.folder)},
                start_new_session=True,
            )

    async def _answers(self, until: float) -> bool:
        process = self._service.process
        assert process is not None
        while process.poll() is None and time.monotonic() < until:
            # Until it is ready, each driver refuses in its own way.
            with contextlib.suppress(Exception):
                if await asyncio.to_thread(self._recipe.answers, self.url):
                    return True
            await asyncio.sleep(0.1)
        return False
