"""What is written about migrations, in the database that is migrated."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from fastapi_easy.domain.errors import LockLost
from fastapi_easy.domain.migrations.change import ChangeKind
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.run import History, Run, RunState, StepRecord, StepState
from fastapi_easy.domain.migrations.step import Reversibility, Step, StepMode
from fastapi_easy.infrastructure.migrations.relational.failures import Refused
from fastapi_easy.infrastructure.relational.system_tables.ledger_tables import (
    RUN,
    STATE,
    STEP,
    has_ledger,
    make_ledger,
)

_TABLE_CHANGES: Final = frozenset({ChangeKind.CREATE_TABLE, ChangeKind.DROP_TABLE, ChangeKind.RENAME_TABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerState:
    """The row of the state.

    Attributes:
        epoch: The last fencing number.

        head: The id of the plan that was applied last; empty for none.

        declared: The checksum of the declared schema that the database was brought to.

        fingerprint: That of the stored schema after the last run.
    """

    epoch: int = 0
    head: str = ""
    declared: str = ""
    fingerprint: str = ""


class Ledger:
    """Reads and writes the ledger on one connection; transactions are the caller's.

    Args:
        connection: On which everything is asked.

        database: The name of the database in the settings.
    """

    def __init__(self, connection: AsyncConnection, database: str) -> None:
        self._connection = connection
        self._database = database

    async def exists(self) -> bool:
        """Return whether there is a ledger."""
        return await self._connection.run_sync(has_ledger)

    async def create(self) -> None:
        """Create what is missing of the ledger, outside of a transaction."""
        await self._connection.run_sync(make_ledger)

    async def state(self) -> LedgerState:
        """Return the state."""
        return _state_of((await self._connection.execute(select(STATE))).mappings().one_or_none())

    async def lock_state(self) -> LedgerState:
        """Return the state; nobody else can change it, or begin a step, before the transaction has ended."""
        asked = select(STATE).where(STATE.c.id == 1).with_for_update()
        row = (await self._connection.execute(asked)).mappings().one_or_none()
        if row is None:
            first = {"id": 1, "epoch": 0, "head": "", "declared": "", "fingerprint": ""}
            _ = await self._connection.execute(insert(STATE).values(**first))
        return _state_of(row)

    async def fence(self, epoch: int) -> LedgerState:
        """Return the state, unless a newer session than the one with *epoch* has begun.

        Raises:
            Refused: One has.
        """
        state = await self.lock_state()
        if state.epoch != epoch:
            raise Refused(LockLost(f"migrations of {self._database}"))
        return state

    async def set_state(self, **values: str | int) -> None:
        """Write *values* of the state."""
        _ = await self._connection.execute(update(STATE).where(STATE.c.id == 1).values(**values))

    async def add_run(self, run: Run, plan: MigrationPlan) -> None:
        """Write *run*, which has just begun, and the steps of *plan*."""
        last = (await self._connection.execute(select(func.max(RUN.c.number)))).scalar()
        _ = await self._connection.execute(
            insert(RUN).values(
                run_id=run.id,
                number=(last or 0) + 1,
                plan_id=run.plan_id,
                plan_checksum=run.plan_checksum,
                parent=run.parent,
                source=run.source,
                revisions=json.dumps(run.revisions),
                state=run.state.value,
                epoch=run.epoch,
                owner=run.owner,
                app_version=run.app_version,
                approvals=json.dumps(run.approvals),
                declared=plan.declared,
                schema_before=run.schema_before,
                schema_after=run.schema_after,
                started_at=run.started_at,
                finished_at=run.finished_at,
                plan_document=run.plan,
                error=run.error,
            )
        )
        rows = [_step_row(run.id, record, step) for record, step in zip(run.steps, plan.steps, strict=True)]
        if rows:
            _ = await self._connection.execute(insert(STEP), rows)

    async def set_run(self, run_id: str, **values: object) -> None:
        """Write *values* of a run."""
        _ = await self._connection.execute(update(RUN).where(RUN.c.run_id == run_id).values(**values))

    async def set_step(self, run_id: str, index: int, **values: object) -> None:
        """Write *values* of a step."""
        found = update(STEP).where(STEP.c.run_id == run_id, STEP.c.ix == index)
        _ = await self._connection.execute(found.values(**values))

    async def step(self, run_id: str, index: int) -> StepRecord | None:
        """Return a step; `None` when there is none."""
        asked = select(STEP).where(STEP.c.run_id == run_id, STEP.c.ix == index)
        row = (await self._connection.execute(asked)).mappings().one_or_none()
        return None if row is None else _record_of(row)

    async def run(self, run_id: str) -> Run | None:
        """Return a run; `None` when there is none."""
        row = (
            (await self._connection.execute(select(RUN).where(RUN.c.run_id == run_id)))
            .mappings()
            .one_or_none()
        )
        if row is None:
            return None
        steps = await self._connection.execute(
            select(STEP).where(STEP.c.run_id == run_id).order_by(STEP.c.ix)
        )
        return _run_of(row, [_record_of(each) for each in steps.mappings()])

    async def has_applied(self, plan_id: str) -> bool:
        """Return whether a run of the plan is applied."""
        asked = select(RUN.c.run_id).where(RUN.c.plan_id == plan_id, RUN.c.applied_after.is_not(None))
        return (await self._connection.execute(asked.limit(1))).first() is not None

    async def declared_by(self, plan_id: str) -> str:
        """Return the checksum of the declared schema that an applied plan has led to; empty for none."""
        asked = select(RUN.c.declared).where(RUN.c.plan_id == plan_id, RUN.c.applied_after.is_not(None))
        return (await self._connection.execute(asked.limit(1))).scalar() or ""

    async def history(self) -> History:
        """Return the whole ledger; an empty one when there is none."""
        if not await self.exists():
            return History()
        state = await self.state()
        runs = (await self._connection.execute(select(RUN).order_by(RUN.c.number.desc()))).mappings().all()
        steps: dict[str, list[StepRecord]] = {}
        for row in (
            await self._connection.execute(select(STEP).order_by(STEP.c.run_id, STEP.c.ix))
        ).mappings():
            steps.setdefault(row["run_id"], []).append(_record_of(row))
        return History(
            exists=True,
            epoch=state.epoch,
            head=state.head,
            declared=state.declared,
            fingerprint=state.fingerprint,
            runs=tuple(_run_of(row, steps.get(row["run_id"], ())) for row in runs),
        )

    async def created_tables(self) -> frozenset[str]:
        """Return the names of the tables that runs have created, and not dropped since."""
        if not await self.exists():
            return frozenset()
        asked = (
            select(STEP.c.table_changes, STEP.c.state)
            .join(RUN, RUN.c.run_id == STEP.c.run_id)
            .where(STEP.c.state == StepState.DONE.value, STEP.c.table_changes != "[]")
            .order_by(RUN.c.number, STEP.c.ix)
        )
        created: set[str] = set()
        for row in await self._connection.execute(asked):
            for kind, table, new_name in json.loads(row.table_changes):
                if kind == ChangeKind.CREATE_TABLE:
                    created.add(table)
                elif table in created:
                    created.remove(table)
                    created |= {new_name} if kind == ChangeKind.RENAME_TABLE else set()
        return frozenset(created)


def checksum_of(statements: Sequence[str]) -> str:
    """Return the SHA-256 of *statements*, as it is recorded of a step."""
    return hashlib.sha256(json.dumps(statements).encode()).hexdigest()


def record_of(index: int, step: Step) -> StepRecord:
    """Return the record of *step* before anything was executed."""
    return StepRecord(
        index=index,
        kind=step.kind,
        object=step.object,
        summary=step.summary,
        statements=step.statements,
        reverse=step.reverse,
        checksum=checksum_of(step.statements),
        reversibility=step.reversibility,
        mode=step.mode,
        reverse_mode=step.reverse_mode,
        risk=step.risk.value,
        state=StepState.PENDING,
    )


def _step_row(run_id: str, record: StepRecord, step: Step) -> Mapping[str, object]:
    changes = [
        [each.kind.value, each.table, _qualified_like(each.table, each.facts.get("new_name", ""))]
        for each in step.changes
        if each.kind in _TABLE_CHANGES
    ]
    return {
        "run_id": run_id,
        "ix": record.index,
        "kind": record.kind,
        "object": record.object,
        "summary": record.summary,
        "statements": json.dumps(record.statements),
        "reverse_statements": json.dumps(record.reverse),
        "checksum": record.checksum,
        "reversibility": record.reversibility.value,
        "mode": record.mode.value,
        "reverse_mode": record.reverse_mode.value,
        "risk": record.risk,
        "table_changes": json.dumps(changes),
        "state": record.state.value,
        "attempts": 0,
        "progress": "",
        "started_at": None,
        "finished_at": None,
        "error": "",
    }


def _qualified_like(table: str, new_name: str) -> str:
    schema, dot, _ = table.rpartition(".")
    return new_name if not dot or "." in new_name else f"{schema}.{new_name}"


def _state_of(row: RowMapping | None) -> LedgerState:
    if row is None:
        return LedgerState()
    return LedgerState(
        epoch=row["epoch"], head=row["head"], declared=row["declared"], fingerprint=row["fingerprint"]
    )


def _run_of(row: RowMapping, steps: Sequence[StepRecord]) -> Run:
    return Run(
        id=row["run_id"],
        plan_id=row["plan_id"],
        plan_checksum=row["plan_checksum"],
        parent=row["parent"],
        source=row["source"],
        revisions=tuple(json.loads(row["revisions"])),
        state=RunState(row["state"]),
        epoch=row["epoch"],
        owner=row["owner"],
        app_version=row["app_version"],
        approvals=tuple(json.loads(row["approvals"])),
        schema_before=row["schema_before"],
        schema_after=row["schema_after"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        plan=row["plan_document"],
        steps=tuple(steps),
        error=row["error"],
    )


def _record_of(row: RowMapping) -> StepRecord:
    return StepRecord(
        index=row["ix"],
        kind=row["kind"],
        object=row["object"],
        summary=row["summary"],
        statements=tuple(json.loads(row["statements"])),
        reverse=tuple(json.loads(row["reverse_statements"])),
        checksum=row["checksum"],
        reversibility=Reversibility(row["reversibility"]),
        mode=StepMode(row["mode"]),
        reverse_mode=StepMode(row["reverse_mode"]),
        risk=row["risk"],
        state=StepState(row["state"]),
        attempts=row["attempts"],
        progress=row["progress"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        error=row["error"],
    )
