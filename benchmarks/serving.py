"""A column on a server of its own: one uvicorn worker on its core, gone with the process that asked for it."""

import os
import signal
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.machine import pin
from tests.services.service import Service, await_ready, free_port, new_folder, spawn

ROOT: Final = Path(__file__).parents[1]
SETTINGS: Final = (
    "--loop",
    "uvloop",
    "--http",
    "httptools",
    "--no-access-log",
    "--lifespan",
    "on",
    "--log-level",
    "warning",
)


@contextmanager
def served(
    target: str,
    url: str,
    cores: frozenset[int],
    *,
    workers: int = 1,
    environment: Mapping[str, str] | None = None,
    ready: str = "/items/1",
) -> Iterator[Service]:
    """Serve the application at *target* on the database at *url*, until the end of the block.

    It has begun when the path *ready* is answered.

    Raises:
        Unavailable: It ended, or did not answer in time; the text ends with what it printed.
    """
    folder, port = new_folder("bench"), free_port()
    arguments = [
        sys.executable,
        "-m",
        "uvicorn",
        target,
        "--port",
        str(port),
        "--workers",
        str(workers),
        *SETTINGS,
    ]
    process = spawn(
        arguments,
        folder,
        environment={**_inherited(), **settings_for(url), "PYTHONPATH": str(ROOT), **(environment or {})},
        stop_signal=signal.SIGTERM,
    )
    pin(process.pid, cores)
    service = Service(
        name=target,
        url=f"http://127.0.0.1:{port}",
        source="uvicorn",
        process=process,
        folder=folder,
        stop_signal=signal.SIGTERM,
    )
    try:
        await_ready(service, lambda: _answers(f"{service.url}{ready}"))
        yield service
    finally:
        service.stop()


def process_of(service: Service) -> int:
    """The number of its process, which was started here."""
    assert service.process is not None
    return service.process.pid


def _inherited() -> dict[str, str]:
    """The environment without settings of the kernel's, which are for other programs."""
    return {name: value for name, value in os.environ.items() if not name.startswith("FASTAPI_EASY_")}


def settings_for(url: str) -> dict[str, str]:
    """What each column reads of the environment."""
    return {"BENCH_DATABASE_URL": url, "FASTAPI_EASY_DATABASES__DEFAULT__URL": url}


def _answers(url: str) -> bool:
    """Something can be read; an answer of another kind is the column's mistake, and checked later."""
    with urllib.request.urlopen(url, timeout=2) as answer:
        return bool(answer.status == 200)
