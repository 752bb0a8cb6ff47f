"""The parts of a body → the lines of an import, each with what it says or why it cannot be read."""

from collections.abc import Iterator
from typing import Any, Protocol

from fastapi_easy.application.resources.import_entities import Line
from fastapi_easy.domain import (
    Error,
    Failure,
    Fault,
    Invalid,
    Json,
    Outcome,
    Resource,
    Success,
    TooLarge,
    Values,
)
from fastapi_easy.interfaces.formats.csv_cells import RecordReader, mistakes_in, record_columns
from fastapi_easy.interfaces.formats.csv_text import Record, Records
from fastapi_easy.interfaces.formats.line_splitter import Line as TextLine
from fastapi_easy.interfaces.formats.line_splitter import Lines, TooLong
from fastapi_easy.interfaces.formats.strict_json import Malformed, read_json
from fastapi_easy.interfaces.http.exchange import refused


class Reading(Protocol):
    """Makes of the parts of a body the lines of an import."""

    def feed(self, part: bytes) -> Iterator[Line]:
        """What ends in *part*."""
        ...

    def end(self) -> Iterator[Line]:
        """What ends with the body."""
        ...


class JsonReading:
    """Reads a JSON object from each line."""

    def __init__(self, longest: int, from_line: int) -> None:
        self._longest = longest
        self._from_line = from_line
        self._lines = Lines(longest)

    def feed(self, part: bytes) -> Iterator[Line]:
        """What ends in *part*."""
        for line in self._lines.feed(part):
            yield from self._taken(line)

    def end(self) -> Iterator[Line]:
        """What ends with the body."""
        for line in self._lines.end():
            yield from self._taken(line)

    def _taken(self, line: TextLine) -> Iterator[Line]:
        number, text = line
        if number < self._from_line:
            return
        if isinstance(text, TooLong):
            yield number, Failure(TooLarge("The line", self._longest))
        elif text.strip(b" \t\r"):
            yield number, self._given(text)

    @staticmethod
    def _given(text: bytes) -> Outcome[Values]:
        document = read_json(text)
        if isinstance(document, Malformed):
            return _fault(document.detail, "malformed_body")
        return Failure(document) if isinstance(document, Invalid) else Success(Json(document))


class CsvReading:
    """Reads the names of the fields from the first record, and values from each of the others."""

    def __init__(self, resource: Resource[Any], longest: int, from_line: int) -> None:
        self._columns = record_columns(resource)
        self._longest = longest
        self._from_line = from_line
        self._lines = Lines(longest)
        self._records = Records(longest)
        self._record_reader: RecordReader | None = None

    def feed(self, part: bytes) -> Iterator[Line]:
        """What ends in *part*."""
        for line in self._lines.feed(part):
            for record in self._records.feed(line):
                yield from self._taken(record)

    def end(self) -> Iterator[Line]:
        """What ends with the body."""
        for line in self._lines.end():
            for record in self._records.feed(line):
                yield from self._taken(record)
        for record in self._records.end():
            yield from self._taken(record)
        if self._record_reader is None:
            raise refused(Invalid((Fault("", "The first line must name the fields", "csv_header"),)))

    def _taken(self, record: Record) -> Iterator[Line]:
        if self._record_reader is None:
            self._begin(record)
        elif record.line < self._from_line or record.is_blank:
            return
        elif record.too_long:
            yield record.line, Failure(TooLarge("The record", self._longest))
        elif record.mistake is not None:
            yield record.line, _fault(record.mistake, "csv_record")
        else:
            yield record.line, self._record_reader(record.cells)

    def _begin(self, header: Record) -> None:
        """Take *header* as the first record, which names the fields; refuse it at once if it does not."""
        if header.is_blank:
            return
        mistake = "It is too long" if header.too_long else header.mistake
        faults = mistakes_in(header.cells, self._columns)
        if mistake is not None:
            faults = (Fault("", f"The first line must name the fields: {mistake}", "csv_header"),)
        if faults:
            raise refused(Invalid(faults))
        self._record_reader = RecordReader(header.cells, self._columns)


def _fault(message: str, code: str) -> Failure[Error]:
    return Failure(Invalid((Fault("", message, code),)))
