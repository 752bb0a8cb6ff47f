"""Fetches the public keys of an issuer over HTTP: bounded in time and size, without redirects."""

import asyncio
import ipaddress
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2

LARGEST_DOCUMENT: Final = 512 * 1024
"""Bytes of a key set or a discovery document."""

DISCOVERY: Final = "/.well-known/openid-configuration"


class KeysNotFetched(Exception):
    """Says why the keys of an issuer could not be fetched."""


def is_trusted_url(url: str) -> bool:
    """Return whether nobody on the way to *url* can change what is there: `https`, or on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host or "")))


def discovery_url(issuer: str) -> str:
    """Return where the discovery document of *issuer* is (OpenID Connect Discovery 4)."""
    return issuer.rstrip("/") + DISCOVERY


class KeyFetcher:
    """Fetches the key set of one issuer.

    Args:
        issuer: The issuer.

        url: Where its key set is; `None` where its discovery document says so.

        timeout: Seconds for everything together.
    """

    def __init__(self, issuer: str, url: str | None, timeout: float) -> None:
        self._issuer = issuer
        self._url = url
        self._timeout = timeout

    async def fetch(self) -> Any:
        """Return the key set, parsed.

        Raises:
            KeysNotFetched: It could not be fetched.
        """
        try:
            async with asyncio.timeout(self._timeout), _client(self._timeout) as client:
                return await _fetch_json(client, self._url or await self._discover(client))
        except TimeoutError:
            raise KeysNotFetched(f"no answer within {self._timeout} s") from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise KeysNotFetched(f"{type(error).__name__}: {error}") from error

    async def _discover(self, client: httpx2.AsyncClient) -> str:
        document = await _fetch_json(client, discovery_url(self._issuer))
        if not isinstance(document, Mapping) or document.get("issuer") != self._issuer:
            raise KeysNotFetched("the discovery document is of another issuer")
        found = document.get("jwks_uri")
        if not isinstance(found, str) or not is_trusted_url(found):
            raise KeysNotFetched("the discovery document names no jwks_uri with https")
        return found


def _client(timeout: float) -> httpx2.AsyncClient:
    # An answer in plain bytes: what is compressed may be larger than any limit once it is unpacked.
    headers = {"accept": "application/json", "accept-encoding": "identity"}
    return httpx2.AsyncClient(follow_redirects=False, timeout=timeout, headers=headers)


async def _fetch_json(client: httpx2.AsyncClient, url: str) -> Any:
    body = bytearray()
    async with client.stream("GET", url) as response:
        if response.status_code != httpx2.codes.OK:
            raise KeysNotFetched(f"{url} answered {response.status_code}")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise KeysNotFetched(f"{url} answered in a content encoding")
        async for part in response.aiter_raw():
            body += part
            if len(body) > LARGEST_DOCUMENT:
                raise KeysNotFetched(f"{url} answered more than {LARGEST_DOCUMENT} bytes")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise KeysNotFetched(f"{url} answered no JSON") from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
