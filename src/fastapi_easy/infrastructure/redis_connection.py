"""A client of Redis or Valkey that connects when it is first used, and whose every wait has a limit."""

from redis.asyncio import BlockingConnectionPool, Redis


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
                connection_pool=BlockingConnectionPool.from_url(
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
