"""The endpoint that imports entities from NDJSON or CSV while the body is still arriving."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final

from fastapi_easy.application import DryRun, ImportEntities, ImportMode, ImportReport
from fastapi_easy.application.resources.streams.import_entities import Line
from fastapi_easy.domain import BadQuery, Fault, Invalid, Operation, OutcomeUnknown, StorageFull
from fastapi_easy.interfaces.formats.csv_cells import record_columns
from fastapi_easy.interfaces.formats.encode import dumps
from fastapi_easy.interfaces.http.exchange import (
    Exchange,
    HttpResponse,
    ProblemError,
    json_response,
    problem_error,
    unwrap_or_raise,
)
from fastapi_easy.interfaces.http.http_resource import HttpResource
from fastapi_easy.interfaces.http.operations.export_endpoint import CSV, FORMATS, NDJSON
from fastapi_easy.interfaces.http.operations.line_readers import CsvLineReader, JsonLineReader, LineReader
from fastapi_easy.interfaces.http.problems import Problem, problem_members, problem_of
from fastapi_easy.interfaces.http.request_problems import too_many_failures
from fastapi_easy.interfaces.http.requests.body import Upload, media_type_of
from fastapi_easy.interfaces.http.requests.decode import (
    Pairs,
    read_context,
    read_pairs,
    reject_other_parameters,
)
from fastapi_easy.interfaces.http.requests.preferences import read_preferences

MAX_FAILURES: Final = 1000
"""The most failed lines that a caller may allow; the report of each is in memory until the import ends."""

DEFAULT_FAILURES: Final = 100
"""Failed lines that are allowed unless the caller says otherwise."""

MODES: Final = tuple(each.value for each in ImportMode)
"""What the parameter `mode` may be."""

BYTES: Final = "application/octet-stream"
"""The media type of a body of which the parameter `as` says what it is."""

_MAX_LINE_NUMBER: Final = 10**18


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """The query parameters of an import.

    Attributes:
        upsert: Update the entities that are there already.

        from_line: The first line to import, from 1; those before it are skipped.

        max_failures: Failed lines after which the import stops.

        mode: What the lines may set.

        media_type: What the body is where its Content-Type says nothing; `None` when the parameter was not given.
    """

    upsert: bool
    from_line: int
    max_failures: int
    mode: ImportMode
    media_type: str | None


class ImportEndpoint:
    """Answers with what became of the lines of the body."""

    def __init__(self, http_resource: HttpResource) -> None:
        self._http_resource = http_resource
        self._use_cases = http_resource.use_cases
        self._resource = http_resource.resource

    async def import_(self, exchange: Exchange, segment: bytes) -> HttpResponse:
        """Answer `POST /books/import`."""
        options = self._http_resource.options
        import_options = self._read_options(read_pairs(exchange, options.query_limit))
        preferences = read_preferences(exchange)
        context = read_context(exchange, preferences.dry_run)
        media_type = _media_type(exchange, import_options)
        upload = Upload(exchange, options)
        max_length = options.import_line_limit
        reader: LineReader = JsonLineReader(max_length, import_options.from_line)
        if media_type == CSV:
            takes_stored = import_options.mode is not ImportMode.CREATE and not import_options.upsert
            columns = record_columns(self._resource, takes_stored=takes_stored)
            reader = CsvLineReader(columns, max_length, import_options.from_line)
        async with aclosing(_lines(upload, reader, context.dry_run)) as lines:
            command = ImportEntities(
                lines,
                upsert=import_options.upsert,
                max_failures=import_options.max_failures,
                mode=import_options.mode,
            )
            report = unwrap_or_raise(await self._use_cases.import_(command, context))
        if context.dry_run is not None:
            context.dry_run.events.clear()
        problem = _stop_problem(report, import_options, upload.problem)
        if problem is not None:
            raise ProblemError(
                replace(
                    problem,
                    members={
                        **problem.members,
                        **_report_members(report, import_options, exchange.root, whole=True),
                    },
                )
            )
        document = dumps(_report_members(report, import_options, exchange.root, whole=False))
        return json_response(
            207 if report.failed else 200, document, *preferences.response_headers(minimal=False)
        )

    def _read_options(self, pairs: Pairs) -> ImportOptions:
        upserts = Operation.UPSERT in self._resource.operations
        reject_other_parameters(
            pairs, "as", "from_line", "max_failures", "mode", *(["upsert"] if upserts else [])
        )
        given = dict(pairs)
        if len(given) != len(pairs):
            raise problem_error(BadQuery(pairs[-1][0], "Was given more than once"))
        upsert = given.get("upsert", "false")
        if upsert not in {"true", "false"}:
            raise problem_error(_parameter_fault("upsert", "Must be true or false", "boolean_parsing"))
        mode = given.get("mode", ImportMode.AUTO)
        if mode not in MODES:
            raise problem_error(_parameter_fault("mode", f"Must be one of {', '.join(MODES)}", "enum"))
        wished = given.get("as")
        if wished is not None and wished not in FORMATS:
            raise problem_error(BadQuery("as", f"Must be one of {', '.join(FORMATS)}"))
        return ImportOptions(
            upsert=upsert == "true",
            from_line=_integer_parameter("from_line", given.get("from_line", "1"), 1, _MAX_LINE_NUMBER),
            max_failures=_integer_parameter(
                "max_failures", given.get("max_failures", str(DEFAULT_FAILURES)), 0, MAX_FAILURES
            ),
            mode=ImportMode(mode),
            media_type=None if wished is None else FORMATS[wished],
        )


def _media_type(exchange: Exchange, import_options: ImportOptions) -> str:
    """Return what the body is: NDJSON or CSV.

    Generated clients send a body that they know nothing of as bytes; then the parameter says it, or it is NDJSON.
    """
    given, wished = media_type_of(exchange, *FORMATS.values(), BYTES), import_options.media_type
    if given == BYTES:
        return wished or NDJSON
    if wished not in {None, given}:
        raise problem_error(BadQuery("as", "Contradicts the Content-Type; leave it out"))
    return given


async def _lines(upload: Upload, reader: LineReader, dry_run: DryRun | None) -> AsyncGenerator[Line]:
    while (part := await upload.read_part()) is not None:
        # When much has arrived already, reading it never waits, and other requests would starve.
        await asyncio.sleep(0)
        if dry_run is not None:
            # The events of any number of lines would fill the memory, and a report of an import lists none.
            dry_run.events.clear()
        for line in reader.feed(part):
            yield line
    if upload.problem is None:
        for line in reader.end():
            yield line


def _parameter_fault(name: str, message: str, code: str) -> Invalid:
    return Invalid((Fault(f"/{name}", message, code, "query"),))


def _integer_parameter(name: str, text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < len(str(_MAX_LINE_NUMBER))):
        raise problem_error(_parameter_fault(name, "Must be a whole number", "integer_parsing"))
    if not low <= int(text) <= high:
        raise problem_error(_parameter_fault(name, f"Must be between {low} and {high}", "out_of_range"))
    return int(text)


def _stop_problem(
    report: ImportReport, import_options: ImportOptions, broken: Problem | None
) -> Problem | None:
    """Return why the import stopped before the end of the body; `None` when it did not."""
    if report.stopped_by is not None:
        unknown = isinstance(report.stopped_by, OutcomeUnknown)
        what = (
            "The lines from next_line on may or may not have been imported"
            if unknown
            else "Continue from next_line"
        )
        why = (
            "The store has no room left"
            if isinstance(report.stopped_by, StorageFull)
            else "A dependency stopped answering"
        )
        return replace(problem_of(report.stopped_by), detail=f"{why}. {what}.")
    if report.too_many_failures:
        return too_many_failures(import_options.max_failures)
    return broken


def _report_members(
    report: ImportReport, import_options: ImportOptions, root: str, *, whole: bool
) -> dict[str, object]:
    """Return the members of the report about the lines.

    Args:
        report: The result of the import.

        import_options: Its options; an import that failed early continues at `from_line`.

        root: The path at which callers see the app.

        whole: Give each failed line the members of an error of a problem too.
    """
    errors = []
    for line, error in report.failed:
        problem = problem_of(error)
        fault = {"pointer": "", "in": "body", "message": problem.detail, "code": problem.code}
        errors.append({**(fault if whole else {}), "line": line, "problem": problem_members(problem, root)})
    return {
        "created": report.created,
        "updated": report.updated,
        "failed": len(report.failed),
        "next_line": max(report.next_line, import_options.from_line),
        "errors": errors,
    }
