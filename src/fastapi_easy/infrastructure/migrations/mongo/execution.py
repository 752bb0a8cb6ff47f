"""How the commands of one step are executed, so that a process may be killed at any moment.

A step is recorded before, as begun, and after, as done; what became of it in between, the database is asked. Batches
are recorded one by one, and do no harm when they are repeated.
"""

import asyncio
import contextlib
from typing import Any, Final

from pymongo.errors import OperationFailure

from fastapi_easy.domain.errors import Unavailable
from fastapi_easy.domain.migrations.run import StepRecord, StepState
from fastapi_easy.domain.migrations.step import Effect, Step, StepMode
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.infrastructure.migrations.mongo.commands import to_document
from fastapi_easy.infrastructure.migrations.mongo.connections import MongoConnections
from fastapi_easy.infrastructure.migrations.mongo.failures import (
    Refused,
    StatementFailed,
    is_lock_timeout,
    message_of,
    shorten,
)
from fastapi_easy.infrastructure.migrations.mongo.ledger import Ledger
from fastapi_easy.infrastructure.migrations.mongo.probing import find_effect
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document
from fastapi_easy.infrastructure.persistence.mongo.errors import DATABASE_ERRORS

BATCH_PAUSE: Final = 0.05
"""Seconds between two batches, in which others write, and other members follow."""

REVERSING: Final = "reversing "
"""Begins the progress of a step that is being undone: so many statements are, the next may be."""

REVERSED: Final = "reversed "
"""Begins the progress of a step of which exactly so many statements, or documents, are undone."""

_BATCH_SIZE: Final = 1_000
_GONE: Final = frozenset({26, 27})
"""The collection or the index to be removed is not there."""


class StepExecution:
    """The execution of one step, or of what undoes it.

    Args:
        connections: Where the database is.

        database: Its name in the settings.

        run_id: The run.

        epoch: The fencing number of the session.

        index: The place of the step.

        step: What is executed.

        reverse: Whether what undoes it is executed instead.

        clock: Tells the times that are recorded.
    """

    def __init__(  # noqa: PLR0913 - all that there is to know of an execution
        self,
        connections: MongoConnections,
        *,
        database: str,
        run_id: str,
        epoch: int,
        index: int,
        step: Step,
        reverse: bool,
        clock: Clock,
    ) -> None:
        self._connections = connections
        self._ledger = Ledger(connections, database)
        self._database = database
        self._run_id = run_id
        self._epoch = epoch
        self._index = index
        self._step = step
        self._reverse = reverse
        self._statements = step.reverse if reverse else step.statements
        self._clock = clock
        self._finished = 0
        """Statements that took effect for certain."""

    async def execute(self) -> int:
        """Execute the step unless it is recorded as done, and return the number of documents that were changed.

        Raises:
            StatementFailed: A statement failed, which is recorded if it was refused.

            Refused: It is not to be executed.
        """
        mode = self._step.reverse_mode if self._reverse else self._step.mode
        try:
            # There are no transactions around changes of a schema, whatever the writer of the step takes for granted.
            return await (self._in_batches() if mode is StepMode.BATCHES else self._one_by_one())
        except StatementFailed as failed:
            if isinstance(failed.error, OperationFailure | ValueError):
                await self._record_failure(failed, mode)
            raise

    async def _one_by_one(self) -> int:
        record = await self._claim()
        if record is None:
            return 0
        was_cut_off = self._continue_after(record)
        begun: dict[str, object] = (
            {"progress": f"{REVERSING}{self._finished}"}
            if self._reverse
            else {"state": StepState.RUNNING.value, "progress": str(self._finished or "")}
        )
        await self._write(
            attempts=record.attempts + 1,
            started_at=self._clock.now(),
            finished_at=None,
            error="",
            **begun,
        )
        if was_cut_off and await self._clean_up():
            await self._write(**self._end_values(), progress="")
            return 0
        rows = 0
        for statement in self._statements[self._finished :]:
            rows += _changed_by(await self._run(statement))
            self._finished += 1
            if self._finished < len(self._statements):
                await self._record_effect(progress=f"{REVERSING if self._reverse else ''}{self._finished}")
        await self._record_effect(**self._end_values(), progress="")
        return rows

    async def _in_batches(self) -> int:
        record = await self._claim()
        if record is None:
            return 0
        before = _number_in(record.progress.removeprefix(REVERSED) if self._reverse else record.progress)
        state = {} if self._reverse else {"state": StepState.RUNNING.value}
        await self._write(
            attempts=record.attempts + 1, started_at=self._clock.now(), finished_at=None, error="", **state
        )
        rows = 0
        for statement in self._statements:
            last: Any = None
            found_any = True
            while found_any:
                _ = await self._ledger.fence(self._epoch)
                changed, last, found_any = await self._change_batch(statement, last)
                rows += changed
                await self._write(progress=f"{REVERSED if self._reverse else ''}{before + rows}")
                if changed:
                    await asyncio.sleep(BATCH_PAUSE)
        await self._write(**self._end_values(), **({"progress": ""} if self._reverse else {}))
        return rows

    async def _change_batch(self, statement: str, last: Any) -> tuple[int, Any, bool]:
        """Execute the update *statement* for some documents.

        Args:
            statement: Its text.

            last: The key of the last document of the batch before; `None` at the beginning of a pass.

        Returns:
            How many were changed, the key of the last one, and whether there may be more: a pass that has found some is
            followed by another one, for what others have written behind it meanwhile.
        """
        command = self._read(statement)
        size = _batch_size(command)
        (change,) = command["updates"]
        find: Document = {
            "find": command["update"],
            "filter": change["q"],
            "projection": {"_id": 1},
            "hint": {"_id": 1},
            "limit": size,
            "batchSize": size,
            "singleBatch": True,
        }
        if last is not None:
            # As bounds of the index: a comparison would find keys of the same type only.
            find["min"] = {"_id": last}
        keys = [each["_id"] for each in (await self._do(statement, find))["cursor"]["firstBatch"]]
        if not keys:
            return 0, None, last is not None
        narrowed = {**change, "q": {"$and": [change["q"], {"_id": {"$in": keys}}]}}
        answer = await self._do(statement, {**command, "updates": [narrowed]})
        changed = _changed_by(answer)
        if not changed and keys == [last]:
            return 0, None, False
        return changed, keys[-1], True

    async def _record_effect(self, **values: object) -> None:
        """Record what took effect already: nobody may be told that nothing was changed if that fails."""
        try:
            await self._write(**values)
        except DATABASE_ERRORS as error:
            raise Refused(Unavailable(self._database)) from error

    def _continue_after(self, record: StepRecord) -> bool:
        """Find the place to go on at, and return whether an earlier attempt was cut off, or has failed, there."""
        if self._reverse:
            was_cut_off = record.progress.startswith(REVERSING)
            self._finished = _number_in(record.progress.removeprefix(REVERSING).removeprefix(REVERSED))
            return was_cut_off
        was_cut_off = record.state in {StepState.RUNNING, StepState.FAILED}
        # Cleaning up leaves nothing of what had been finished.
        self._finished = _number_in(record.progress) if was_cut_off and not self._step.cleanup else 0
        return was_cut_off

    async def _clean_up(self) -> bool:
        """Remove what an earlier attempt has left, and return whether nothing is left to do.

        That is found out of a reverse only: of the step itself it was, by whoever asks for another attempt.
        """
        if not self._reverse:
            for statement in self._step.cleanup:
                await self._remove(statement)
            return False
        effect = await find_effect(self._connections, self._step.probe)
        is_last = self._finished == len(self._statements) - 1
        if effect is Effect.UNKNOWN or (effect is Effect.NOT_APPLIED and not is_last):
            raise Refused(
                MigrationStopped(
                    self._database,
                    MigrationStop.NEEDS_REPAIR,
                    f"nobody can tell whether this was executed: {shorten(self._statements[self._finished])}",
                    self._run_id,
                )
            )
        return effect is Effect.NOT_APPLIED

    async def _remove(self, statement: str) -> None:
        try:
            _ = await self._run(statement)
        except StatementFailed as failed:
            if not (isinstance(failed.error, OperationFailure) and failed.error.code in _GONE):
                raise

    async def _claim(self) -> StepRecord | None:
        """Return the record of the step; `None` if it is done.

        Raises:
            Refused: A newer session has begun, or the step is not the one that was recorded, or was never done.
        """
        _ = await self._ledger.fence(self._epoch)
        run = await self._ledger.run(self._run_id)
        steps = () if run is None else run.steps
        record = steps[self._index] if self._index < len(steps) else None
        recorded = None if record is None else (record.reverse if self._reverse else record.statements)
        if record is None or recorded != self._statements:
            message = f"step {self._index} is not what was recorded when its run began"
            raise Refused(MigrationStopped(self._database, MigrationStop.CHANGED, message, self._run_id))
        if record.state in {self._end_state, StepState.SKIPPED}:
            return None
        if self._reverse and (record.state is not StepState.DONE or not self._statements):
            reason = (
                "has no reverse" if record.state is StepState.DONE else f"is {record.state.value}, not done"
            )
            message = f"step {self._index} cannot be undone: it {reason}"
            raise Refused(MigrationStopped(self._database, MigrationStop.IRREVERSIBLE, message, self._run_id))
        return record

    @property
    def _end_state(self) -> StepState:
        return StepState.REVERSED if self._reverse else StepState.DONE

    def _end_values(self) -> dict[str, object]:
        return {"state": self._end_state.value, "finished_at": self._clock.now(), "error": ""}

    async def _record_failure(self, failed: StatementFailed, mode: StepMode) -> None:
        """Record that a statement was refused; the step may be begun again."""
        values: dict[str, object] = {}
        if mode is not StepMode.BATCHES:
            # The server has answered: what was being undone is as it was.
            values["progress"] = f"{REVERSED if self._reverse else ''}{self._finished or ''}"
        if not is_lock_timeout(failed):
            values["error"] = f"{message_of(failed.error)} in: {shorten(failed.statement)}"
            values["finished_at"] = self._clock.now()
            if not self._reverse:
                values["state"] = StepState.FAILED.value
        if values:
            # What cannot be recorded is as after a process that was killed.
            with contextlib.suppress(*DATABASE_ERRORS):
                await self._write(**values)

    async def _write(self, **values: object) -> None:
        await self._ledger.set_step(self._run_id, self._epoch, self._index, values)

    async def _run(self, statement: str) -> Document:
        return await self._do(statement, self._read(statement))

    async def _do(self, statement: str, command: Document) -> Document:
        try:
            return await self._connections.execute(command, self._epoch, self._step.statement_timeout)
        except DATABASE_ERRORS as error:
            raise StatementFailed(statement, error) from error

    def _read(self, statement: str) -> Document:
        try:
            return to_document(statement)
        except ValueError as error:
            raise StatementFailed(statement, error) from error


def _batch_size(command: Document) -> int:
    comment = command.get("comment")
    size = comment.get("batch_size") if isinstance(comment, dict) else None
    return size if isinstance(size, int) and size > 0 else _BATCH_SIZE


def _changed_by(answer: Document) -> int:
    return int(answer.get("nModified", answer.get("n", 0)) or 0)


def _number_in(progress: str) -> int:
    return int(progress) if progress.isdigit() else 0
