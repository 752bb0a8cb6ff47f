"""Clients in a closed loop: each asks again as soon as it is answered, and takes no notice of Retry-After.

Run as a program, so that the server does not share an event loop, nor a core where there are two, with its load.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import uvloop

_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


@dataclass(frozen=True, slots=True)
class Answers:
    """How the requests of a while were answered.

    Attributes:
        seconds: How long that was.

        statuses: How many were answered with each status.

        p99: Milliseconds that all but one of a hundred with that status took at most.

        broken: How many connections were lost.
    """

    seconds: float
    statuses: dict[int, int]
    p99: dict[int, float]
    broken: int

    @property
    def good(self) -> float:
        """How many were answered 200, a second."""
        return self.statuses.get(200, 0) / self.seconds

    @property
    def refused(self) -> int:
        """How many were answered 503."""
        return self.statuses.get(503, 0)


class _Client(asyncio.Protocol):
    """One connection that is never without a request."""

    def __init__(self, request: bytes, taken: dict[int, list[float]], lost: Counter[str]) -> None:
        self._request = request
        self._taken = taken
        self._lost = lost
        self._read = b""
        self._asked_at = 0.0
        self.is_counted = False
        self.is_over = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.is_over:
            self._lost["lost"] += 1

    def data_received(self, data: bytes) -> None:
        read = self._read = self._read + data
        head = read.find(_END)
        if head < 0:
            return
        begin = read.lower().find(_LENGTH, 0, head) + len(_LENGTH)
        if len(read) < head + len(_END) + int(read[begin : read.find(b"\r", begin)]):
            return
        if self.is_counted:
            self._taken.setdefault(int(read[9:12]), []).append(time.perf_counter() - self._asked_at)
        self._read = b""
        if not self.is_over:
            self._ask()

    def end(self) -> None:
        """Ask no more."""
        self.is_over = True
        self._transport.close()

    def _ask(self) -> None:
        self._asked_at = time.perf_counter()
        self._transport.write(self._request)


async def _loop(port: int, path: str, clients: int, settling: float, seconds: float) -> Answers:
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode("ascii")
    taken: dict[int, list[float]] = {}
    lost: Counter[str] = Counter()
    running = asyncio.get_running_loop()
    connected = [
        (await running.create_connection(lambda: _Client(request, taken, lost), "127.0.0.1", port))[1]
        for _ in range(clients)
    ]
    await asyncio.sleep(settling)
    for each in connected:
        each.is_counted = True
    begun = time.perf_counter()
    await asyncio.sleep(seconds)
    passed = time.perf_counter() - begun
    for each in connected:
        each.end()
    p99 = {status: sorted(each)[int(len(each) * 0.99)] * 1000 for status, each in taken.items()}
    return Answers(passed, {status: len(each) for status, each in taken.items()}, p99, lost["lost"])


async def ask(port: int, path: str, clients: int, *, settling: float, seconds: float) -> Answers:
    """Have *clients* ask for *path* in a process of their own; what happens in the first *settling* is not counted."""
    arguments = [port, path, clients, settling, seconds]
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, *map(str, arguments), stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    found = json.loads(printed)
    return Answers(
        seconds=found["seconds"],
        statuses={int(status): count for status, count in found["statuses"].items()},
        p99={int(status): each for status, each in found["p99"].items()},
        broken=found["broken"],
    )


def _main(arguments: Sequence[str]) -> None:
    port, path, clients, settling, seconds = arguments
    found = uvloop.run(_loop(int(port), path, int(clients), float(settling), float(seconds)))
    print(
        json.dumps(
            {
                "seconds": found.seconds,
                "statuses": found.statuses,
                "p99": found.p99,
                "broken": found.broken,
            }
        )
    )


if __name__ == "__main__":
    _main(sys.argv[1:])
