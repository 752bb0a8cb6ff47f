"""The processes of the shop: served by `fastapi-easy run`, killed, stopped for a while, and started again."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx2

from tests.services.service import LAUNCHER, free_port

ROOT: Final = Path(__file__).parents[3]
START_LIMIT: Final = 600.0
"""Seconds in which a process comes up: on a busy machine, and while databases that it starts with come and go."""
END_LIMIT: Final = 60.0
"""Seconds that a process may take to end by itself on a busy machine; its grace is shorter."""


class Worker:
    """A process that serves the shop at a port of its own.

    Attributes:
        name: What it is called in the report.

        exits: Its exit code each time when it was told to end; `None` when it did not.
    """

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.exits: list[int | None] = []
        self.log = folder / f"{name}.log"
        self._environment = dict(environment)
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers; the same after each start."""
        return f"http://127.0.0.1:{self._port}"

    def start(self, **more: str) -> None:
        """Start it; it ends with the thread that this is called in."""
        launched = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(signal.SIGKILL.value)]
        served = [sys.executable, "-m", "fastapi_easy", "run", "tests.faults.chaos.shop:app"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*launched, "-1", "-1", *served, "--port", str(self._port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env={**self._environment, **more},
                start_new_session=True,
            )

    async def until_it_answers(self, **more: str) -> None:
        """Return once it answers; one that ends meanwhile, as without its databases, is started again.

        Raises:
            TimeoutError: It does not in time.
        """
        until = time.monotonic() + START_LIMIT
        while time.monotonic() < until:
            if not self.is_running:
                self.start(**more)
            try:
                _ = await self.health("live")
            except httpx2.HTTPError:
                await asyncio.sleep(0.1)
            else:
                return
        raise TimeoutError(f"{self.name} did not answer; its log ends with: {self.last_words()}")

    async def health(self, which: str) -> Any:
        """What `/health/live` or `/health/ready` says."""
        async with httpx2.AsyncClient(timeout=10) as client:
            return (await client.get(f"{self.url}/health/{which}")).json()

    @property
    def is_running(self) -> bool:
        """Whether there is a process."""
        return self._process is not None and self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self.is_running:
            assert self._process is not None
            self._process.send_signal(number)

    async def ended(self, limit: float = END_LIMIT) -> int | None:
        """Its exit code; `None` when it did not end within *limit*, and was killed."""
        if self._process is None:
            return None
        try:
            return await asyncio.to_thread(self._process.wait, limit)
        except subprocess.TimeoutExpired:
            self._process.kill()
            _ = await asyncio.to_thread(self._process.wait)
            return None

    def stop(self) -> None:
        """Kill it, if it still runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            _ = self._process.wait()

    def last_words(self, characters: int = 1000) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-characters:] if self.log.exists() else ""
