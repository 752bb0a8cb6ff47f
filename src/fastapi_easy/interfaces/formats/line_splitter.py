"""A body in parts → its lines, however the parts are cut. Holds one part and one line at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
"""What some programs write before the first line of a text in UTF-8."""

_QUOTE: Final = b'"'


@dataclass(frozen=True, slots=True)
class TooLong:
    """In place of a line that was not kept.

    Attributes:
        has_open_quote: It has an odd number of quotes, so that text in quotes begins or ends in it.
    """

    has_open_quote: bool


Line: TypeAlias = tuple[int, bytes | TooLong]
"""Its number, counted from 1, and what it holds without the line feed at its end."""


class LineSplitter:
    """The lines of a body that comes in parts.

    Args:
        max_length: Bytes a line may have; a longer one is read over and not kept.
    """

    def __init__(self, max_length: int) -> None:
        self._max_length = max_length
        self._number = 1
        self._buffer = bytearray()
        self._size = 0
        self._has_open_quote = False

    def feed(self, part: bytes) -> Iterator[Line]:
        """Yield the lines that end in *part*."""
        *ends, begun = part.split(b"\n")
        for end in ends:
            if self._size or len(end) > self._max_length:
                self._add(end)
                yield self._end()
            else:
                yield self._number, end
            self._number += 1
        self._add(begun)

    def end(self) -> Iterator[Line]:
        """Yield the last line, which needs no line feed."""
        if self._size:
            yield self._end()

    def _add(self, piece: bytes) -> None:
        self._size += len(piece)
        self._has_open_quote ^= piece.count(_QUOTE) % 2 == 1
        if self._size <= self._max_length:
            self._buffer += piece
        else:
            self._buffer.clear()

    def _end(self) -> Line:
        line: bytes | TooLong = (
            TooLong(self._has_open_quote) if self._size > self._max_length else bytes(self._buffer)
        )
        self._buffer.clear()
        self._size, self._has_open_quote = 0, False
        return self._number, line
