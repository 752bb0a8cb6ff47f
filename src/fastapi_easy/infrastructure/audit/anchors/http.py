"""Checkpoints at a server that takes notes and gives them back."""

import json
import urllib.parse
from collections.abc import Sequence
from typing import Any, Final

import httpx2
from returns.result import Failure, Success

from fastapi_easy.domain.audit.entry import Checkpoint
from fastapi_easy.domain.errors import Outcome, Unavailable

_LARGEST_ANSWER: Final = 256 * 1024 * 1024


class HttpAnchor:
    """Implements `AnchorSink`.

    `POST url/<origin>` with a note as text adds it, `GET url/<origin>` answers a JSON list of the notes of one origin,
    `GET url` one of all origins; each origin is percent-encoded. A server that answers a `GET` with 404, 405 or 501
    gives nothing back.

    Args:
        url: `https://…`; a user and a password in it are sent.

        timeout: Seconds of one request.
    """

    def __init__(self, url: str, timeout: float = 10.0) -> None:
        parts = urllib.parse.urlsplit(url)
        host = parts.hostname or ""
        place = host if parts.port is None else f"{host}:{parts.port}"
        self.name = f"{parts.scheme}://{place}{parts.path}"
        self._url = url.rstrip("/")
        self._timeout = timeout

    async def anchor(self, checkpoint: Checkpoint, /) -> Outcome[None]:
        """Send the note of *checkpoint*."""
        origin = checkpoint.note.partition("\n")[0]
        try:
            async with httpx2.AsyncClient(timeout=self._timeout) as client:
                answer = await client.post(
                    self._place(origin),
                    content=checkpoint.note.encode(),
                    headers={"Content-Type": "text/plain; charset=utf-8"},
                )
        except (httpx2.HTTPError, httpx2.InvalidURL):
            return Failure(Unavailable(self.name))
        return Success(None) if answer.is_success else Failure(Unavailable(self.name))

    async def notes(self, origin: str, /) -> Outcome[Sequence[str] | None]:
        """Return the notes of *origin*, in the order of the server."""
        return await self._read(self._place(origin))

    async def origins(self) -> Outcome[Sequence[str] | None]:
        """Return the origins of all notes."""
        return await self._read(self._url)

    def _place(self, origin: str) -> str:
        return f"{self._url}/{urllib.parse.quote(origin, safe='')}"

    async def _read(self, url: str) -> Outcome[Sequence[str] | None]:
        try:
            async with (
                httpx2.AsyncClient(timeout=self._timeout) as client,
                client.stream("GET", url, headers={"Accept": "application/json"}) as answer,
            ):
                if answer.status_code in {
                    httpx2.codes.NOT_FOUND,
                    httpx2.codes.METHOD_NOT_ALLOWED,
                    httpx2.codes.NOT_IMPLEMENTED,
                }:
                    return Success(None)
                if not answer.is_success:
                    return Failure(Unavailable(self.name))
                content = bytearray()
                async for chunk in answer.aiter_bytes():
                    content += chunk
                    if len(content) > _LARGEST_ANSWER:
                        return Failure(Unavailable(self.name))
        except (httpx2.HTTPError, httpx2.InvalidURL):
            return Failure(Unavailable(self.name))
        return self._texts(content)

    def _texts(self, content: bytes | bytearray) -> Outcome[Sequence[str] | None]:
        try:
            found: Any = json.loads(content)
        except ValueError:
            return Failure(Unavailable(self.name))
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            return Failure(Unavailable(self.name))
        return Success(found)
