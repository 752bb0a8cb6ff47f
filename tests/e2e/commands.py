"""The installed command, run as a user runs it: another process, another folder."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

COMMAND = (str(Path(sys.executable).parent / "fastapi-easy"),)
MODULE = (sys.executable, "-m", "fastapi_easy")
IN_MEMORY = {"FASTAPI_EASY_DATABASES__DEFAULT__URL": "memory://"}
SECRET = {"FASTAPI_EASY_SECRET": "hush"}
PATIENCE = 120.0

SHOP = """
import asyncio
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource


@dataclass
class Book:
    title: str
    id: int | None = None


class Shop(Container):
    books = resource(Book)


app = create_app(Shop())


@app.get("/who")
async def who() -> int:
    return os.getpid()


@app.get("/wait")
async def wait() -> None:
    await asyncio.sleep(600)


def make():
    return app


@asynccontextmanager
async def failing(_):
    raise ConnectionError("the warehouse does not answer")
    yield


closed = FastAPI(lifespan=failing)
"""
MISTAKEN = """
from shop import Book
from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.domain.resources.options import QueryRules


class Mistaken(Container):
    books = resource(Book, query=QueryRules(sort=("colour",)))
    numbers = resource(int)


app = create_app(Mistaken())
"""


def program_in(folder: Path) -> Path:
    """*folder* with the two programs in it."""
    (folder / "shop.py").write_text(SHOP)
    (folder / "mistaken.py").write_text(MISTAKEN)
    return folder


def environment(**more: str) -> Mapping[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("FASTAPI_EASY_")}
    return {**own, **IN_MEMORY, **more}


def call(
    folder: Path, *arguments: str, command: tuple[str, ...] = COMMAND, **variables: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@dataclass
class Served:
    """A server that the command started."""

    process: subprocess.Popen[str]
    port: int
    connections: contextlib.ExitStack

    def connection(self) -> http.client.HTTPConnection:
        made = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        return self.connections.enter_context(contextlib.closing(made))

    def end(self, by: signal.Signals) -> tuple[int, str, str]:
        """The exit code and what was printed, after *by*."""
        self.process.send_signal(by)
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out, err


@contextlib.contextmanager
def serving(folder: Path, *arguments: str, **variables: str) -> Iterator[Served]:
    port = free_port()
    process = subprocess.Popen(
        [*COMMAND, "run", *arguments, "--port", str(port)],
        cwd=folder,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A group of its own: its workers would outlive it when it is killed, and keep the pipes open.
        start_new_session=True,
    )
    with contextlib.ExitStack() as connections:
        try:
            served = Served(process, port, connections)
            wait_until_it_answers(served)
            yield served
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.communicate(timeout=PATIENCE)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    raise


def wait_until_it_answers(served: Served) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            ask(served.connection(), "GET", "/who")
        except OSError:
            if served.process.poll() is not None or time.monotonic() > deadline:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(served.process.pid, signal.SIGKILL)
                pytest.fail("\n".join(served.process.communicate(timeout=PATIENCE)), pytrace=False)
            time.sleep(0.05)
        else:
            return


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: Any = None) -> Any:
    """The JSON that is answered; the connection stays open, and with the worker that has it."""
    text = None if body is None else json.dumps(body)
    connection.request(method, path, text, {"Content-Type": "application/json"} if text else {})
    answer = connection.getresponse()
    content = json.loads(answer.read())
    assert answer.status < 300, content
    return content


def free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
