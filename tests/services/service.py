"""How a server is started, awaited and stopped, whichever server it is."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

LAUNCHER = Path(__file__).with_name("launch.py")
START_LIMIT = 60.0
"""Seconds a server may take until it answers."""
STOP_LIMIT = 8.0
"""Seconds a server may take to end before it is killed."""


class Unavailable(Exception):
    """The server cannot be had on this machine; the text is one sentence that says what would help."""


@dataclass(frozen=True, slots=True)
class Account:
    """The unprivileged account a server runs as."""

    user: int
    group: int


@dataclass(slots=True, kw_only=True)
class Service:
    """A server that answers.

    Attributes:
        name: Which of the recipes, for example "postgres".

        url: Where it answers, with the plain scheme.

        source: How it was found, in words for the report header.

        seconds: How long it took to obtain.

        process: The server, when it was started here; nothing else is ever stopped.

        companion: Another program that the server needs, started here as well.

        folder: Its temporary folder, removed when it stops.

        stop_signal: What ends it. The data is disposable, so nothing gentler than a kill is needed
            where the server has one process only.
    """

    name: str
    url: str
    source: str
    seconds: float = 0.0
    process: subprocess.Popen[bytes] | None = None
    companion: subprocess.Popen[bytes] | None = None
    folder: Path | None = None
    stop_signal: signal.Signals = signal.SIGKILL

    def stop(self) -> None:
        """End the server, if it was started here, and remove its folder; a second call does nothing."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(STOP_LIMIT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(STOP_LIMIT)
        if self.companion is not None:
            self.companion.kill()
            self.companion.wait(STOP_LIMIT)
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """The same server as a docker image, on the host's network.

    Attributes:
        image: Name and tag.

        environment: What the image's entry point reads.

        arguments: The command for a given port.
    """

    image: str
    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: Callable[[int], Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything `obtain` must know about one kind of server.

    Attributes:
        name: "postgres", "mariadb", …

        variable: The environment variable that may hold a URL.

        url: The URL of a server without passwords on a port of this machine.

        default_port: Where a server that belongs to the machine listens.

        advice: What to install, in words that follow "or".

        packages: What `apt-get` installs when the program is missing.

        container: The docker image, or None.

        locate: Finds a program that runs on this machine, or gives None.

        start: Starts it and returns when it answers.

        answers: Whether the tests can use the server at a URL: login, and what they need of it.

        prepare: Makes a server that was just started answer; for most there is nothing to do.

        create: Makes a database of the given name on the server at a URL and returns its URL.

        drop: Drops the database of the given name from the server at a URL.
    """

    name: str
    variable: str
    url: Callable[[int], str]
    default_port: int
    advice: str
    packages: tuple[str, ...]
    container: Container | None
    locate: Callable[[], Path | None]
    start: Callable[[Path], Service]
    answers: Callable[[str], bool]
    prepare: Callable[[str], None] = lambda _url: None
    create: Callable[[str, str], str]
    drop: Callable[[str, str], None]


def free_port() -> int:
    """Return a port of this machine on which nobody listens at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def unprivileged_account() -> Account | None:
    """Return the account for servers that refuse to run as root; None when the tests do not run as root.

    Raises:
        Unavailable: The tests run as root, and the machine has no such account.
    """
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "mysql", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
    raise Unavailable("The tests run as root and need an account like `nobody` to run a server as.")


def new_folder(name: str, account: Account | None = None) -> Path:
    """Make a temporary folder that belongs to *account*."""
    folder = Path(tempfile.mkdtemp(prefix=f"fastapi-easy-{name}-"))
    if account is not None:
        os.chown(folder, account.user, account.group)
    return folder


def with_database(url: str, name: str) -> str:
    """Return *url* with another database in it."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def installed_folders(package: str) -> list[Path]:
    """Return where the files of a Python package are; none when it is not installed."""
    specification = importlib.util.find_spec(package)
    locations = [] if specification is None else specification.submodule_search_locations or []
    return [Path(location) for location in locations]


def find_program(name: str, *folders: Path) -> Path | None:
    """Return the first program called *name* in *folders*, beside this Python, or on the path, that runs."""
    beside = sysconfig.get_path("scripts")
    everywhere = [
        *map(str, folders),
        beside,
        os.environ.get("PATH", os.defpath),
        "/usr/sbin",
        "/usr/local/sbin",
    ]
    found = shutil.which(name, path=os.pathsep.join(everywhere))
    if found is None or not runs(Path(found)):
        return None
    # Not resolved: redis-server is a link to a program that goes by the name it was called with.
    return Path(found).absolute()


def runs(program: Path, account: Account | None = None) -> bool:
    """Tell whether *account* can run *program*: it may enter the folders, and no library is missing."""
    try:
        run([str(program), "--version"], account=account)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def run(
    arguments: Sequence[str],
    *,
    folder: Path = Path("/"),
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a program to its end.

    Raises:
        CalledProcessError: It failed; its output is in the exception.
    """
    subprocess.run(
        arguments,
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        cwd=folder,
        env=environment,
        user=None if account is None else account.user,
        group=None if account is None else account.group,
        extra_groups=None if account is None else [],
    )


def spawn(
    arguments: Sequence[str],
    folder: Path,
    *,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
    stop_signal: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start a server that gets *stop_signal* from the kernel when the thread that calls this ends.

    It has its own session, so that a Ctrl+C does not reach it before the tests have finished with it.
    """
    user, group = (-1, -1) if account is None else (account.user, account.group)
    launcher = [
        sys.executable,
        "-I",
        "-S",
        str(LAUNCHER),
        *map(str, (os.getpid(), stop_signal.value, user, group)),
    ]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [*launcher, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )


def await_ready(service: Service, ready: Callable[[], bool], limit: float = START_LIMIT) -> None:
    """Return as soon as *ready*; a server that does not get there is stopped.

    Raises:
        Unavailable: It ended, or the limit passed; the text ends with the last lines of its log.
    """
    until = time.monotonic() + limit
    while service.process is not None and service.process.poll() is None and time.monotonic() < until:
        # Until it is ready, each driver refuses in its own way.
        with contextlib.suppress(Exception):
            if ready():
                return
        time.sleep(0.02)
    log = "" if service.folder is None else (service.folder / "log").read_text(errors="replace")
    service.stop()
    raise Unavailable(
        f"The {service.name} server was started but did not become ready: {log[-2000:].strip()}"
    )
