"""A wire between a driver and its server on which things go wrong when a test says so: the one proxy of all tests."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit, urlunsplit

READ_AT_ONCE = 65_536
PORTS = {
    "postgresql": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "mongodb": 27017,
    "redis": 6379,
    "nats": 4222,
    "amqp": 5672,
    "kafka": 9092,
}
_AT_ONCE = struct.pack("ii", 1, 0)
"""A lingering of no time: the connection ends with a reset, not with a goodbye."""


class Wire:
    """Passes bytes both ways, as long as it is let.

    Attributes:
        latency: Seconds by which everything is late, on its way there and on its way back.

        connect_delay: Seconds until a new connection is passed on.

        is_black: Connections are taken and kept, and nothing is passed on any more.

        cut_after: Cut when the server has sent so many bytes over one connection.

        cut_asked_after: Cut when a driver has sent so many bytes over one connection.

        cut_at: Cut when a driver sends this, after it has been passed on; what the server answers is lost.

        lose_at: When a driver sends this it is passed on; the server's answer is waited for, and lost with the
            connection. Once.

        cut_before: Cut when a driver sends this, before it is passed on.

        is_cut: Connections are ended as soon as they are made.

        taken: How many connections were made.

        retell: Makes what a driver is told of what the server sends.

        hear: Makes what is told of everything a driver sends over one connection.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._light = asyncio.Event()
        self._light.set()
        self.port = 0
        self.latency = 0.0
        self.connect_delay = 0.0
        self.cut_after: int | None = None
        self.cut_asked_after: int | None = None
        self.cut_at: bytes | None = None
        self.cut_before: bytes | None = None
        self.lose_at: bytes | None = None
        self.is_cut = False
        self.taken = 0
        self.retell: Callable[[bytes], bytes] = lambda data: data
        self.hear: Callable[[], Callable[[bytes], None]] = lambda: lambda _: None

    @property
    def is_black(self) -> bool:
        return not self._light.is_set()

    @is_black.setter
    def is_black(self, black: bool) -> None:
        _ = self._light.clear() if black else self._light.set()

    async def listen(self) -> None:
        """Take connections, at the same port as before; also after `refuse`."""
        self._server = await asyncio.start_server(self.connect, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def refuse(self) -> None:
        """End everything, and take no connections until `listen`."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.reset()

    def reset(self) -> None:
        """End every connection with a reset; new ones are taken."""
        for each in tuple(self._writers):
            made: socket.socket | None = each.get_extra_info("socket")
            if made is not None and made.fileno() >= 0:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            each.transport.abort()

    def cut(self) -> None:
        """End every connection, and each one that is made from now on."""
        self.is_cut = True
        for each in self._writers:
            each.close()

    async def close(self) -> None:
        """Cut, and wait until nothing of it is left."""
        if self._server is not None:
            self._server.close()
        self._light.set()
        self.cut()
        while self._tasks:
            _ = await asyncio.wait(self._tasks)

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken += 1
        self._writers.add(writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # Whichever end has gone, that is what a wire is for.
        with contextlib.suppress(OSError):
            try:
                if not self.is_cut:
                    await self._between(reader, writer)
            finally:
                await self._end(writer)

    async def _end(self, writer: asyncio.StreamWriter) -> None:
        writer.close()
        self._writers.discard(writer)
        await writer.wait_closed()

    async def _between(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._light.wait()
        if self.connect_delay:
            await asyncio.sleep(self.connect_delay)
        there, back = await asyncio.open_connection(*self._target)
        self._writers.add(back)
        lost = asyncio.Event()
        tasks = [
            asyncio.ensure_future(each)
            for each in (self._ask(reader, back, lost), self._reply(there, writer, lost))
        ]
        try:
            # Whoever hangs up first ends it for both.
            _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                _ = task.cancel()
            _ = await asyncio.gather(*tasks, return_exceptions=True)
            await self._end(back)

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: asyncio.Event
    ) -> None:
        hear = self.hear()
        sent = 0
        while data := await reader.read(READ_AT_ONCE):
            hear(data)
            if self.cut_asked_after is not None and sent + len(data) > self.cut_asked_after:
                await self._pass(data[: self.cut_asked_after - sent], writer)
                return self.cut()
            sent += len(data)
            if self.cut_before is not None and self.cut_before in data:
                return self.cut()
            if self.lose_at is not None and self.lose_at in data:
                self.lose_at = None
                lost.set()
            await self._pass(data, writer)
            if self.cut_at is not None and self.cut_at in data:
                # Long enough for the server to do it, and nobody hears of it.
                self.is_cut = True
                await asyncio.sleep(0.2)
                return self.cut()
        return None

    async def _reply(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: asyncio.Event
    ) -> None:
        sent = 0
        while data := await reader.read(READ_AT_ONCE):
            if self.is_cut or lost.is_set():
                return None
            if self.cut_after is not None and sent + len(data) > self.cut_after:
                await self._pass(data[: self.cut_after - sent], writer)
                return self.cut()
            sent += len(data)
            await self._pass(self.retell(data), writer)
        return None

    async def _pass(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        if self.latency:
            await asyncio.sleep(self.latency)
        await self._light.wait()
        writer.write(data)
        await writer.drain()


@contextlib.asynccontextmanager
async def wired(url: str) -> AsyncIterator[tuple[str, Wire]]:
    """The URL of the same database at the end of a wire, and the wire."""
    parts = urlsplit(url)
    wire = Wire(parts.hostname or "127.0.0.1", parts.port or PORTS[parts.scheme.partition("+")[0]])
    await wire.listen()
    if parts.scheme == "kafka":
        # A cluster says where its brokers are, and drivers connect to those.
        there, here = (_kafka_address(port) for port in (parts.port or PORTS["kafka"], wire.port))
        wire.retell = lambda data: data.replace(there, here)
    user, at, _ = parts.netloc.rpartition("@")
    try:
        yield urlunsplit(parts._replace(netloc=f"{user}{at}127.0.0.1:{wire.port}")), wire
    finally:
        await wire.close()


def _kafka_address(port: int) -> bytes:
    host = b"127.0.0.1"
    return struct.pack(">h", len(host)) + host + struct.pack(">i", port)
