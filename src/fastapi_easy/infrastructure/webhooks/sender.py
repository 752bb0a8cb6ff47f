"""Posts webhooks over HTTP, to checked addresses only."""

import asyncio
import contextlib
import datetime
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

import httpcore2

from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.domain.ports.webhook_sender import PostResult
from fastapi_easy.domain.webhooks.destination import HTTP_PORT, HTTPS_PORT, DestinationRules
from fastapi_easy.infrastructure.webhooks.checked_network import (
    CheckedNetwork,
    NotPublic,
    Resolve,
    resolve_host,
)

_ANSWER_LIMIT: Final = 65_536
"""Bytes of an answer that are read, and ignored, so that its connection can be used again."""

_ANSWER_TIMEOUT: Final = 1.0
"""Seconds for that."""

_IDLE: Final = 30.0
"""Seconds after which a connection that nobody uses is closed."""

_DIGITS: Final = 9
"""Of a `Retry-After` at most: longer than any wait."""

_PORTS: Final[Mapping[str, int]] = MappingProxyType({"https": HTTPS_PORT, "http": HTTP_PORT})


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderOptions:
    """How webhooks are posted.

    Attributes:
        rules: Where they may lead.

        connect_timeout: Seconds that it may take to connect to one address.

        timeout: Seconds for all of a request.

        ca_file: Certificates, in PEM, of authorities that are trusted besides those of the system.
    """

    rules: DestinationRules
    connect_timeout: float = 5.0
    timeout: float = 15.0
    ca_file: Path | None = None


class HttpWebhookSender:
    """Implements `WebhookSender`: no redirects, no proxies, no cookies, and answers are not looked into.

    Connections are made by `CheckedNetwork`, and used again for the same scheme, host and port.

    Args:
        options: How.

        clock: Says how long it is until a `Retry-After` that is a date.

        resolve: Looks up names.
    """

    def __init__(self, options: SenderOptions, clock: Clock, resolve: Resolve = resolve_host) -> None:
        self._resolve = resolve
        self._options = options
        self._clock = clock
        self._pool: httpcore2.AsyncConnectionPool | None = None

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, /) -> PostResult:
        """Post *body* to *url*; whatever goes wrong is an answer."""
        # Once more: the settings may have changed since it was stored, and others can write to the database.
        if (mistake := self._options.rules.find_mistake(url)) is not None:
            return PostResult(error=f"the URL is refused: {mistake}")
        limit = self._options.timeout
        try:
            async with asyncio.timeout(limit):
                return await self._post(url, headers, body)
        except (TimeoutError, httpcore2.TimeoutException):
            return PostResult(error=f"no answer within {limit:g} s")
        except NotPublic as error:
            return PostResult(error=str(error))
        except httpcore2.ConnectError as error:
            return PostResult(error=_describe_connect_error(error))
        except httpcore2.ProtocolError:
            return PostResult(error="the answer is not HTTP")
        except (httpcore2.NetworkError, OSError):
            return PostResult(error="the connection broke")

    async def aclose(self) -> None:
        """Close every connection."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.aclose()

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> PostResult:
        parts = urlsplit(url)
        target = parts.path or "/"
        if parts.query:
            target = f"{target}?{parts.query}"
        address = httpcore2.URL(
            scheme=parts.scheme,
            host=parts.hostname or "",
            port=parts.port or _PORTS[parts.scheme],
            target=target,
        )
        written = {**headers, "host": parts.netloc, "content-length": str(len(body))}
        each = self._options.timeout
        timeouts = {"connect": self._options.connect_timeout, "read": each, "write": each, "pool": each}
        async with self._opened_pool.stream(
            "POST",
            address,
            headers=[(name.encode(), value.encode()) for name, value in written.items()],
            content=body,
            extensions={"timeout": timeouts},
        ) as response:
            result = PostResult(status=response.status, retry_after=self._retry_after(response.headers))
            await _skip_body(response)
        return result

    @property
    def _opened_pool(self) -> httpcore2.AsyncConnectionPool:
        if self._pool is None:
            context = ssl.create_default_context()
            if self._options.ca_file is not None:
                context.load_verify_locations(self._options.ca_file)
            self._pool = httpcore2.AsyncConnectionPool(
                ssl_context=context,
                max_connections=None,
                keepalive_expiry=_IDLE,
                network_backend=CheckedNetwork(self._options.rules.networks, self._resolve),
            )
        return self._pool

    def _retry_after(self, headers: list[tuple[bytes, bytes]]) -> float | None:
        found = next((value for name, value in headers if name.lower() == b"retry-after"), None)
        if found is None:
            return None
        text = found.decode("latin-1").strip()
        if text.isascii() and text.isdigit():
            return float(text[:_DIGITS])
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.UTC)
        return max(0.0, (moment - self._clock.now()).total_seconds())


async def _skip_body(response: httpcore2.Response) -> None:
    """Read a short body to its end; of a longer one, or a broken one, the status is all that counts."""
    size = 0
    with contextlib.suppress(
        TimeoutError, httpcore2.TimeoutException, httpcore2.ProtocolError, httpcore2.NetworkError
    ):
        async with asyncio.timeout(_ANSWER_TIMEOUT):
            async for part in response.aiter_stream():
                size += len(part)
                if size > _ANSWER_LIMIT:
                    return


def _describe_connect_error(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate is not valid: {cause.verify_message}"
        cause = cause.__cause__ or cause.__context__
    return "no connection"
