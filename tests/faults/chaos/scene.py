"""Everything of a run: servers, wires to them, processes of the shop, and where they meet."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import httpx2

from tests.faults.chaos.clocks import Clocks
from tests.faults.chaos.load import COUNTERS
from tests.faults.chaos.servers import Server
from tests.faults.chaos.variables import PUBLISHED, STORES
from tests.faults.chaos.workers import ROOT, Worker
from tests.services.obtain import RECIPES
from tests.services.service import with_database
from tests.wire import Wire

DATABASE: Final = "chaos"
LOCKS: Final = "redis"
_DISK: Final = "256m"
_LIMITS: Final = {
    # Shorter than they are by themselves, so that short faults reach them.
    "DEADLINE": "10",
    "SECRET": "known to all processes of a run",
    "LOG__LEVEL": "WARNING",
    "HTTP__GRACE": "10",
    "EVENTS__RELAY": "embedded",
    "EVENTS__PUBLISH_TIMEOUT": "0.7",
    "EVENTS__LEASE": "2.1",
    "EVENTS__POLL_INTERVAL": "0.1",
    "EVENTS__IDLE_POLL_INTERVAL": "0.3",
    "LOCKS__BREAKER__PAUSE": "0.5",
    "LOCKS__BREAKER__LONGEST_PAUSE": "2",
}
_LIMITS_OF_DATABASES: Final = {
    "CONNECT_TIMEOUT": "2",
    "STATEMENT_TIMEOUT": "4",
    "LOCK_TIMEOUT": "2",
    "BREAKER__PAUSE": "0.5",
    "BREAKER__LONGEST_PAUSE": "2",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a run can break, and what it can look at.

    Attributes:
        stores: The stores of the shop.

        servers: By name; without SQLite, which has none.

        urls: Of the databases, at the servers themselves.

        wires: Between each worker and each server.

        counters: The keys of the counters of each store.

        published: The file of the broker.

        disk: The folder of SQLite, when it is a disk of its own.
    """

    stores: Sequence[str]
    servers: Mapping[str, Server]
    urls: Mapping[str, str]
    wires: Mapping[tuple[str, str], Wire]
    workers: Sequence[Worker]
    clocks: Clocks
    counters: dict[str, list[int]]
    published: Path
    disk: Path | None

    def wires_to(self, server: str) -> list[Wire]:
        """Those of all workers."""
        return [wire for (_, name), wire in self.wires.items() if name == server]


@contextlib.asynccontextmanager
async def scene(stores: Sequence[str], workers: int = 2) -> AsyncIterator[Scene]:
    """Start everything, and end it with the block.

    Raises:
        Unavailable: A server cannot be had on this machine.
    """
    async with contextlib.AsyncExitStack() as stack:
        folder = _own_folder(stack)
        clocks = Clocks(folder)
        servers = {}
        for name in (*(each for each in stores if each in RECIPES), LOCKS):
            servers[name] = Server(name, clocks.environment(name))
            _ = stack.callback(servers[name].stop)
            # From now on as it is started after a kill: it keeps what it has answered, and has a clock of its own.
            await servers[name].kill()
            await servers[name].start()
        disk = _own_disk(folder / "disk", stack)
        urls = {
            name: server.url if name == LOCKS else _created(server, DATABASE)
            for name, server in servers.items()
        } | {"sqlite": f"sqlite:///{folder / 'disk' / 'shop.sqlite3'}"}
        made: list[Worker] = []
        wires: dict[tuple[str, str], Wire] = {}
        for number in range(workers):
            name = f"worker {number + 1}"
            reached = {"sqlite": urls["sqlite"]}
            for server in servers:
                wire = wires[name, server] = await _wire_to(urls[server], stack)
                reached[server] = _at(urls[server], wire)
            environment = _environment(stores, reached, folder) | clocks.environment(name)
            made.append(Worker(name, folder, environment))
            _ = stack.callback(made[-1].stop)
        counters = await _opened(stores, made)
        yield Scene(
            stores=stores,
            servers=servers,
            urls=urls,
            wires=wires,
            workers=made,
            clocks=clocks,
            counters=counters,
            published=folder / "published",
            disk=disk,
        )


def _own_folder(stack: contextlib.AsyncExitStack) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="fastapi-easy-chaos-"))
    _ = stack.callback(shutil.rmtree, folder, ignore_errors=True)
    # Servers run as somebody else, and read their clocks there.
    folder.chmod(0o755)
    return folder


def _own_disk(folder: Path, stack: contextlib.AsyncExitStack) -> Path | None:
    """Make *folder* a disk of its own that can be filled; `None` where only root may do so, and this is not root."""
    folder.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if os.geteuid() != 0 or mount is None or umount is None:
        return None
    mounted = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={_DISK}", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        return None
    _ = stack.callback(subprocess.run, [umount, "--lazy", str(folder)], check=False, capture_output=True)
    return folder


def _created(server: Server, name: str) -> str:
    recipe = RECIPES[server.name]
    return with_database(server.url, name) if server.name == "mongo" else recipe.create(server.url, name)


async def _wire_to(url: str, stack: contextlib.AsyncExitStack) -> Wire:
    parts = urlsplit(url)
    wire = Wire(parts.hostname or "127.0.0.1", parts.port or 0)
    await wire.listen()
    _ = stack.push_async_callback(wire.close)
    return wire


def _at(url: str, wire: Wire) -> str:
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}{at}127.0.0.1:{wire.port}"))


def _environment(stores: Sequence[str], urls: Mapping[str, str], folder: Path) -> dict[str, str]:
    own = {
        name: value for name, value in os.environ.items() if not name.startswith(("FASTAPI_EASY_", "TEST_"))
    }
    settings = {**_LIMITS, "LOCKS__URL": urls[LOCKS]}
    for store in stores:
        settings |= {
            f"DATABASES__{store.upper()}__{name}": value
            for name, value in {"URL": urls[store], "MIGRATIONS": "off", **_LIMITS_OF_DATABASES}.items()
        }
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT), own.get("PYTHONPATH", "")])
    return {
        **own,
        **{f"FASTAPI_EASY_{name}": value for name, value in settings.items()},
        "PYTHONPATH": paths,
        STORES: ",".join(stores),
        PUBLISHED: str(folder / "published"),
    }


async def _opened(stores: Sequence[str], workers: Sequence[Worker]) -> dict[str, list[int]]:
    """Start the workers, the first of which makes the tables; return the keys of the counters."""
    first, *others = workers
    makes_tables = {f"FASTAPI_EASY_DATABASES__{store.upper()}__MIGRATIONS": "auto" for store in stores}
    await first.until_it_answers(**makes_tables)
    counters: dict[str, list[int]] = {}
    async with httpx2.AsyncClient(base_url=first.url, timeout=60) as client:
        for store in stores:
            counters[store] = [
                (await _done(client, f"/{store}_counters", {"value": 0}))["id"] for _ in range(COUNTERS)
            ]
            # What is made when it is first needed is there before anything breaks.
            _ = await _done(client, f"/{store}_articles", {"name": "first"}, {"Idempotency-Key": "first"})
            _ = await _done(client, f"/{store}_counters/{counters[store][0]}/increment", {"mark": "first"})
    for each in others:
        await each.until_it_answers()
    return counters


async def _done(
    client: httpx2.AsyncClient, path: str, body: Any, headers: Mapping[str, str] | None = None
) -> Any:
    answered = await client.post(path, json=body, headers=dict(headers or {}))
    if not answered.is_success:
        raise RuntimeError(
            f"{path} was answered {answered.status_code} {answered.text} before anything broke"
        )
    return answered.json()
