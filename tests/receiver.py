"""A receiver of webhooks on this machine, which answers as a test wants it to."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Received:
    """A request as it came.

    Attributes:
        line: `POST /path HTTP/1.1`.

        headers: By name, in small letters.

        body: What was posted.

        connection: The number of its connection.
    """

    line: str
    headers: dict[str, str]
    body: bytes
    connection: int


Answer = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


def answer(status: str = "200 OK", *headers: str, body: bytes = b"ok") -> Answer:
    """Return what answers with *status*."""

    async def write(_: Received, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", *headers, f"content-length: {len(body)}", "", ""]
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()

    return write


@dataclass
class Receiver:
    """A receiver.

    Attributes:
        port: Its port.

        answers: What the next requests are answered with, one each; after that with *usually*.

        usually: What all others are answered with.

        received: The requests, in the order in which they came.
    """

    port: int = 0
    answers: list[Answer] = field(default_factory=list)
    usually: Answer = field(default_factory=answer)
    received: list[Received] = field(default_factory=list)
    connections: int = 0

    @property
    def bodies(self) -> list[bytes]:
        """What was posted, in the order in which it came."""
        return [each.body for each in self.received]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        self.connections += 1
        connection = self.connections
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {
                    name.lower(): value.strip()
                    for name, _, value in (line.partition(":") for line in head[1:] if line)
                }
                body = await reader.readexactly(int(headers["content-length"]))
                request = Received(head[0], headers, body, connection)
                self.received.append(request)
                how = self.answers.pop(0) if self.answers else self.usually
                await how(request, writer)
        writer.close()


@contextlib.asynccontextmanager
async def receiving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Receive on some port of 127.0.0.1."""
    receiver = Receiver()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await receiver.serve(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for each in list(tasks):
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
