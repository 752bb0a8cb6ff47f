"""Compressed request bodies (RFC 9110 section 8.4): expanded bit by bit, so that none fills the memory."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from fastapi_easy.domain import TooLarge
from fastapi_easy.interfaces.http.exchange import ProblemError
from fastapi_easy.interfaces.http.problems import Problem, problem_of
from fastapi_easy.interfaces.http.request_problems import (
    malformed_body,
    unsupported_content_coding,
)

MAX_RATIO: Final = 200
"""Times by which a body without a limit of its own may grow: what people send grows by less."""

_PIECE: Final = 128 * 1024
"""Bytes that are expanded at a time."""

_GZIP: Final = 16 + zlib.MAX_WBITS
_MAX_MEMBERS: Final = 1000
"""Streams in one body of gzip: each costs as much as a few thousand bytes, however short it is."""


@dataclass(frozen=True, slots=True)
class ContentCoding:
    """One way to compress a body.

    Attributes:
        name: Its name in headers.

        decompressor: Makes what expands a stream of which these are the first bytes.

        many: Whether streams may follow one another.
    """

    name: str
    decompressor: Callable[[bytes], Any]
    many: bool = False


def _deflate(begin: bytes) -> Any:
    # Some leave out the two bytes that the format of zlib begins with (RFC 9110 section 8.4.1.2).
    has_header = (
        len(begin) > 1 and begin[0] & 0x0F == zlib.DEFLATED and int.from_bytes(begin[:2], "big") % 31 == 0
    )
    return zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)


_CODINGS: Final = (
    ContentCoding("gzip", lambda _: zlib.decompressobj(_GZIP), many=True),
    ContentCoding("deflate", _deflate),
)
_BY_NAME: Final = {each.name.encode("ascii"): each for each in _CODINGS} | {b"x-gzip": _CODINGS[0]}

NAMES: Final = tuple(each.name for each in _CODINGS)
"""The codings that are understood."""


def coding_of(header: bytes) -> ContentCoding | None:
    """Return the coding that the header Content-Encoding names; `None` when the body is as it is.

    Raises:
        ProblemError: It is none that is understood, or there are several.
    """
    given = [name for each in header.lower().split(b",") if (name := each.strip()) not in {b"", b"identity"}]
    if not given:
        return None
    coding = _BY_NAME.get(given[0])
    if coding is None or len(given) > 1:
        raise ProblemError(unsupported_content_coding(*NAMES))
    return coding


class Expansion:
    """Expands one body.

    Args:
        coding: How it is compressed.

        limit: Bytes that it may have when it is expanded; `None` for `MAX_RATIO` times of what came, and at least
            *always*.

        always: Bytes that it may have whatever came.
    """

    __slots__ = ("_always", "_coding", "_limit", "_members", "_received", "_size", "_stream", "_waiting")

    def __init__(self, coding: ContentCoding, limit: int | None, always: int = 0) -> None:
        self._coding = coding
        self._limit = limit
        self._always = always
        self._stream: Any = None
        self._waiting = b""
        self._received = 0
        self._size = 0
        self._members = 0

    def expand(self, part: bytes) -> Iterator[bytes]:
        """Expand *part*, a piece at a time: what follows is expanded when it is asked for.

        Raises:
            ProblemError: The body is broken, or larger than it may be.
        """
        self._received += len(part)
        data, self._waiting = self._waiting + part, b""
        while data:
            if self._stream is None:
                # Two bytes tell how a stream begins.
                if len(data) == 1 and self._received == 1:
                    self._waiting = data
                    return
                self._begin_stream(data)
            try:
                piece = self._stream.decompress(data, self._piece())
            except zlib.error:
                raise ProblemError(self._broken()) from None
            self._size += len(piece)
            self._check_size()
            data = self._stream.unconsumed_tail
            if self._stream.eof:
                data, self._stream = self._stream.unused_data, None
            if piece:
                yield piece

    def end(self) -> Iterator[bytes]:
        """Return what is left at the end of the body.

        Raises:
            ProblemError: The body breaks off, or is larger than it may be.
        """
        while self._stream is not None and not self._stream.eof:
            # A full piece may have left more inside of the stream.
            try:
                piece = self._stream.decompress(b"", self._piece())
            except zlib.error:
                raise ProblemError(self._broken()) from None
            if not piece:
                break
            self._size += len(piece)
            self._check_size()
            yield piece
        if self._waiting or (self._stream is not None and not self._stream.eof):
            raise ProblemError(self._broken())

    def _begin_stream(self, data: bytes) -> None:
        if self._members and not self._coding.many:
            raise ProblemError(self._broken())
        self._members += 1
        if self._members > _MAX_MEMBERS and self._limit is not None:
            raise ProblemError(self._broken())
        self._stream = self._coding.decompressor(data)

    @property
    def _allowed(self) -> int:
        if self._limit is not None:
            return self._limit
        return max(self._always, self._received * MAX_RATIO)

    def _piece(self) -> int:
        # One byte more than may come tells that there is more.
        return min(_PIECE, self._allowed - self._size + 1)

    def _check_size(self) -> None:
        if self._size > self._allowed:
            raise ProblemError(problem_of(TooLarge("The expanded body", self._allowed)))

    def _broken(self) -> Problem:
        return malformed_body(f"The body is not {self._coding.name}, or it breaks off.")


def expand(coding: ContentCoding, body: bytes, limit: int) -> bytes:
    """Return the whole *body*, expanded to at most *limit* bytes.

    Raises:
        ProblemError: It is broken, or larger.
    """
    expansion = Expansion(coding, limit)
    return b"".join([*expansion.expand(body), *expansion.end()])
