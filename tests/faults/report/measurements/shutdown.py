"""SIGTERM under load: clients that keep their connections see every answer, and no reset."""

import asyncio
import collections
import http.client
import signal
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.commands import program_in, serving
from tests.faults.report.figure import Figure

FAULT = "SIGTERM under load"
EXITS = 20
TOGETHER = 4
"""Exits at the same time: most of each is a wait."""
CLIENTS = 8
DRAIN_DELAY = 1.0
LOAD = 0.7
"""Seconds of load before the signal."""
PATHS = ("/books?limit=5", "/who")


@dataclass(frozen=True, slots=True)
class Exit:
    """What became of the clients of one process that was told to end."""

    code: int
    heard: collections.Counter[str]
    seconds: float


async def measured() -> list[Figure]:
    """Return how many requests were reset, over twenty exits with eight clients each."""
    return await asyncio.to_thread(_measure)


def _measure() -> list[Figure]:
    with ThreadPoolExecutor(TOGETHER) as pool:
        exits = list(pool.map(lambda _: _exit(), range(EXITS)))
    heard = sum((each.heard for each in exits), collections.Counter())
    reset = {what: count for what, count in heard.items() if what not in {"200", "closed", "refused"}}
    shown = f"{sum(reset.values())} of {heard.total() - heard['refused']:,}"
    what = (
        f"requests without an answer of 200, {EXITS} exits with {CLIENTS} clients that keep their connections"
    )
    codes = [each.code for each in exits if each.code != 0]
    longest = max(each.seconds for each in exits)
    return [
        Figure(FAULT, what, "-", _with_kinds(shown, reset), "0", not reset and heard["200"] > 0),
        Figure(FAULT, "exits with another code than 0", "-", str(len(codes)), "0", not codes),
        Figure(
            FAULT,
            "longest exit, of which 1 s is not ready and open",
            "-",
            f"{longest:.1f} s",
            ">= 1 s",
            longest >= DRAIN_DELAY,
        ),
    ]


def _with_kinds(shown: str, reset: dict[str, int]) -> str:
    return f"{shown} ({', '.join(f'{count} {what}' for what, count in reset.items())})" if reset else shown


def _exit() -> Exit:
    with tempfile.TemporaryDirectory(prefix="fastapi-easy-exit-") as name:
        folder = program_in(Path(name))
        variables = {"FASTAPI_EASY_HTTP__DRAIN_DELAY": str(DRAIN_DELAY)}
        with serving(folder, "shop:app", **variables) as served:
            heard: list[list[str]] = [[] for _ in range(CLIENTS)]
            clients = [
                threading.Thread(target=_ask_on, args=(served.port, each, PATHS[number % len(PATHS)]))
                for number, each in enumerate(heard)
            ]
            for each in clients:
                each.start()
            time.sleep(LOAD)
            began = time.monotonic()
            code, _, _ = served.end(signal.SIGTERM)
            seconds = time.monotonic() - began
            for each in clients:
                each.join()
    return Exit(code, collections.Counter(what for each in heard for what in each), seconds)


def _ask_on(port: int, heard: list[str], path: str) -> None:
    """Ask until no connection is to be had; whoever is told that a connection will be closed opens another one."""
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.connect()
        except ConnectionRefusedError:
            heard.append("refused")
            return
        try:
            _ask_until_closed(connection, heard, path)
        except (OSError, http.client.HTTPException) as error:
            heard.append(type(error).__name__)
        finally:
            connection.close()


def _ask_until_closed(connection: http.client.HTTPConnection, heard: list[str], path: str) -> None:
    while connection.sock is not None:
        connection.request("GET", path)
        answer = connection.getresponse()
        _ = answer.read()
        heard.append(str(answer.status))
    heard.append("closed")
