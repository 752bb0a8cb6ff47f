"""The endpoint that takes entities in, as NDJSON or CSV, while they are still arriving."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi_easy.application import DryRun, ImportEntities, ImportReport
from fastapi_easy.application.resources.import_entities import Line
from fastapi_easy.domain import BadQuery, Fault, Invalid, Operation, OutcomeUnknown
from fastapi_easy.interfaces.formats.encode import dumps
from fastapi_easy.interfaces.http.exchange import Answer, Exchange, Refused, granted, json_answer, refused
from fastapi_easy.interfaces.http.http_resource import Surface
from fastapi_easy.interfaces.http.operations.export_endpoint import CSV, FORMATS
from fastapi_easy.interfaces.http.operations.line_readers import CsvReading, JsonReading, Reading
from fastapi_easy.interfaces.http.problems import Problem, problem_of, told
from fastapi_easy.interfaces.http.request_problems import too_many_failures
from fastapi_easy.interfaces.http.requests.body import Upload, media_type_of
from fastapi_easy.interfaces.http.requests.decode import Pairs, only, read_context, read_pairs
from fastapi_easy.interfaces.http.requests.preferences import read_preferences

MOST_FAILURES: Final = 1000
"""Lines of one import that may fail and be told of; all of them are kept until its end."""


FAILURES: Final = 100
"""Those that may fail unless the caller says otherwise."""

_LAST_LINE: Final = 10**18


@dataclass(frozen=True, slots=True)
class Wish:
    """How a body shall be taken in.

    Attributes:
        upsert: Change what is there already.

        from_line: Lines before it are skipped.

        max_failures: Lines that may fail.
    """

    upsert: bool
    from_line: int
    max_failures: int


class Importing:
    """Takes many entities in."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._use_cases = surface.use_cases
        self._resource = surface.resource

    async def import_(self, exchange: Exchange, segment: bytes) -> Answer:
        """`POST /books/import`."""
        options = self._surface.options
        wish = self._wish(read_pairs(exchange, options.query_limit))
        preferences = read_preferences(exchange)
        context = read_context(exchange, preferences.dry_run)
        media_type = media_type_of(exchange, *FORMATS.values())
        upload = Upload(exchange, options)
        longest = options.import_line_limit
        reading: Reading = JsonReading(longest, wish.from_line)
        if media_type == CSV:
            reading = CsvReading(self._resource, longest, wish.from_line)
        async with aclosing(_lines(upload, reading, context.dry_run)) as lines:
            command = ImportEntities(lines, upsert=wish.upsert, max_failures=wish.max_failures)
            report = granted(await self._use_cases.import_(command, context))
        if context.dry_run is not None:
            context.dry_run.events.clear()
        problem = _end(report, wish, upload.broken)
        if problem is not None:
            raise Refused(replace(problem, members={**problem.members, **_told(report, wish, whole=True)}))
        document = dumps(_told(report, wish, whole=False))
        return json_answer(207 if report.failed else 200, document, *preferences.applied(minimal=False))

    def _wish(self, pairs: Pairs) -> Wish:
        upserts = Operation.UPSERT in self._resource.operations
        only(pairs, "from_line", "max_failures", *(["upsert"] if upserts else []))
        given = dict(pairs)
        if len(given) != len(pairs):
            raise refused(BadQuery(pairs[-1][0], "Was given more than once"))
        upsert = given.get("upsert", "false")
        if upsert not in {"true", "false"}:
            raise refused(_unfit("upsert", "Must be true or false", "boolean_parsing"))
        return Wish(
            upsert=upsert == "true",
            from_line=_whole("from_line", given.get("from_line", "1"), 1, _LAST_LINE),
            max_failures=_whole("max_failures", given.get("max_failures", str(FAILURES)), 0, MOST_FAILURES),
        )


async def _lines(upload: Upload, reading: Reading, dry_run: DryRun | None) -> AsyncGenerator[Line]:
    while (part := await upload.part()) is not None:
        # What has arrived may be much: others are answered in between.
        await asyncio.sleep(0)
        if dry_run is not None:
            # The events of any number of lines would fill the memory; none are told of.
            dry_run.events.clear()
        for line in reading.feed(part):
            yield line
    if upload.broken is None:
        for line in reading.end():
            yield line


def _unfit(name: str, message: str, code: str) -> Invalid:
    return Invalid((Fault(f"/{name}", message, code, "query"),))


def _whole(name: str, text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < len(str(_LAST_LINE))):
        raise refused(_unfit(name, "Must be a whole number", "integer_parsing"))
    if not low <= int(text) <= high:
        raise refused(_unfit(name, f"Must be between {low} and {high}", "out_of_range"))
    return int(text)


def _end(report: ImportReport, wish: Wish, broken: Problem | None) -> Problem | None:
    """Why the import ended before the body did; `None` when it did not."""
    if report.stopped_by is not None:
        unknown = isinstance(report.stopped_by, OutcomeUnknown)
        what = (
            "The lines from next_line on may or may not have been taken"
            if unknown
            else "Go on from next_line"
        )
        return replace(problem_of(report.stopped_by), detail=f"A dependency stopped answering. {what}.")
    if report.too_many_failures:
        return too_many_failures(wish.max_failures)
    return broken


def _told(report: ImportReport, wish: Wish, *, whole: bool) -> dict[str, Any]:
    """What became of the lines.

    Args:
        report: How far the import came.

        wish: Where it began.

        whole: Each failed line has all members that errors of a problem have.
    """
    errors = []
    for line, error in report.failed:
        problem = problem_of(error)
        fault = {"pointer": "", "in": "body", "message": problem.detail, "code": problem.code}
        errors.append({**(fault if whole else {}), "line": line, "problem": told(problem)})
    return {
        "created": report.created,
        "updated": report.updated,
        "failed": len(report.failed),
        "next_line": max(report.next_line, wish.from_line),
        "errors": errors,
    }
