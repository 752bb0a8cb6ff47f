"""Connections to public addresses only.

The name is looked up here, once, and the connection goes to an address that was checked: a name that means something
else a moment later (DNS rebinding) leads nowhere. Certificates are checked for the name as ever.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeAlias

import httpcore2

from fastapi_easy.domain.webhooks.addresses import Network, is_allowed, read_address


class NotPublic(Exception):
    """A name has an address that is not public."""


Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a host for a port. Raises `OSError` when it has none."""


async def resolve_host(host: str, port: int) -> Sequence[str]:
    """Return the addresses of *host* as the system knows them."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class CheckedNetwork(httpcore2.AsyncNetworkBackend):
    """Makes connections for a pool of httpcore.

    Args:
        exceptions: Networks that are allowed though they are not public.

        resolve: Looks up names.
    """

    def __init__(self, exceptions: Sequence[Network] = (), resolve: Resolve = resolve_host) -> None:
        self._exceptions = exceptions
        self._resolve = resolve
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (the signature of httpcore)
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address of *host* that answers, if all of them are allowed.

        Raises:
            NotPublic: One is not.

            ConnectError: The name has no address, or none takes connections.

            ConnectTimeout: The last one does not answer in time.
        """
        refused: httpcore2.ConnectError | httpcore2.ConnectTimeout = httpcore2.ConnectError("no address")
        for address in await self._look_up(host, port):
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                refused = error
        raise refused

    async def connect_unix_socket(self, path: str, *_: object, **__: object) -> httpcore2.AsyncNetworkStream:
        """Refuse to."""
        raise NotPublic(f"{path} is a socket of this machine")

    async def sleep(self, seconds: float) -> None:
        """Wait for *seconds*."""
        await self._network.sleep(seconds)

    async def _look_up(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError("the name has no address") from error
        for each in addresses:
            address = read_address(each)
            if address is None or not is_allowed(address, self._exceptions):
                # Not which one: whoever may add a webhook would learn what names mean behind the firewall.
                raise NotPublic(f"{host} has an address that is not public")
        return addresses
