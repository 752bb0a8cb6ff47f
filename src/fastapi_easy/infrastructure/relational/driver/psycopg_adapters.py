"""How psycopg reads and writes values that Python cannot hold. Imported where psycopg is installed.

psycopg reads in C, and fails on a time outside Python's years. Only then are the rows read once more, from what the
server has sent, with an `UnexpectedValue` for each text that its reader refuses.
"""

import asyncio
import datetime
from typing import Any, Final

from psycopg import AsyncConnection, AsyncCursor, DataError, postgres
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, Loader, Transformer

from fastapi_easy.domain.values.unexpected import UnexpectedValue
from fastapi_easy.infrastructure.relational.driver.asyncpg_codecs import decode_interval
from fastapi_easy.infrastructure.relational.postgres_times import interval_of

_UTC_OFFSET: Final = "+00"


class LenientCursor(AsyncCursor[Any]):
    """A cursor whose rows have an `UnexpectedValue` where Python has no object for a value."""

    async def fetchall(self) -> list[Any]:
        """Return the rows that are left."""
        try:
            return await super().fetchall()
        except DataError:
            return _rows(self.pgresult, Transformer(self))


class IntervalLoader(Loader):
    """Reads durations; psycopg's own takes `infinity` for no time, and a year for 365 days."""

    def load(self, data: Buffer) -> object:
        """Return the duration that *data* spells."""
        return decode_interval(interval_of(bytes(data).decode()))


class TimeTzLoader(Loader):
    """Reads times of day in UTC; what has another offset is no time of day by itself."""

    def load(self, data: Buffer) -> object:
        """Return the time that *data* spells."""
        text = bytes(data).decode()
        clock, found, rest = text.partition(_UTC_OFFSET)
        if not found or rest:
            return UnexpectedValue(text)
        return UnexpectedValue(clock) if clock.startswith("24") else datetime.time.fromisoformat(clock)


class UnexpectedDumper(Dumper):
    """Sends the text by which the server knows the value."""

    def dump(self, obj: UnexpectedValue) -> bytes:
        """Return what is shown."""
        return str(obj.shown).encode()


def register_adapters(driver: Any) -> None:
    """Let psycopg's connection *driver* read and write values this way."""
    driver.cursor_factory = LenientCursor
    driver.adapters.register_loader(postgres.types["interval"].oid, IntervalLoader)
    driver.adapters.register_loader(postgres.types["timetz"].oid, TimeTzLoader)
    driver.adapters.register_dumper(UnexpectedValue, UnexpectedDumper)


async def connect_within(seconds: float, *arguments: Any, **words: Any) -> AsyncConnection[Any]:
    """Connect within *seconds*, of which libpq waits for a host two at least.

    Raises:
        TimeoutError: The host is silent.
    """
    async with asyncio.timeout(seconds):
        return await AsyncConnection.connect(*arguments, **words)


def _rows(result: Any, transformer: Any) -> list[tuple[object, ...]]:
    loaders = [
        transformer.get_loader(result.ftype(place), result.fformat(place)) for place in range(result.nfields)
    ]
    return [
        tuple([_value(result.get_value(number, place), loader) for place, loader in enumerate(loaders)])
        for number in range(result.ntuples)
    ]


def _value(data: bytes | None, loader: Any) -> object:
    if data is None:
        return None
    try:
        return loader.load(data)
    except DataError:
        return UnexpectedValue(bytes(data).decode())
