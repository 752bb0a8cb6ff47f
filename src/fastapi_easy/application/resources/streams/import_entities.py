"""Create, restore or update entities from a stream of lines."""

import enum
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final, TypeAlias

from returns.result import Failure, Success

from fastapi_easy.application.access import Access
from fastapi_easy.application.changes.bulk_changes import AllSucceeded, BulkHandler
from fastapi_easy.application.changes.items import Create, CreateStored, Upsert
from fastapi_easy.application.changes.restoring import find_missing_keys, find_unrestorable_fields
from fastapi_easy.application.changes.self_references import SelfReferences
from fastapi_easy.application.context import Context
from fastapi_easy.application.idempotency.fingerprint import refuse_idempotency_key
from fastapi_easy.domain.changes.answers import BulkAnswer, Upserted
from fastapi_easy.domain.changes.patch import Values
from fastapi_easy.domain.changes.stored_values import StoredValues
from fastapi_easy.domain.errors import BadQuery, Error, Outcome, OutcomeUnknown, Unavailable
from fastapi_easy.domain.resources.options import RESTORE_IMPORT, Operation

CHUNK: Final = 500
"""Lines that are committed together, at most."""

MAX_HELD_LINES: Final = 10_000
"""Lines that wait for the entities they refer to, at most; those beyond fail at once."""

CHUNK_BYTES: Final = 4 * 1024 * 1024
"""Characters and bytes, as estimated, after which a chunk with fewer lines is full: bounds the memory of an import."""

_SIZED_TYPES: Final = (str, bytes)
_NESTED: Final = (dict, list)

Line: TypeAlias = tuple[int, Outcome[Values]]
"""Its number, counted from 1, and its values, or why they cannot be read."""

ReadableLine: TypeAlias = tuple[int, Values]
"""Its number and its values."""

FailedLine: TypeAlias = tuple[int, Error]
"""Its number, and why it was left out."""


class ImportMode(enum.StrEnum):
    """What the lines of an import may set."""

    AUTO = "auto"
    """A line with fields that `create` does not take, such as a generated key, restores an entity; others create."""

    CREATE = "create"
    """What `create` takes; a line with anything else fails."""

    RESTORE = "restore"
    """Every line restores an entity, and must have its key."""


@dataclass(frozen=True, slots=True)
class ImportEntities:
    """Create an entity from each of *lines*.

    Attributes:
        lines: Read as they are needed, in the order of their numbers.

        upsert: An entity that is there already is changed instead. Its lines may set what `create` takes.

        max_failures: Lines that may fail; with one more the import stops.

        mode: What the lines may set.
    """

    lines: AsyncIterator[Line]
    upsert: bool = False
    max_failures: int = 100
    mode: ImportMode = ImportMode.AUTO


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


@dataclass(frozen=True, slots=True)
class HeldLine:
    """A line that failed and may succeed later.

    Attributes:
        line: The line.

        error: Why it failed.
    """

    line: ReadableLine
    error: Error


@dataclass(slots=True)
class _Import:
    """One import while it runs.

    Attributes:
        command: What is imported.

        context: The context of the call.

        report: The progress so far.

        references: What decides the order of the lines.

        held: The lines that wait for the entities they refer to.
    """

    command: ImportEntities
    context: Context
    report: ImportReport
    references: SelfReferences
    held: list[HeldLine] = field(default_factory=list)

    @property
    def has_stopped(self) -> bool:
        """Whether the import ends before its last line."""
        return self.report.stopped_by is not None or self.report.too_many_failures

    def hold(self, failed: Sequence[HeldLine]) -> list[FailedLine]:
        """Hold those of *failed* that may refer to a later line; return the others."""
        for_good: list[FailedLine] = []
        for each in failed:
            if len(self.held) < MAX_HELD_LINES and self.references and self.references.explains(each.error):
                self.held.append(each)
            else:
                for_good.append((each.line[0], each.error))
        return for_good

    def record_failures(self, failed: Sequence[FailedLine]) -> None:
        """Add *failed* to the report."""
        self.report.failed = sorted([*self.report.failed, *failed], key=itemgetter(0))
        self.report.too_many_failures = len(self.report.failed) > self.command.max_failures


class ImportEntitiesHandler(BulkHandler):
    """Carries out `ImportEntities`, in chunks of `CHUNK` lines, each durable before the next is read."""

    operation = Operation.IMPORT

    async def __call__(self, command: ImportEntities, context: Context, /) -> Outcome[ImportReport]:
        """Return the report; lines that failed, or a store that became unavailable, are part of it.

        Fails with:
            Forbidden: The caller may not import, or not restore.

            BadQuery: It is to restore and to upsert.

            Invalid: It is to restore entities that hold what no export shows, or there is an idempotency key.
        """
        if context.idempotency_key is not None:
            return refuse_idempotency_key(
                "Cannot be used with an import, which is committed in parts: repeat it as an upsert"
            )
        access = await self._enter(context, self.operation)
        if not isinstance(access, Access):
            return access
        if (
            command.mode is ImportMode.RESTORE
            and (refused := self._check_restore(command, access)) is not None
        ):
            return refused
        running = _Import(command, context, ImportReport(), SelfReferences(self._resource))
        chunk: list[Line] = []
        weight = 0
        async for line in command.lines:
            chunk.append(line)
            weight += _estimate_size(line)
            if len(chunk) == CHUNK or weight >= CHUNK_BYTES:
                await self._import_chunk(chunk, running)
                chunk, weight = [], 0
                if running.has_stopped:
                    break
        if chunk:
            await self._import_chunk(chunk, running)
        await self._import_held_lines(running)
        return Success(running.report)

    def _check_restore(self, command: ImportEntities, access: Access) -> Failure[Error] | None:
        """Return why nothing may be restored."""
        if command.upsert:
            return Failure(BadQuery("mode", "restore cannot be combined with upsert: choose one"))
        if access.grant(self._resource, RESTORE_IMPORT) is None:
            return access.refuse(self._resource, RESTORE_IMPORT)
        return find_unrestorable_fields(self._resource)

    async def _import_chunk(self, chunk: Sequence[Line], running: "_Import") -> None:
        """Import *chunk* and update the report."""
        readable: list[ReadableLine] = []
        failed: list[FailedLine] = []
        for number, line in chunk:
            if isinstance(line, Failure):
                failed.append((number, line.failure()))
                continue
            values = line.unwrap()
            is_restore = running.command.mode is ImportMode.RESTORE
            if is_restore and (keyless := find_missing_keys(self._resource, values)) is not None:
                failed.append((number, keyless.failure()))
            else:
                readable.append((number, values))
        report = running.report
        report.next_line = chunk[-1][0] + 1
        found, left = await self._apply_lines(readable, running)
        if left:
            report.next_line = left[0][0]
        running.record_failures(failed + running.hold(found))

    async def _import_held_lines(self, running: "_Import") -> None:
        """Import the lines that waited for what they refer to, in as many passes as bring some of them in."""
        waiting = running.held
        while waiting and not running.has_stopped:
            running.held = []
            # As a whole: a chain of references over all of them comes in at once.
            lines = running.references.sort([held.line for held in waiting])
            unimported: list[HeldLine] = []
            for start in range(0, len(lines), CHUNK):
                found, left = await self._apply_lines(lines[start : start + CHUNK], running)
                # A line whose turn did not come is reported with why it had to wait: `next_line` is behind it.
                unreached = {number for number, _ in left}
                unimported += [held for held in waiting if held.line[0] in unreached]
                running.record_failures(running.hold(found))
            running.held += unimported
            if len(running.held) == len(waiting):
                break
            waiting = running.held
        running.record_failures([(held.line[0], held.error) for held in running.held])

    async def _apply_lines(
        self, lines: Sequence[ReadableLine], running: "_Import"
    ) -> tuple[list[HeldLine], list[ReadableLine]]:
        """Apply *lines*; return those that failed, with why, and those whose turn did not come, by their numbers."""
        command, report = running.command, running.report
        if running.references:
            lines = running.references.sort(lines)
        answer = await self.apply_separately(
            [_change_for(values, command) for _, values in lines], running.context
        )
        if isinstance(answer.outcomes, AllSucceeded):
            # Only creates are grouped, so all rows are new; the lazy sequence is not evaluated.
            report.created += len(answer.outcomes)
            return [], []
        return _tally(lines, answer, report)


def _change_for(values: Values, command: ImportEntities) -> Create | CreateStored | Upsert:
    if command.upsert:
        return Upsert(values)
    is_stored = command.mode is ImportMode.RESTORE or isinstance(values, StoredValues)
    return CreateStored(values) if is_stored else Create(values)


def _tally(
    lines: Sequence[ReadableLine], answer: BulkAnswer, report: ImportReport
) -> tuple[list[HeldLine], list[ReadableLine]]:
    """Return the lines that failed, and those whose fate is not known; count the others in *report*."""
    failed: list[HeldLine] = []
    left: list[ReadableLine] = []
    for line, outcome in zip(lines, answer.outcomes, strict=True):
        if outcome is None:
            left.append(line)
        elif isinstance(outcome, Failure):
            error = outcome.failure()
            if isinstance(error, Unavailable | OutcomeUnknown):
                report.stopped_by = report.stopped_by or error
                left.append(line)
            else:
                failed.append(HeldLine(line, error))
        else:
            done = outcome.unwrap()
            if isinstance(done, Upserted) and not done.created:
                report.updated += 1
            else:
                report.created += 1
    return failed, sorted(left, key=itemgetter(0))


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
