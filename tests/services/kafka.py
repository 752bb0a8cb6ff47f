"""Kafka: the cluster within librdkafka, which speaks the protocol over sockets and keeps everything in memory."""

import re
import socket
import struct
import sys
from pathlib import Path
from urllib.parse import urlsplit

from tests.services.service import Recipe, Service, await_ready, installed_folders, new_folder, spawn

_PROGRAM = Path(__file__).with_name("kafka_cluster.py")
_LISTENS = re.compile(rb"^listens on 127\.0\.0\.1:(\d+)$", re.MULTILINE)

_API_VERSIONS = struct.pack(">hhih", 18, 0, 1, -1)
"""The request that every broker answers: its key, its version, a number, no name of the client."""


def _url(port: int) -> str:
    return f"kafka://127.0.0.1:{port}"


def _locate() -> Path | None:
    """Return the library that the wheel contains; its own Python modules are of no use here."""
    folders = [
        folder
        for package in installed_folders("confluent_kafka")
        for folder in (package.with_name("confluent_kafka.libs"), package / ".dylibs")
    ]
    return next((library for folder in folders for library in folder.glob("librdkafka*")), None)


def _start(library: Path) -> Service:
    folder = new_folder("kafka")
    service = Service(
        name="kafka",
        url="",
        source=f"started from {library}",
        process=spawn([sys.executable, "-I", "-S", str(_PROGRAM), str(library)], folder),
        folder=folder,
    )

    def ready() -> bool:
        # The library chooses the port.
        said = _LISTENS.search((folder / "log").read_bytes())
        service.url = "" if said is None else _url(int(said[1]))
        return bool(service.url) and _answers(service.url)

    await_ready(service, ready)
    return service


def _answers(url: str) -> bool:
    """Speak the protocol by hand: its client is asynchronous, and the tests' loop is not ours to run."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 9092), 2) as connection:
        connection.settimeout(2)
        connection.sendall(struct.pack(">i", len(_API_VERSIONS)) + _API_VERSIONS)
        # Its length, our number, no error.
        return connection.recv(10)[4:] == struct.pack(">ih", 1, 0)


def _create(url: str, name: str) -> str:
    """Return the URL itself: a test names its topics and consumers uniquely."""
    del name
    return url


def _drop(url: str, name: str) -> None:
    """Do nothing, for the same reason."""


KAFKA = Recipe(
    name="kafka",
    variable="TEST_KAFKA_URL",
    url=_url,
    default_port=9092,
    advice="`pip install confluent-kafka`, whose library contains a cluster for tests",
    packages=(),  # the library in Debian's package is too old to be told not to wait for further members
    container=None,  # its image cannot be told a port on the command line
    locate=_locate,
    start=_start,
    answers=_answers,
    create=_create,
    drop=_drop,
)
