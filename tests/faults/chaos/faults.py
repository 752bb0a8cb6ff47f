"""What a run breaks: each fault is there for a while, and mended at its end."""

import asyncio
import contextlib
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from tests.faults.chaos.file_broker import AWAY
from tests.faults.chaos.scene import Scene
from tests.faults.chaos.servers import Server
from tests.faults.chaos.workers import Worker
from tests.wire import Wire

_COMMITS: Final = {"postgres": b"COMMIT", "mariadb": b"COMMIT", "mongo": b"commitTransaction"}
"""What a driver sends to have a transaction committed."""
_HOUR: Final = 3600
_FEW: Final = 4
"""Seconds by which the clock of a server is stepped: leases last a few seconds."""

_ALL: Final = 0.5
"""The share of faults of wires that hit those of all workers."""

Breaking: TypeAlias = Callable[[], contextlib.AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can break.

    Attributes:
        name: What is said of it.

        breaking: Breaks it for the length of a block, and mends it.

        longest: Seconds for which it is broken at most.
    """

    name: str
    breaking: Breaking
    longest: float


def process_faults(scene: Scene, chance: random.Random) -> list[Fault]:
    """What happens to the processes of the shop and what is beside them."""
    found = []
    for worker in scene.workers:
        found += [
            Fault(f"kill -9 of {worker.name}", _killed(worker), 1.5),
            Fault(f"{worker.name} is stopped", _stopped(worker), 6.0),
            Fault(f"SIGTERM to {worker.name}", _terminated(worker), 0.5),
        ]
        if scene.clocks.can_step:
            found.append(Fault(f"clock of {worker.name}", _stepped(scene, worker.name, _HOUR, chance), 5.0))
    found.append(Fault("the broker is away", _broker_away(scene), 4.0))
    if scene.disk is not None and "sqlite" in scene.stores:
        found.append(Fault("the disk of SQLite is full", _disk_full(scene), 3.0))
    return found


def server_faults(scene: Scene, chance: random.Random) -> list[Fault]:
    """What happens to servers and on the way to them."""
    found = []
    for name, server in scene.servers.items():
        found += [
            Fault(f"kill -9 of {name}", _server_killed(server), 3.0),
            Fault(f"connections to {name} are reset", _reset(scene, name), 0.3),
            Fault(f"{name} is a black hole", _black(scene, name, chance), 6.0),
            Fault(f"{name} refuses connections", _refusing(scene, name, chance), 5.0),
            Fault(f"{name} is slow", _slow(scene, name, chance), 4.0),
        ]
        if name == "postgres":
            found.append(Fault(f"kill -9 of one process of {name}", _one_killed(server, chance), 0.5))
        if name in _COMMITS:
            found.append(Fault(f"answers to commits of {name} are lost", _commits_lost(scene, name), 1.0))
        if scene.clocks.can_step:
            found.append(Fault(f"clock of {name}", _stepped(scene, name, _FEW, chance), 4.0))
    return found


class Injection:
    """Breaks one thing after the other, each of them before any a second time.

    Attributes:
        done: What was broken, with when and for how long.
    """

    def __init__(self, faults: Sequence[Fault], chance: random.Random, now: Callable[[], float]) -> None:
        self._faults = faults
        self._chance = chance
        self._now = now
        self.done: list[tuple[str, float, float]] = []

    async def run(self, until: float, tell: Callable[[str], None]) -> None:
        """Break things until the moment *until*; what is broken then is mended."""
        while True:
            for fault in self._chance.sample(self._faults, len(self._faults)):
                await asyncio.sleep(self._chance.uniform(0.3, 2.0))
                lasting = self._chance.uniform(0.1, 1.0) * fault.longest
                begun = self._now()
                if begun >= until:
                    return
                async with fault.breaking():
                    await asyncio.sleep(lasting)
                self.done.append((fault.name, begun, lasting))
                mended = self._now() - begun
                tell(f"{begun:7.2f} s  {fault.name}, for {lasting:.2f} s, mended after {mended:.2f} s")


def _of(
    begin: Callable[[], Awaitable[object] | object], end: Callable[[], Awaitable[object] | object]
) -> Breaking:
    @contextlib.asynccontextmanager
    async def breaking() -> AsyncIterator[None]:
        await _awaited(begin())
        try:
            yield
        finally:
            await _awaited(end())

    return breaking


async def _awaited(result: Awaitable[object] | object) -> None:
    if isinstance(result, Awaitable):
        _ = await result


def _killed(worker: Worker) -> Breaking:
    async def kill() -> None:
        worker.send(signal.SIGKILL)
        _ = await worker.ended()

    return _of(kill, worker.until_it_answers)


def _terminated(worker: Worker) -> Breaking:
    async def terminate() -> None:
        worker.send(signal.SIGTERM)
        worker.exits.append(await worker.ended())

    return _of(terminate, worker.until_it_answers)


def _stopped(worker: Worker) -> Breaking:
    return _of(lambda: worker.send(signal.SIGSTOP), lambda: worker.send(signal.SIGCONT))


def _stepped(scene: Scene, name: str, most: int, chance: random.Random) -> Breaking:
    return _of(
        lambda: scene.clocks.step(name, chance.choice((-1, 1)) * chance.randint(1, most)),
        lambda: scene.clocks.step(name, 0),
    )


def _broker_away(scene: Scene) -> Breaking:
    away = scene.published.with_name(f"{scene.published.name}{AWAY}")
    return _of(away.touch, away.unlink)


def _disk_full(scene: Scene) -> Breaking:
    assert scene.disk is not None
    filler = scene.disk / "filler"

    def fill() -> None:
        with filler.open("wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12):
                with contextlib.suppress(OSError):
                    while file.write(bytes(size)) == size:
                        pass

    return _of(fill, filler.unlink)


def _server_killed(server: Server) -> Breaking:
    return _of(server.kill, server.start)


def _one_killed(server: Server, chance: random.Random) -> Breaking:
    return _of(lambda: server.kill_one_process(chance), lambda: None)


def _reset(scene: Scene, server: str) -> Breaking:
    def reset() -> None:
        for wire in scene.wires_to(server):
            wire.reset()

    return _of(reset, lambda: None)


def _black(scene: Scene, server: str, chance: random.Random) -> Breaking:
    def darken(wire: Wire, *, is_black: bool) -> None:
        wire.is_black = is_black

    return _on_wires(
        scene,
        server,
        chance,
        lambda wire: darken(wire, is_black=True),
        lambda wire: darken(wire, is_black=False),
    )


def _refusing(scene: Scene, server: str, chance: random.Random) -> Breaking:
    return _on_wires(scene, server, chance, lambda wire: wire.refuse(), lambda wire: wire.listen())


def _slow(scene: Scene, server: str, chance: random.Random) -> Breaking:
    def delay(wire: Wire, seconds: float) -> None:
        wire.latency = seconds

    return _on_wires(
        scene,
        server,
        chance,
        lambda wire: delay(wire, chance.uniform(0.02, 0.3)),
        lambda wire: delay(wire, 0.0),
    )


def _on_wires(
    scene: Scene,
    server: str,
    chance: random.Random,
    begin: Callable[[Wire], Awaitable[None] | None],
    end: Callable[[Wire], Awaitable[None] | None],
) -> Breaking:
    """Do it to the wire of one worker, or to those of all."""

    @contextlib.asynccontextmanager
    async def breaking() -> AsyncIterator[None]:
        names = [worker.name for worker in scene.workers]
        hit = names if chance.random() < _ALL else [chance.choice(names)]
        for name in hit:
            await _awaited(begin(scene.wires[name, server]))
        try:
            yield
        finally:
            for name in hit:
                await _awaited(end(scene.wires[name, server]))

    return breaking


def _commits_lost(scene: Scene, server: str) -> Breaking:
    def lose(what: bytes | None) -> None:
        for wire in scene.wires_to(server):
            wire.lose_at = what

    return _of(lambda: lose(_COMMITS[server]), lambda: lose(None))
