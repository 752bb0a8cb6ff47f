"""How the statements of one step are executed, so that a process may be killed at any moment.

What has a transaction is recorded in it: effect and record are there together, or not at all. What has none is recorded
before, as begun, and after, as done; what became of it in between, the database is asked.
"""

import asyncio
import contextlib
import re
from collections import Counter
from collections.abc import Callable
from typing import Final, assert_never

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from fastapi_easy.domain.errors import Unavailable
from fastapi_easy.domain.migrations.run import StepRecord, StepState
from fastapi_easy.domain.migrations.step import Effect, Probe, Step, StepMode
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.domain.ports.clock import Clock
from fastapi_easy.infrastructure.migrations.relational.connections import (
    LEDGER_LOCK_TIMEOUT,
    limits_of,
    run,
    run_statement,
    transaction,
)
from fastapi_easy.infrastructure.migrations.relational.failures import (
    Refused,
    StatementFailed,
    is_lock_timeout,
    message_of,
    shorten,
)
from fastapi_easy.infrastructure.migrations.relational.ledger import Ledger
from fastapi_easy.infrastructure.relational.errors import DATABASE_ERRORS
from fastapi_easy.infrastructure.relational.server import server_name_of

BATCH_PAUSE: Final = 0.05
"""Seconds between two batches, in which others write, and replicas follow."""

REVERSING: Final = "reversing "
"""Begins the progress of a step that is being undone without a transaction: so many statements are, the next may be."""

REVERSED: Final = "reversed "
"""Begins the progress of a step of which exactly so many statements, or rows, are undone."""

_DATA_ONLY: Final = re.compile(r"(?i)\s*(insert|update|delete|replace|select|with|set|do)\b")
"""What MySQL does not commit by itself."""


class BrokenReferences(Exception):
    """A table that was built anew refers to rows that do not exist."""


class StepExecution:
    """The execution of one step, or of what undoes it.

    Args:
        connection: Its own, in autocommit. No other one executes statements of migrations here.

        database: The name of the database in the settings.

        run_id: The run.

        epoch: The fencing number of the session.

        index: The place of the step.

        step: What is executed.

        reverse: Whether what undoes it is executed instead.

        clock: Tells the times that are recorded.

        find_effect: Looks for the effect of a step.
    """

    def __init__(  # noqa: PLR0913 - all that there is to know of an execution
        self,
        connection: AsyncConnection,
        *,
        database: str,
        run_id: str,
        epoch: int,
        index: int,
        step: Step,
        reverse: bool,
        clock: Clock,
        find_effect: Callable[[Connection, Probe], Effect],
    ) -> None:
        self._connection = connection
        self._ledger = Ledger(connection, database)
        self._server = server_name_of(connection.dialect.name)
        self._database = database
        self._run_id = run_id
        self._epoch = epoch
        self._index = index
        self._step = step
        self._reverse = reverse
        self._statements = step.reverse if reverse else step.statements
        self._clock = clock
        self._find_effect = find_effect
        self._finished = 0
        """Statements that took effect for certain, of a step without transaction."""

    async def execute(self) -> int:
        """Execute the step unless it is recorded as done, and return the number of rows that were changed.

        Raises:
            StatementFailed: A statement failed, which is recorded if it was refused.

            Refused: It is not to be executed.
        """
        mode = self._mode()
        if self._server == "sqlite":
            # There the lock that others hold is that of the whole file, and it is taken with the transaction.
            await self._limit(local=False)
        try:
            match mode:
                case StepMode.TRANSACTION:
                    return await self._in_transaction()
                case StepMode.AUTOCOMMIT:
                    return await self._in_autocommit()
                case StepMode.BATCHES:
                    return await self._in_batches()
                case StepMode.REBUILD:
                    return await self._as_rebuild()
                case _:
                    assert_never(mode)
        except StatementFailed as failed:
            if not self._connection.invalidated:
                await self._record_failure(failed, mode)
            raise

    def _mode(self) -> StepMode:
        mode = self._step.reverse_mode if self._reverse else self._step.mode
        commits_itself = self._server == "mysql" and not all(map(_DATA_ONLY.match, self._statements))
        # Such a statement would commit the transaction, without the record that it is done.
        return StepMode.AUTOCOMMIT if mode is StepMode.TRANSACTION and commits_itself else mode

    async def _in_transaction(self) -> int:
        async with transaction(self._connection, self._server):
            record = await self._claim()
            return 0 if record is None else await self._execute_all(record)

    async def _as_rebuild(self) -> int:
        # Inside of a transaction the first one would do nothing. The connection is closed after the step, so nobody
        # has to set them back.
        await self._run_all("PRAGMA foreign_keys = OFF", "PRAGMA legacy_alter_table = ON")
        async with transaction(self._connection, self._server):
            record = await self._claim()
            if record is None:
                return 0
            before = await self._broken_references()
            rows = await self._execute_all(record)
            after = await self._broken_references()
            if before is not None and after is None:
                reason = "a foreign key refers to columns that are not unique any more"
                raise StatementFailed("PRAGMA foreign_key_check", BrokenReferences(reason))
            broken = None if before is None or after is None else after - before
            if broken:
                tables = ", ".join(sorted({f"{child} → {parent}" for child, parent in broken}))
                raise StatementFailed(
                    "PRAGMA foreign_key_check",
                    BrokenReferences(f"{broken.total()} rows refer to rows that do not exist: {tables}"),
                )
        return rows

    async def _execute_all(self, record: StepRecord) -> int:
        begun = self._clock.now()
        await self._limit(local=True)
        rows = 0
        for statement in self._statements:
            rows += await run_statement(self._connection, statement)
        await self._write(
            state=self._end_state.value,
            attempts=record.attempts + 1,
            progress="" if self._reverse or not rows else str(rows),
            started_at=begun,
            finished_at=self._clock.now(),
            error="",
        )
        return rows

    async def _in_autocommit(self) -> int:
        async with transaction(self._connection, self._server):
            record = await self._claim()
            if record is None:
                return 0
            was_cut_off = self._continue_after(record)
            begun = (
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
        await self._limit(local=False)
        if was_cut_off and await self._clean_up():
            await self._write_fenced(**self._end_values(), progress="")
            return 0
        rows = 0
        for statement in self._statements[self._finished :]:
            rows += await run_statement(self._connection, statement)
            self._finished += 1
            if self._finished < len(self._statements):
                await self._record_effect(progress=f"{REVERSING if self._reverse else ''}{self._finished}")
                await self._limit(local=False)
        await self._record_effect(**self._end_values(), progress="")
        return rows

    async def _record_effect(self, **values: object) -> None:
        """Record what took effect already: nobody may be told that nothing was changed if that fails."""
        try:
            await self._limit(local=False, lock_timeout=LEDGER_LOCK_TIMEOUT)
            await self._write_fenced(**values)
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
                _ = await run_statement(self._connection, statement)
            return False
        effect = await self._connection.run_sync(self._find_effect, self._step.probe)
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

    async def _in_batches(self) -> int:
        begun, attempts, before, rows = self._clock.now(), 0, 0, 0
        for statement in self._statements:
            changed = -1
            while changed:
                async with transaction(self._connection, self._server):
                    record = await self._claim()
                    if record is None:
                        return rows
                    if not attempts:
                        attempts = record.attempts + 1
                        before = _number_in(
                            record.progress.removeprefix(REVERSED) if self._reverse else record.progress
                        )
                    await self._limit(local=True)
                    changed = await run_statement(self._connection, statement)
                    rows += changed
                    state = {} if self._reverse else {"state": StepState.RUNNING.value}
                    await self._write(
                        attempts=attempts,
                        started_at=begun,
                        finished_at=None,
                        progress=f"{REVERSED if self._reverse else ''}{before + rows}",
                        error="",
                        **state,
                    )
                if changed:
                    await asyncio.sleep(BATCH_PAUSE)
        await self._write_fenced(**self._end_values(), **({"progress": ""} if self._reverse else {}))
        return rows

    @property
    def _end_state(self) -> StepState:
        return StepState.REVERSED if self._reverse else StepState.DONE

    async def _claim(self) -> StepRecord | None:
        """Return the record of the step, in a transaction in which no newer session can begin; `None` if it is done.

        Raises:
            Refused: A newer session has begun, or the step is not the one that was recorded, or was never done.
        """
        _ = await self._ledger.fence(self._epoch)
        record = await self._ledger.step(self._run_id, self._index)
        recorded = None if record is None else (record.reverse if self._reverse else record.statements)
        if record is None or recorded != self._statements:
            message = f"step {self._index + 1} is not what was recorded when its run began"
            raise Refused(MigrationStopped(self._database, MigrationStop.CHANGED, message, self._run_id))
        if record.state in {self._end_state, StepState.SKIPPED}:
            return None
        if self._reverse and (record.state is not StepState.DONE or not self._statements):
            reason = (
                "has no reverse" if record.state is StepState.DONE else f"is {record.state.value}, not done"
            )
            message = f"step {self._index + 1} cannot be undone: it {reason}"
            raise Refused(MigrationStopped(self._database, MigrationStop.IRREVERSIBLE, message, self._run_id))
        return record

    def _end_values(self) -> dict[str, object]:
        return {"state": self._end_state.value, "finished_at": self._clock.now(), "error": ""}

    async def _record_failure(self, failed: StatementFailed, mode: StepMode) -> None:
        """Record that a statement was refused; the step may be begun again."""
        values: dict[str, object] = {}
        if mode is StepMode.AUTOCOMMIT:
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
                await self._write_fenced(**values)

    async def _write(self, **values: object) -> None:
        await self._ledger.set_step(self._run_id, self._index, **values)

    async def _write_fenced(self, **values: object) -> None:
        async with transaction(self._connection, self._server):
            _ = await self._ledger.fence(self._epoch)
            await self._write(**values)

    async def _limit(self, *, local: bool, lock_timeout: float | None = None) -> None:
        await self._run_all(
            *limits_of(
                self._server,
                self._step.lock_timeout if lock_timeout is None else lock_timeout,
                self._step.statement_timeout,
                local=local,
                is_mariadb=bool(getattr(self._connection.dialect, "is_mariadb", False)),
            )
        )

    async def _run_all(self, *statements: str) -> None:
        for statement in statements:
            _ = await run(self._connection, statement)

    async def _broken_references(self) -> Counter[tuple[str, str]] | None:
        """Return how many rows refer to rows that do not exist, by both tables; `None` if that cannot be told."""
        try:
            found = await self._connection.exec_driver_sql("PRAGMA foreign_key_check")
        except DBAPIError:
            # A reference to columns that are not unique: SQLite cannot check anything then.
            return None
        return Counter((row["table"], row["parent"]) for row in found.mappings())


def _number_in(progress: str) -> int:
    return int(progress) if progress.isdigit() else 0
