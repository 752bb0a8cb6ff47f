"""RabbitMQ: the programs of Debian's packages. It takes its time to start, so only those who ask for it get it."""

import os
import shutil
import socket
from pathlib import Path
from urllib.parse import urlsplit

from tests.services.service import Recipe, Service, await_ready, free_port, new_folder, spawn

_INSTALLED = Path("/usr/lib/rabbitmq/lib")
"""What is on the path there changes the account, and keeps its data in places of the machine."""

_GREETING = b"AMQP\x00\x00\x09\x01"


def _url(port: int) -> str:
    return f"amqp://guest:guest@127.0.0.1:{port}/"


def _locate() -> Path | None:
    found = sorted(_INSTALLED.glob("rabbitmq_server-*/sbin/rabbitmq-server"))
    return found[-1] if found and shutil.which("epmd") and shutil.which("erl") else None


def _start(program: Path) -> Service:
    folder, port, names_port = new_folder("rabbit"), free_port(), free_port()
    (folder / "names").mkdir()
    # Erlang would start one that outlives the tests.
    names = spawn(
        [shutil.which("epmd") or "epmd", "-port", str(names_port), "-address", "127.0.0.1"], folder / "names"
    )
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(names_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        # Without these two a shell in between would live on when the tests are killed.
        "RABBITMQ_ALLOW_INPUT": "1",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-noinput",
        "RABBITMQ_NODENAME": f"test{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_LOG_BASE": str(folder),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_FEATURE_FLAGS_FILE": str(folder / "feature_flags"),
    }
    service = Service(
        name="rabbit",
        url=_url(port),
        source=f"started from {program}",
        process=spawn([str(program)], folder, environment=environment),
        companion=names,
        folder=folder,
    )
    await_ready(service, lambda: _answers(service.url), 180)
    return service


def _answers(url: str) -> bool:
    """Say hello by hand: its client is asynchronous, and the tests' loop is not ours to run."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 5672), 2) as connection:
        connection.settimeout(2)
        connection.sendall(_GREETING)
        return connection.recv(1) == b"\x01"


def _create(url: str, name: str) -> str:
    """Return the URL itself: a test names its exchanges and consumers uniquely."""
    del name
    return url


def _drop(url: str, name: str) -> None:
    """Do nothing, for the same reason."""


RABBIT = Recipe(
    name="rabbit",
    variable="TEST_RABBIT_URL",
    url=_url,
    default_port=5672,
    advice="`apt-get install rabbitmq-server`",
    packages=("rabbitmq-server",),
    container=None,  # its image cannot be told a port on the command line
    locate=_locate,
    start=_start,
    answers=_answers,
    create=_create,
    drop=_drop,
)
