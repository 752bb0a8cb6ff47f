"""Serve a program on SQLite and memory as `fastapi-easy run` does; a script, so that it runs on any system.

With `hide` as its argument it hides first what only POSIX has.
"""

# ruff: noqa: PLC0415, PT017 (what is hidden is hidden before anything is imported, and it is no test by itself)

import asyncio
import contextlib
import http.client
import json
import os
import signal
import socket
import sqlite3
import sys
import tempfile
import threading
import time
from pathlib import Path

MODULES = ("fcntl", "grp", "pwd", "resource", "termios", "pty", "syslog", "uvloop")
NAMES = (
    (socket, ("AF_UNIX",)),
    (asyncio, ("start_unix_server", "open_unix_connection")),
    (signal, ("SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGKILL", "pthread_kill", "setitimer")),
    (
        os,
        ("fork", "getuid", "geteuid", "getgid", "getpgid", "killpg", "setsid", "uname", "sched_getaffinity"),
    ),
    (os, ("fchmod", "chown", "mkfifo", "getloadavg", "O_NOFOLLOW", "O_DIRECTORY", "register_at_fork")),
    (time, ("tzset",)),
)

SHOP = """
from dataclasses import dataclass

from sqlmodel import Field, SQLModel

from fastapi_easy.bootstrap import create_app
from fastapi_easy.container import Container, resource
from fastapi_easy.settings import Settings


class Book(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    title: str
    note: str | None = None


@dataclass
class Cart:
    title: str
    id: int | None = None


class Shop(Container):
    books = resource(Book)
    carts = resource(Cart, database="brief")


app = create_app(Shop(settings=Settings(databases={"brief": {"url": "memory://"}})))


@app.get("/locked")
async def locked() -> bool:
    async with app.state.container.locks().hold("shelf"):
        return True
"""


class Hidden:
    """Finds every module but those that are hidden."""

    def __init__(self, inner: object) -> None:
        self.inner = inner

    def find_spec(self, name: str, *arguments: object) -> object:
        return None if name in MODULES else self.inner.find_spec(name, *arguments)

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)


def hide() -> None:
    """Hide what only POSIX has; what the standard library has imported by now keeps what it has."""
    for name in MODULES:
        sys.modules.pop(name, None)
    sys.meta_path[:] = map(Hidden, sys.meta_path)
    for module, names in NAMES:
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    # Where there is no AF_UNIX the standard library makes pairs of the sockets that there are.
    socket.socketpair = pair_of_sockets  # type: ignore[assignment]


def pair_of_sockets(*_: object) -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = socket.create_connection(listener.getsockname())
        other, _address = listener.accept()
    return one, other


def ask(port: int, method: str, path: str, body: object = None) -> object:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(
            method, path, json.dumps(body) if body else None, {"content-type": "application/json"}
        )
        answer = connection.getresponse()
        content = json.loads(answer.read())
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {content}")
        return content


def use(port: int, said: list[object]) -> None:
    """Ask the server for everything, and end it."""
    deadline = time.monotonic() + 120
    try:
        while True:
            try:
                ask(port, "GET", "/health/live")
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        for path in ("/books", "/carts"):
            ask(port, "POST", path, {"title": "Emma"})
            said.append(ask(port, "GET", f"{path}?title__icontains=emma&count=exact")["total"])
        said.append(ask(port, "GET", "/locked"))
    finally:
        signal.raise_signal(signal.SIGINT)


def refused(**settings: object) -> str:
    """Return what is said of settings that need POSIX."""
    from fastapi_easy.bootstrap import open_kernel
    from fastapi_easy.container import Container
    from fastapi_easy.domain import DeclarationError
    from fastapi_easy.settings import Settings

    async def start() -> None:
        async with open_kernel(
            Container(settings=Settings(databases={"default": {"url": "memory://"}}, **settings))
        ):
            pass

    try:
        asyncio.run(start())
    except DeclarationError as error:
        return str(error)
    return ""


def main() -> None:
    hidden = sys.argv[1:] == ["hide"]
    if hidden:
        hide()
    from fastapi_easy.__main__ import command_line

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = Path(tempfile.mkdtemp())
    (folder / "shop.py").write_text(SHOP, encoding="utf-8")
    os.chdir(folder)
    with contextlib.closing(sqlite3.connect("app.sqlite3")) as connection:
        # So that the start has a column to add, under the lock of migrations.
        connection.execute("CREATE TABLE book (id INTEGER NOT NULL PRIMARY KEY, title VARCHAR NOT NULL)")
    said: list[object] = []
    thread = threading.Thread(target=use, args=(port, said))
    thread.start()
    try:
        command_line()(["run", "shop:app", "--port", str(port)])
    except SystemExit as ended:
        assert not ended.code, ended.code
    thread.join()
    assert said == [1, 1, True], said
    if hidden or os.name != "posix":
        for answer in (refused(locks={"url": "file:///locks"}), refused(control="control")):
            assert "POSIX" in answer, answer
    print("served")


if __name__ == "__main__":
    main()
