"""What an application says to its database, as it leaves the process: whatever library says it, and by whatever way."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from sqlalchemy import Engine, event, make_url

from tests.wire import wired


@asynccontextmanager
async def overheard(url: str) -> AsyncIterator[tuple[str, list[str]]]:
    """A URL of the same database, and the statements that reach it from there on, in their order."""
    said: list[str] = []
    backend = make_url(url).get_backend_name()
    if backend == "sqlite":
        with _traced(said):
            yield url, said
        return
    ears = _PostgresEars if backend == "postgresql" else _MariadbEars
    async with wired(url) as (address, wire):
        wire.hear = lambda: ears(said).hear
        yield address, said


@contextmanager
def _traced(said: list[str]) -> Iterator[None]:
    """SQLite itself tells of each statement it runs."""

    def connected(connection: Any, _: Any) -> None:
        if hasattr(connection, "run_async"):
            connection.run_async(lambda driver: driver.set_trace_callback(said.append))
        else:
            connection.set_trace_callback(said.append)

    event.listen(Engine, "connect", connected)
    try:
        yield
    finally:
        event.remove(Engine, "connect", connected)


class _PostgresEars:
    """Understands the client's half of PostgreSQL's protocol, version 3, without TLS."""

    def __init__(self, said: list[str]) -> None:
        self._said = said
        self._data = b""
        self._begun = False
        self._prepared: dict[bytes, bytes] = {}
        self._portals: dict[bytes, bytes] = {}

    def hear(self, data: bytes) -> None:
        self._data += data
        while (message := self._message()) is not None:
            self._understand(*message)

    def _message(self) -> tuple[bytes, bytes] | None:
        kind = 1 if self._begun else 0
        if len(self._data) < kind + 4:
            return None
        end = kind + int.from_bytes(self._data[kind : kind + 4], "big")
        if len(self._data) < end:
            return None
        message = self._data[:kind], self._data[kind + 4 : end]
        self._data = self._data[end:]
        return message

    def _understand(self, kind: bytes, body: bytes) -> None:
        match kind:
            case b"":
                # A wish for TLS, which is refused, comes before the greeting.
                self._begun = body[:2] == b"\x00\x03"
            case b"Q":
                self._said.append(body.rstrip(b"\x00").decode())
            case b"P":
                name, words, _ = body.split(b"\x00", 2)
                self._prepared[name] = words
            case b"B":
                portal, name, _ = body.split(b"\x00", 2)
                self._portals[portal] = self._prepared[name]
            case b"E":
                self._said.append(self._portals[body.split(b"\x00", 1)[0]].decode())


class _MariadbEars:
    """Understands the client's half of MySQL's protocol, without TLS and compression, but for huge packets."""

    def __init__(self, said: list[str]) -> None:
        self._said = said
        self._data = b""

    def hear(self, data: bytes) -> None:
        self._data += data
        while len(self._data) >= 4:
            end = 4 + int.from_bytes(self._data[:3], "little")
            if len(self._data) < end:
                return
            number, command, words = self._data[3], self._data[4:5], self._data[5:end]
            self._data = self._data[end:]
            # Each command begins with number 0; what is sent while greeting does not.
            if number == 0 and command in {b"\x03", b"\x17"}:
                self._said.append(words.decode("utf-8", "replace"))
