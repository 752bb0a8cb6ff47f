"""A wire between a driver and its server that can be cut at a chosen moment."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit


class Wire:
    """Passes bytes both ways until it is cut.

    Attributes:
        cut_at: Cut when a driver sends this, after it has been passed on; what the server answers is lost.

        cut_before: Cut when a driver sends this, before it is passed on.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._writers: set[asyncio.StreamWriter] = set()
        self.cut_at: bytes | None = None
        self.cut_before: bytes | None = None
        self.is_cut = False

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        if self.is_cut:
            writer.close()
            return
        there, back = await asyncio.open_connection(*self._target)
        self._writers.add(back)
        try:
            async with asyncio.TaskGroup() as both:
                _ = both.create_task(self._pass(reader, back, asked=True))
                _ = both.create_task(self._pass(there, writer))
        except* OSError:
            pass
        finally:
            writer.close()
            back.close()

    def cut(self) -> None:
        self.is_cut = True
        for each in self._writers:
            each.close()

    async def closed(self) -> None:
        """Cut, and wait until nothing of it is left."""
        self.cut()
        for each in tuple(self._writers):
            with contextlib.suppress(OSError):
                await each.wait_closed()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, asked: bool = False
    ) -> None:
        while data := await reader.read(1 << 16):
            if asked and self.cut_before is not None and self.cut_before in data:
                return self.cut()
            if not asked and self.is_cut:
                return None
            writer.write(data)
            await writer.drain()
            if asked and self.cut_at is not None and self.cut_at in data:
                # Long enough for the server to do it, and nobody hears of it.
                self.is_cut = True
                await asyncio.sleep(0.2)
                return self.cut()
        writer.close()
        return None


@contextlib.asynccontextmanager
async def wired(url: str) -> AsyncIterator[tuple[str, Wire]]:
    """The URL of the same database at the end of a wire, and the wire."""
    parts = urlsplit(url)
    wire = Wire(parts.hostname or "127.0.0.1", parts.port or 27017)
    server = await asyncio.start_server(wire.connect, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield urlunsplit(parts._replace(netloc=f"127.0.0.1:{port}")), wire
    finally:
        server.close()
        await wire.closed()
