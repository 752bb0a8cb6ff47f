"""A client that reads answers of an ASGI application while they are still being made, in process."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from tests.e2e.followed import PATIENCE

Event = dict[str, str]


class Connection:
    """One request or WebSocket handshake, under way."""

    def __init__(self, app: Any, scope: dict[str, Any]) -> None:
        self._sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._text = ""
        self.status = 0
        self.headers: dict[str, str] = {}
        self.last_id = ""
        self.task = asyncio.ensure_future(app(scope, self._sent.get, self._heard.put))

    def say(self, kind: str, **members: Any) -> None:
        """Send a message to the application."""
        self._sent.put_nowait({"type": kind, **members})

    async def hear(self) -> dict[str, Any]:
        """The next message of the application."""
        async with asyncio.timeout(PATIENCE):
            heard = asyncio.ensure_future(self._heard.get())
            _ = await asyncio.wait({heard, self.task}, return_when=asyncio.FIRST_COMPLETED)
            if not heard.done():
                _ = heard.cancel()
                self.task.result()
                raise EOFError
            return heard.result()

    async def start(self) -> None:
        """Hear the status and the headers."""
        started = await self.hear()
        self.status = started["status"]
        self.headers = {name.decode(): value.decode() for name, value in started["headers"]}

    async def body(self) -> Any:
        """All of a body that is JSON."""
        whole = b""
        while True:
            part = await self.hear()
            whole += part.get("body", b"")
            if not part.get("more_body"):
                return json.loads(whole)

    async def block(self) -> Event | None:
        """The next block of an event stream, by field; `None` at the end of the answer."""
        while "\n\n" not in self._text:
            part = await self.hear()
            self._text += part.get("body", b"").decode()
            if not part.get("more_body", False) and "\n\n" not in self._text:
                return None
        block, _, self._text = self._text.partition("\n\n")
        fields = dict(line.split(": ", 1) if ": " in line else (line, "") for line in block.split("\n"))
        self.last_id = fields.get("id", self.last_id)
        return fields

    async def events(self, number: int) -> list[tuple[str, Any]]:
        """The next events, as many as said: what happened, and the data."""
        found: list[tuple[str, Any]] = []
        while len(found) < number:
            block = await self.block()
            assert block is not None
            if "data" in block:
                found.append((block["event"], json.loads(block["data"])))
        return found


def scope_of(kind: str, path: str, headers: Mapping[str, str], **more: Any) -> dict[str, Any]:
    """The scope of a request."""
    path, _, query = path.partition("?")
    pairs = [(name.encode(), value.encode()) for name, value in {"host": "shop.test", **headers}.items()]
    return {
        "type": kind,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": pairs,
        "client": ("10.0.0.1", 1),
        "scheme": "ws" if kind == "websocket" else "http",
        **({} if kind == "websocket" else {"method": "GET"}),
        **more,
    }


@asynccontextmanager
async def event_stream(app: Any, path: str, **headers: str) -> AsyncIterator[Connection]:
    """A GET whose answer has begun; the client disconnects at the end."""
    connection = Connection(app, scope_of("http", path, {k.replace("_", "-"): v for k, v in headers.items()}))
    connection.say("http.request", body=b"", more_body=False)
    await connection.start()
    try:
        yield connection
    finally:
        connection.say("http.disconnect")
        async with asyncio.timeout(PATIENCE):
            await connection.task


@asynccontextmanager
async def web_socket(app: Any, path: str, **headers: str) -> AsyncIterator[Connection]:
    """A WebSocket whose handshake was sent; the client disconnects at the end."""
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    extensions = {"extensions": {"websocket.http.response": {}}}
    connection = Connection(app, scope_of("websocket", path, named, **extensions))
    connection.say("websocket.connect")
    try:
        yield connection
    finally:
        connection.say("websocket.disconnect", code=1000)
        async with asyncio.timeout(PATIENCE):
            await connection.task
