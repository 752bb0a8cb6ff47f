"""CSV as RFC 4180 has it, with one thing more: an empty cell is null, and empty text is `""`.

`csv` of the standard library is not used: it cannot tell those two apart, takes a stray quote for text, and has one
limit for the size of cells for the whole process.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from fastapi_easy.interfaces.formats.line_splitter import Line, TooLong

Cell: TypeAlias = str | None
"""`None` when there is nothing between the commas, not even quotes."""

UNQUOTED: Final = "A cell with a quote or a line break stands in quotes, and each quote in it is doubled"
"""What is wrong with a record that is none."""

_CELL: Final = re.compile(r'"((?:[^"]++|"")*+)"|([^",\r\n]*+)')
_LEFT_OPEN: Final = re.compile(rb'(?:(?:"(?:[^"]++|"")*+"|[^",\r\n]*+),)*+"(?:[^"]++|"")*+')
_MARK: Final = b"\xef\xbb\xbf"


def written(cells: Iterable[Cell]) -> str:
    """A record of *cells*, and the line break behind it. It is never a blank line."""
    return (",".join("" if cell is None else quoted(cell) for cell in cells) or '""') + "\r\n"


def quoted(cell: str) -> str:
    """*cell* as it stands between the commas."""
    if '"' in cell:
        return '"' + cell.replace('"', '""') + '"'
    # A fifth of the time of a regular expression.
    if "," in cell or "\n" in cell or "\r" in cell or not cell or cell[0] == " " or cell[-1] == " ":
        return f'"{cell}"'
    return cell


@dataclass(frozen=True, slots=True)
class Record:
    """One record, or why it cannot be read.

    Attributes:
        line: The number of the line it begins on.

        cells: What it holds; empty for a blank line.

        mistake: What is wrong with it, if anything is.

        too_long: It was not kept.
    """

    line: int
    cells: Sequence[Cell] = ()
    mistake: str | None = None
    too_long: bool = False

    @property
    def is_blank(self) -> bool:
        """Nothing stands on its line."""
        return not (self.cells or self.mistake or self.too_long)


class Records:
    """The records that lines make up, each on one line or, within quotes, on several.

    Args:
        longest: Bytes a record may have; a longer one is read over and not kept.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._line = 0
        self._kept = bytearray()
        self._size = 0
        self._is_open = False

    def feed(self, line: Line) -> Iterator[Record]:
        """The record that ends with *line*, if one does."""
        number, text = line
        if not self._is_open:
            self._line, self._size = number, 0
            self._kept.clear()
        if isinstance(text, TooLong):
            self._size = self._longest + 2
            odd = text.odd
        else:
            odd = text.count(b'"') % 2 == 1
            if odd and not self._is_open and not _LEFT_OPEN.fullmatch(text):
                # Taken for an open quote, it would swallow the lines behind it.
                yield Record(number, mistake=UNQUOTED)
                return
            self._keep(text if number > 1 else text.removeprefix(_MARK))
        self._is_open ^= odd
        if not self._is_open:
            yield self._whole()

    def end(self) -> Iterator[Record]:
        """The record that has not ended, if one has not."""
        if self._is_open:
            yield self._whole()

    def _keep(self, text: bytes) -> None:
        if self._size:
            self._kept += b"\n"
        self._size += len(text) + 1
        if self._size > self._longest + 1:
            self._kept.clear()
        else:
            self._kept += text

    def _whole(self) -> Record:
        if self._size > self._longest + 1:
            return Record(self._line, too_long=True)
        return Record(self._line, mistake=UNQUOTED) if self._is_open else _read(self._line, bytes(self._kept))


def _read(line: int, text: bytes) -> Record:
    """The record that begins on *line* and is spelt *text*."""
    try:
        decoded = text.removesuffix(b"\r").decode("utf-8")
    except UnicodeDecodeError:
        return Record(line, mistake="Must be UTF-8")
    if not decoded:
        return Record(line)
    cells: list[Cell] = []
    position = -1
    while position < len(decoded):
        found = _CELL.match(decoded, position + 1)
        position = len(decoded) if found is None else found.end()
        if found is None or (position < len(decoded) and decoded[position] != ","):
            return Record(line, mistake=UNQUOTED)
        quoted: str | None = found[1]
        cells.append((found[2] or None) if quoted is None else quoted.replace('""', '"'))
    return Record(line, cells)
