"""How a command reaches the processes of a running application: a socket in a folder for each of them.

Only whoever may write into the folder can; nothing listens on a network. Each process answers for itself.
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
from typing import Any, Final, TypeAlias

from fastapi_easy.domain.errors import DeclarationError
from fastapi_easy.domain.ports import Breaker

Message: TypeAlias = Mapping[str, Any]
"""What is sent there and back: JSON objects, one a line."""

_SUFFIX: Final = ".sock"
_PATIENCE: Final = 2.0
"""Seconds that either side waits for the other."""

_LONGEST: Final = 65_536
"""Bytes of a line."""


@contextlib.asynccontextmanager
async def answering(folder: Path, answer: Callable[[Message], Message]) -> AsyncIterator[None]:
    """Answer what is asked of this process through *folder*, which is made if it is not there.

    Raises:
        DeclarationError: Others may write into the folder.

        OSError: A socket cannot be made there; its path may have about 100 bytes.
    """
    path = _place_in(folder)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError, ValueError):
            async with asyncio.timeout(_PATIENCE):
                asked = json.loads(await reader.readline())
                writer.write(json.dumps(answer(asked)).encode() + b"\n")
                await writer.drain()

    server = await asyncio.start_unix_server(serve, path, limit=_LONGEST)
    try:
        yield
    finally:
        server.close()
        _remove(path)


def _place_in(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise DeclarationError([f"others may write into {folder}, the setting control: chmod go-w {folder}"])
    path = folder / f"{os.getpid()}{_SUFFIX}"
    # One may be left of a process that was killed and had the same number.
    _remove(path)
    return path


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def answer_for(breakers: Callable[[], Mapping[str, Breaker]]) -> Callable[[Message], Message]:
    """What a process answers that has *breakers*: it does what is asked, and tells how they stand then."""

    def answer(asked: Message) -> Message:
        known = breakers()
        breaker, do = known.get(str(asked.get("database"))), asked.get("do")
        if breaker is not None and do == "isolate":
            breaker.isolate()
        elif breaker is not None and do == "reset":
            breaker.reset()
        return {name: asdict(each.circuit) for name, each in known.items()}

    return answer


def ask(folder: Path, question: Message) -> Iterator[tuple[int, Message]]:
    """What each process that answers in *folder* says to *question*, by the number of the process."""
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        with contextlib.suppress(OSError, ValueError):
            yield int(path.stem), _ask_one(path, question)


def _ask_one(path: Path, question: Message) -> Message:
    with socket.socket(socket.AF_UNIX) as made:
        made.settimeout(_PATIENCE)
        made.connect(str(path))
        made.sendall(json.dumps(question).encode() + b"\n")
        with made.makefile("rb") as lines:
            answer: Message = json.loads(lines.readline(_LONGEST))
            return answer
