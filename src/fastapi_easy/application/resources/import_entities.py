"""Create or update entities from a stream of lines."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final, TypeAlias

from returns.result import Failure, Success

from fastapi_easy.application.access import Access
from fastapi_easy.application.changes.bulk_changes import AllSucceeded, BulkAnswer, BulkHandler
from fastapi_easy.application.changes.entity_writer import Upserted
from fastapi_easy.application.changes.items import Create, Upsert
from fastapi_easy.application.context import Context
from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.errors import Error, Outcome, OutcomeUnknown, Unavailable
from fastapi_easy.domain.resources.options import Operation

CHUNK: Final = 500
"""Lines that are committed together, at most."""

CHUNK_BYTES: Final = 4 * 1024 * 1024
"""Characters and bytes, as estimated, after which a chunk with fewer lines is full: bounds the memory of an import."""

_SIZED_TYPES: Final = (str, bytes)
_NESTED: Final = (dict, list)

Line: TypeAlias = tuple[int, Outcome[Values]]
"""Its number, counted from 1, and its values, or why they cannot be read."""


@dataclass(frozen=True, slots=True)
class ImportEntities:
    """Create an entity from each of *lines*.

    Attributes:
        lines: Read as they are needed, in the order of their numbers.

        upsert: An entity that is there already is changed instead.

        max_failures: Lines that may fail; with one more the import stops.
    """

    lines: AsyncIterator[Line]
    upsert: bool = False
    max_failures: int = 100


@dataclass(slots=True)
class ImportReport:
    """The progress of an import.

    Attributes:
        created: Entities made.

        updated: Entities that were there already and were changed.

        failed: Lines that were left out, by number, and why.

        next_line: The first line that was not looked at, or whose fate is not known: where to go on.

        stopped_by: Why it ended before the last line; `None` when it did not.
    """

    created: int = 0
    updated: int = 0
    failed: list[tuple[int, Error]] = field(default_factory=list)
    next_line: int = 1
    stopped_by: Error | None = None
    too_many_failures: bool = False


class ImportEntitiesHandler(BulkHandler):
    """Carries out `ImportEntities`, in chunks of `CHUNK` lines, each durable before the next is read."""

    operation = Operation.IMPORT

    async def __call__(self, command: ImportEntities, context: Context, /) -> Outcome[ImportReport]:
        """Return the report; lines that failed, or a store that became unavailable, are part of it.

        Fails with:
            Forbidden: The caller may not import.
        """
        access = await self._enter(context, self.operation)
        if not isinstance(access, Access):
            return access
        report = ImportReport()
        chunk: list[Line] = []
        weight = 0
        async for line in command.lines:
            chunk.append(line)
            weight += _estimate_size(line)
            if len(chunk) == CHUNK or weight >= CHUNK_BYTES:
                await self._import_chunk(chunk, command, context, report)
                chunk, weight = [], 0
                if report.stopped_by is not None or report.too_many_failures:
                    return Success(report)
        if chunk:
            await self._import_chunk(chunk, command, context, report)
        return Success(report)

    async def _import_chunk(
        self, chunk: Sequence[Line], command: ImportEntities, context: Context, report: ImportReport
    ) -> None:
        """Import *chunk* and update *report*."""
        readable = [(number, line.unwrap()) for number, line in chunk if not isinstance(line, Failure)]
        failed = [(number, line.failure()) for number, line in chunk if isinstance(line, Failure)]
        make = Upsert if command.upsert else Create
        answer = await self.apply_separately([make(values) for _, values in readable], context)
        report.next_line = chunk[-1][0] + 1
        if isinstance(answer.outcomes, AllSucceeded):
            # Only creates are grouped, so all rows are new; the lazy sequence is not evaluated.
            report.created += len(answer.outcomes)
        else:
            failed += self._tally(readable, answer, report)
        self._record_failures(sorted(failed, key=itemgetter(0)), command, report)

    @staticmethod
    def _tally(
        readable: Sequence[tuple[int, Values]], answer: BulkAnswer, report: ImportReport
    ) -> list[tuple[int, Error]]:
        """Return the lines that failed; count the others in *report*."""
        failed = []
        for (number, _), outcome in zip(readable, answer.outcomes, strict=True):
            if outcome is None or isinstance(outcome, Failure):
                error = None if outcome is None else outcome.failure()
                if isinstance(error, Unavailable | OutcomeUnknown) and report.stopped_by is None:
                    report.stopped_by, report.next_line = error, number
                elif error is not None:
                    failed.append((number, error))
                continue
            done = outcome.unwrap()
            if isinstance(done, Upserted) and not done.created:
                report.updated += 1
            else:
                report.created += 1
        return failed

    @staticmethod
    def _record_failures(
        failed: Sequence[tuple[int, Error]], command: ImportEntities, report: ImportReport
    ) -> None:
        report.failed += failed
        report.too_many_failures = len(report.failed) > command.max_failures


def _estimate_size(line: Line) -> int:
    """Estimate the size of the values of *line*, in characters and bytes."""
    _, values = line
    if isinstance(values, Failure):
        return 0
    weight = 0
    for value in values.unwrap().values():
        if isinstance(value, _SIZED_TYPES):
            weight += len(value)
        elif isinstance(value, _NESTED):
            weight += len(repr(value))
    return weight
