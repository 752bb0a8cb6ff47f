"""Control of a running application: each of its processes listens on a socket in one folder.

Only users who may write into the folder can connect; nothing listens on a network. Each process answers for itself.
"""

import asyncio
import contextlib
import json
import os
import socket
import stat
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final, TypeAlias

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.ports import Breaker
from fastapi_easy.interfaces.cli.tasks import CommandError

Message: TypeAlias = Mapping[str, object]
"""A request or an answer: one JSON object, on one line."""

_SUFFIX: Final = ".sock"
_TIMEOUT: Final = 2.0
"""Seconds that either side waits for the other."""

_MAX_LENGTH: Final = 65_536
"""The maximum length of a line, in bytes."""


@contextlib.asynccontextmanager
async def serve_control(folder: Path, answer: Callable[[Message], Message]) -> AsyncIterator[None]:
    """Answer requests to this process on a socket in *folder*, which is created if it does not exist.

    Raises:
        DeclarationError: Other users may write into the folder, or the system has no such sockets.

        OSError: The socket cannot be created; its path may have about 100 bytes.
    """
    if not hasattr(asyncio, "start_unix_server"):
        raise DeclarationError(
            [
                "control: sockets in a folder need a POSIX system: leave the setting out, and restart to reset breakers"
            ]
        )
    path = _prepare_socket_path(folder)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError, ValueError):
            async with asyncio.timeout(_TIMEOUT):
                request = json.loads(await reader.readline())
                writer.write(json.dumps(answer(request)).encode() + b"\n")
                await writer.drain()

    server = await asyncio.start_unix_server(serve, path, limit=_MAX_LENGTH)
    try:
        yield
    finally:
        server.close()
        _remove(path)


def _prepare_socket_path(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise DeclarationError([f"others may write into {folder}, the setting control: chmod go-w {folder}"])
    path = folder / f"{os.getpid()}{_SUFFIX}"
    # A killed process leaves its socket behind, and process ids are reused.
    _remove(path)
    return path


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def control_handler(
    breakers: Callable[[], Mapping[str, Breaker]], on_action: Callable[[str, str], None] | None = None
) -> Callable[[Message], Message]:
    """Return a handler of requests that isolates or resets one of *breakers* and answers the state of all of them.

    Args:
        breakers: Returns the breakers by name.

        on_action: Is told the name of a breaker, and what was done to it.
    """

    def answer(request: Message) -> Message:
        known = breakers()
        breaker, do = known.get(str(request.get("database"))), request.get("do")
        if breaker is not None and do == "isolate":
            breaker.isolate()
        elif breaker is not None and do == "reset":
            breaker.reset()
        if breaker is not None and on_action is not None and do in {"isolate", "reset"}:
            on_action(str(request.get("database")), str(do))
        return {name: asdict(each.circuit) for name, each in known.items()}

    return answer


def send_to_processes(folder: Path, request: Message) -> Iterator[tuple[int, Message]]:
    """Send *request* to each process with a socket in *folder*, and yield the id and the answer of each one.

    Raises:
        CommandError: The system has no such sockets.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise CommandError("breakers are reached through sockets in a folder, which need a POSIX system")
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        # The process may have ended, or may answer too late: then only the others count.
        with contextlib.suppress(OSError, ValueError):
            yield int(path.stem), _send_to_process(path, request)


def _send_to_process(path: Path, request: Message) -> Message:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_TIMEOUT)
        connection.connect(str(path))
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile("rb") as lines:
            answer: Message = json.loads(lines.readline(_MAX_LENGTH))
            return answer
