"""The parts of a request body → the lines of an import, each with its values or why it cannot be read."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from fastapi_easy.application.resources.streams.import_entities import Line
from fastapi_easy.domain import (
    Error,
    Failure,
    Fault,
    Field,
    Invalid,
    Json,
    Outcome,
    Success,
    TooLarge,
    Values,
)
from fastapi_easy.interfaces.formats.csv_cells import RecordReader, find_header_faults
from fastapi_easy.interfaces.formats.csv_text import Record, RecordParser
from fastapi_easy.interfaces.formats.line_splitter import BYTE_ORDER_MARK, LineSplitter, TooLong
from fastapi_easy.interfaces.formats.line_splitter import Line as TextLine
from fastapi_easy.interfaces.formats.strict_json import Malformed, read_json
from fastapi_easy.interfaces.http.exchange import problem_error


class LineReader(Protocol):
    """Turns the parts of a body into the lines of an import."""

    def feed(self, part: bytes) -> Iterator[Line]:
        """Yield the lines that end in *part*."""
        ...

    def end(self) -> Iterator[Line]:
        """Yield the line that ends with the body, if there is one."""
        ...


class JsonLineReader:
    """Reads a JSON object from each line."""

    def __init__(self, max_length: int, from_line: int) -> None:
        self._max_length = max_length
        self._from_line = from_line
        self._lines = LineSplitter(max_length)

    def feed(self, part: bytes) -> Iterator[Line]:
        """Yield the lines that end in *part*."""
        for line in self._lines.feed(part):
            yield from self._read(line)

    def end(self) -> Iterator[Line]:
        """Yield the line that ends with the body, if there is one."""
        for line in self._lines.end():
            yield from self._read(line)

    def _read(self, line: TextLine) -> Iterator[Line]:
        number, text = line
        if number < self._from_line:
            return
        if isinstance(text, TooLong):
            yield number, Failure(TooLarge("The line", self._max_length))
            return
        if number == 1:
            text = text.removeprefix(BYTE_ORDER_MARK)
        if text.strip(b" \t\r"):
            yield number, self._parse(text)

    @staticmethod
    def _parse(text: bytes) -> Outcome[Values]:
        document = read_json(text)
        if isinstance(document, Malformed):
            return _fault(document.detail, "malformed_body")
        return Failure(document) if isinstance(document, Invalid) else Success(Json(document))


class CsvLineReader:
    """Reads the names of the fields from the first record, and values from each of the others."""

    def __init__(self, columns: Mapping[str, Field | None], max_length: int, from_line: int) -> None:
        self._columns = columns
        self._max_length = max_length
        self._from_line = from_line
        self._lines = LineSplitter(max_length)
        self._records = RecordParser(max_length)
        self._record_reader: RecordReader | None = None

    def feed(self, part: bytes) -> Iterator[Line]:
        """Yield the lines that end in *part*."""
        for line in self._lines.feed(part):
            for record in self._records.feed(line):
                yield from self._read(record)

    def end(self) -> Iterator[Line]:
        """Yield the line that ends with the body, if there is one."""
        for line in self._lines.end():
            for record in self._records.feed(line):
                yield from self._read(record)
        for record in self._records.end():
            yield from self._read(record)
        if self._record_reader is None:
            raise problem_error(Invalid((Fault("", "The first line must name the fields", "csv_header"),)))

    def _read(self, record: Record) -> Iterator[Line]:
        if self._record_reader is None:
            self._read_header(record)
        elif record.line < self._from_line or record.is_blank:
            return
        elif record.too_long:
            yield record.line, Failure(TooLarge("The record", self._max_length))
        elif record.reason is not None:
            yield record.line, _fault(record.reason, "csv_record")
        else:
            yield record.line, self._record_reader(record.cells)

    def _read_header(self, header: Record) -> None:
        """Read the names of the fields from *header*, the first record; raise at once where it names none."""
        if header.is_blank:
            return
        reason = "It is too long" if header.too_long else header.reason
        faults = find_header_faults(header.cells, self._columns)
        if reason is not None:
            faults = (Fault("", f"The first line must name the fields: {reason}", "csv_header"),)
        if faults:
            raise problem_error(Invalid(faults))
        self._record_reader = RecordReader(header.cells, self._columns)


def _fault(message: str, code: str) -> Failure[Error]:
    return Failure(Invalid((Fault("", message, code),)))
