"""A client of Redis or Valkey that connects when it is first used, and whose every wait has a limit."""

from collections.abc import Iterable
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError


class RedisPool(BlockingConnectionPool):
    """A pool whose connections end with a `ConnectionError` of the client's, whichever event loop they are in."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.connection_class = _telling(self.connection_class)


class _Telling(AbstractConnection):
    async def send_packed_command(
        self, command: bytes | str | Iterable[bytes], check_health: bool = True
    ) -> None:
        """Send *command*.

        Raises:
            ConnectionError: The connection has ended.
        """
        try:
            await super().send_packed_command(command, check_health)
        except RuntimeError as error:
            # What uvloop raises at a write after a reset; asyncio's own loop drops what is written then.
            if "closed" not in str(error):
                raise
            raise RedisConnectionError(str(error)) from error


def _telling(connection: type[AbstractConnection]) -> type[AbstractConnection]:
    """Return *connection*, over TCP, TLS or a socket, as one that tells its end."""
    return type(connection.__name__, (_Telling, connection), {})


class RedisConnection:
    """The client of one adapter, with its own pool.

    Args:
        url: `redis://…`, `rediss://…` or `unix://…`. Nothing is connected before `client` is asked for something.

        connections: Connections at most.

        pool_timeout: Seconds to wait for one of them.

        timeout: Seconds a connection, and an answer, may take.

        decode: Answers are texts, and not bytes.
    """

    def __init__(
        self, url: str, *, connections: int, pool_timeout: float, timeout: float, decode: bool = True
    ) -> None:
        self._url = url
        self._connections = connections
        self._pool_timeout = pool_timeout
        self._timeout = timeout
        self._decode = decode
        self._client: Redis | None = None

    @property
    def client(self) -> Redis:
        """The client; made anew after `close`."""
        if self._client is None:
            self._client = Redis(
                connection_pool=RedisPool.from_url(
                    self._url,
                    max_connections=self._connections,
                    timeout=self._pool_timeout,
                    socket_timeout=self._timeout,
                    socket_connect_timeout=self._timeout,
                    decode_responses=self._decode,
                )
            )
        return self._client

    @property
    def opened(self) -> Redis | None:
        """The client, if it has been asked for."""
        return self._client

    async def close(self) -> None:
        """Close every connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose(close_connection_pool=True)
