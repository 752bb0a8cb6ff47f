"""Follows a tutorial as a reader would: writes its files, serves its program, types its commands.

A `text` or `json` block right behind a command is what that prints; `…` stands for anything.
"""

import http.client
import re
import shlex
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.docs.apart import PATIENCE, begin, type_command
from tests.docs.pages import Block, blocks_of
from tests.docs.running import matches

NOT_FOLLOWED = ("mkdir", "python3 -m venv", "pip install")
"""What has been done already when the tests run."""

_HERE = "localhost:8000"


def follow(pages: Sequence[Path], folder: Path) -> None:
    """Do in *folder* what *pages* say, one after the other."""
    with ExitStack() as stack:
        reader = _Reader(folder, stack)
        for page in pages:
            printed = None
            for block in blocks_of(page):
                if block.language == "sh":
                    printed = reader.types(block)
                elif block.language in {"text", "json"}:
                    assert printed is not None, f"{block.place}: nothing was typed before it"
                    assert matches(block.text, printed), f"{block.place}: printed was\n{printed}"
                    printed = None
                elif block.file:
                    (folder / block.file).write_text(block.text)


class _Reader:
    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._server: _Server | None = None
        self._verbs: dict[str, Callable[[list[str]], str]] = {
            "curl": self._curl,
            "fastapi-easy": self._fastapi_easy,
            "python": lambda words: printed_by(["python", *words], self._folder),
            "rm": self._rm,
        }

    def types(self, block: Block) -> str:
        """Type the commands of *block*; what they print."""
        printed = []
        for line in block.text.replace("\\\n", " ").splitlines():
            if line.startswith(NOT_FOLLOWED):
                continue
            verb, *words = shlex.split(line, comments=True)
            assert verb in self._verbs, f"{block.place}: nobody knows what {verb} does"
            printed.append(self._verbs[verb](words))
        return "\n".join(each for each in printed if each)

    def _curl(self, words: list[str]) -> str:
        assert self._server is not None, "nothing is being served"
        return curl(words, self._server.port)

    def _fastapi_easy(self, words: list[str]) -> str:
        if words[0] != "run":
            return printed_by(["fastapi-easy", *words], self._folder)
        # The reader has pressed Ctrl-C.
        self._stack.close()
        self._server = self._stack.enter_context(serving(self._folder, words[1:]))
        return self._server.printed.replace(f"127.0.0.1:{self._server.port}", "127.0.0.1:8000")

    def _rm(self, words: list[str]) -> str:
        for name in words:
            (self._folder / name).unlink()
        return ""


@dataclass(frozen=True, slots=True)
class _Server:
    port: int
    printed: str


@contextmanager
def serving(folder: Path, words: Sequence[str]) -> Iterator[_Server]:
    """`fastapi-easy run` with *words* on a free port, until it answers or has given up."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    work = begin(folder, type_command, ["fastapi-easy", "run", *words, "--port", str(port)])
    try:
        deadline = time.monotonic() + PATIENCE
        while work.process.is_alive() and not _answers(port):
            assert time.monotonic() < deadline, work.printed
            time.sleep(0.02)
        yield _Server(port, work.printed)
    finally:
        work.process.terminate()
        work.ended()


def printed_by(words: list[str], folder: Path) -> str:
    """What the command of *words* prints in *folder*."""
    work = begin(folder, type_command, words)
    work.ended()
    return work.printed


def curl(words: Sequence[str], port: int) -> str:
    """What `curl` with *words* would print, asking *port* in place of 8000."""
    arguments = list(words)
    method, body, shows_head, target = "", None, False, ""
    headers: dict[str, str] = {}
    while arguments:
        match arguments.pop(0):
            case "-i":
                shows_head = True
            case "-X":
                method = arguments.pop(0)
            case "-H":
                name, _, value = arguments.pop(0).partition(":")
                headers[name] = value.strip()
            case "-d":
                body = arguments.pop(0).encode()
            case word:
                assert word.startswith(_HERE), f"curl cannot {word}"
                target = word.removeprefix(_HERE)
    return _asked(port, method or ("GET" if body is None else "POST"), target, body, headers, shows_head)


def _asked(port: int, *asked: Any) -> str:
    method, target, body, headers, shows_head = asked
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        # curl sends the bytes it was given.
        connection.request(method, re.sub(r"[^\x21-\x7e]", _percent, target or "/"), body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        if not shows_head:
            return text
        head = [
            f"HTTP/1.1 {answer.status} {answer.reason}",
            *(f"{name}: {value}" for name, value in answer.getheaders()),
        ]
        return "\n".join([*head, "", text])


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())


def _answers(port: int) -> bool:
    try:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
            connection.request("GET", "/health/live")
            return connection.getresponse().status == 200
    except OSError:
        return False
