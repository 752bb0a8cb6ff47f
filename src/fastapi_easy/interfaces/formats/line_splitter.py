"""A body in parts → its lines, however the parts are cut. Holds one part and one line at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

_QUOTE: Final = b'"'


@dataclass(frozen=True, slots=True)
class TooLong:
    """In place of a line that was not kept.

    Attributes:
        odd: It has an odd number of quotes, so that text in quotes begins or ends in it.
    """

    odd: bool


Line: TypeAlias = tuple[int, bytes | TooLong]
"""Its number, counted from 1, and what it holds without the line feed at its end."""


class Lines:
    """The lines of a body that comes in parts.

    Args:
        longest: Bytes a line may have; a longer one is read over and not kept.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._number = 1
        self._kept = bytearray()
        self._size = 0
        self._odd = False

    def feed(self, part: bytes) -> Iterator[Line]:
        """The lines that end in *part*."""
        *ends, begun = part.split(b"\n")
        for end in ends:
            if self._size or len(end) > self._longest:
                self._add(end)
                yield self._end()
            else:
                yield self._number, end
            self._number += 1
        self._add(begun)

    def end(self) -> Iterator[Line]:
        """The last line, which needs no line feed."""
        if self._size:
            yield self._end()

    def _add(self, piece: bytes) -> None:
        self._size += len(piece)
        self._odd ^= piece.count(_QUOTE) % 2 == 1
        if self._size <= self._longest:
            self._kept += piece
        else:
            self._kept.clear()

    def _end(self) -> Line:
        line: bytes | TooLong = TooLong(self._odd) if self._size > self._longest else bytes(self._kept)
        self._kept.clear()
        self._size, self._odd = 0, False
        return self._number, line
