"""Where a server comes from: environment, machine, program, Debian's packages, docker, in that order."""

import atexit
import functools
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable

from tests.services.kafka import KAFKA
from tests.services.mariadb import MARIADB
from tests.services.mongo import MONGO, MONGO_ALONE
from tests.services.nats import NATS
from tests.services.pgbouncer import PGBOUNCER
from tests.services.postgres import POSTGRES
from tests.services.rabbit import RABBIT
from tests.services.redis import REDIS
from tests.services.service import (
    Recipe,
    Service,
    Unavailable,
    await_ready,
    free_port,
    new_folder,
    run,
    spawn,
)

RECIPES = {
    recipe.name: recipe
    for recipe in (POSTGRES, MARIADB, REDIS, MONGO, MONGO_ALONE, NATS, KAFKA, RABBIT, PGBOUNCER)
}
LOCAL_SERVERS = "TEST_LOCAL_SERVERS"
"""The environment variable that, set to 0, leaves the machine's own servers alone."""
DOCKER_LIMIT = 300.0
"""Seconds until a container answers; the image may have to be fetched first."""

_obtained: dict[str, Service] = {}


def obtain(name: str) -> Service:
    """Return the server called *name*; the first call finds or starts it, later ones give the same.

    Its URL is put into the environment, so that child processes use the same server.

    Raises:
        Unavailable: There is no such server here, and none can be started.
    """
    if name not in _obtained:
        recipe = RECIPES[name]
        atexit.register(release)
        _obtained[name] = obtain_by(recipe)
        os.environ[recipe.variable] = _obtained[name].url
    return _obtained[name]


def obtained() -> tuple[Service, ...]:
    """Return the servers obtained so far."""
    return tuple(_obtained.values())


def release() -> None:
    """Stop every server started here, and forget the others."""
    while _obtained:
        name, service = _obtained.popitem()
        service.stop()
        if service.process is not None:
            del os.environ[RECIPES[name].variable]


def obtain_by(recipe: Recipe) -> Service:
    """Find or start a server by *recipe*.

    Raises:
        Unavailable: Every way was tried; the sentence says what to install.
    """
    begun = time.monotonic()
    ways: tuple[Callable[[Recipe], Service | None], ...] = (
        _from_environment,
        _on_this_machine,
        _from_program,
        _from_debian,
        _from_docker,
    )
    service = next((found for way in ways if (found := way(recipe)) is not None), None)
    if service is None:
        raise Unavailable(f"There is no {recipe.name} server: set {recipe.variable}, or {recipe.advice}.")
    service.seconds = time.monotonic() - begun
    return service


def _from_environment(recipe: Recipe) -> Service | None:
    url = os.environ.get(recipe.variable)
    if not url:
        return None
    scheme, rest = url.split("://", 1)
    return Service(
        name=recipe.name, url=f"{scheme.partition('+')[0]}://{rest}", source="from the environment"
    )


def _on_this_machine(recipe: Recipe) -> Service | None:
    url = recipe.url(recipe.default_port)
    if (
        os.environ.get(LOCAL_SERVERS, "1") == "0"
        or not _listening(recipe.default_port)
        or not _answers(recipe, url)
    ):
        return None
    return Service(name=recipe.name, url=url, source="on this machine")


def _listening(port: int) -> bool:
    """Tell it at once; the drivers would wait for somebody to listen."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _answers(recipe: Recipe, url: str) -> bool:
    """Tell whether a server accepts the tests; whatever the driver objects to means that it does not."""
    try:
        return recipe.answers(url)
    except Exception:  # noqa: BLE001 - five drivers, each with its own exceptions
        return False


def _from_program(recipe: Recipe) -> Service | None:
    program = recipe.locate()
    return None if program is None else recipe.start(program)


def _from_debian(recipe: Recipe) -> Service | None:
    if not recipe.packages or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return None
    try:
        _update_package_lists()
        _apt_get("install", "-y", "--no-install-recommends", *recipe.packages)
    except subprocess.CalledProcessError:
        return None
    return _from_program(recipe)


@functools.cache
def _update_package_lists() -> None:
    _apt_get("update")


def _apt_get(*arguments: str) -> None:
    # Two test workers may want to install at once: the second waits for the first.
    run(
        ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", *arguments],
        environment={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )


def _from_docker(recipe: Recipe) -> Service | None:
    docker = shutil.which("docker")
    if recipe.container is None or docker is None or not _docker_answers(docker):
        return None
    container, port, folder = recipe.container, free_port(), new_folder(recipe.name)
    variables = [f"--env={name}={value}" for name, value in container.environment.items()]
    command = [
        docker,
        "run",
        "--rm",
        "--network=host",
        *variables,
        container.image,
        *container.arguments(port),
    ]
    service = Service(
        name=recipe.name,
        url=recipe.url(port),
        source=f"{container.image} in docker",
        # The client hands SIGTERM on to the container, and a kill it could not hand on.
        process=spawn(command, folder, stop_signal=signal.SIGTERM),
        folder=folder,
        stop_signal=signal.SIGTERM,
    )
    await_ready(service, functools.partial(_ready, recipe, service.url), DOCKER_LIMIT)
    return service


def _ready(recipe: Recipe, url: str) -> bool:
    recipe.prepare(url)
    return recipe.answers(url)


def _docker_answers(docker: str) -> bool:
    try:
        run([docker, "info"])
    except (OSError, subprocess.CalledProcessError):
        return False
    return True
