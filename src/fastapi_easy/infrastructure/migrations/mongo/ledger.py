"""What is written about migrations, in the database that is migrated: a document for each run, and one of the state.

Each write is of one document, and succeeds only while the document has the fencing number of the session. So it works
without transactions as well, and an older session can write nothing once a newer one has begun.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pymongo

from fastapi_easy.domain.errors import LockLost
from fastapi_easy.domain.migrations.change import ChangeKind
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.run import History, Run, RunState, StepRecord, StepState
from fastapi_easy.domain.migrations.step import Reversibility, Step, StepMode
from fastapi_easy.infrastructure.migrations.mongo.connections import MongoConnections
from fastapi_easy.infrastructure.migrations.mongo.failures import Refused
from fastapi_easy.infrastructure.persistence.mongo.documents.document import Document

RUNS: Final = "fe_migration_run"
STATE: Final = "fe_migration_state"
_STATE_ID: Final = 1
_READ_ATTEMPTS: Final = 20
_KEPT: Final = frozenset(
    {
        *(ChangeKind.CREATE_COLLECTION, ChangeKind.DROP_COLLECTION, ChangeKind.RENAME_COLLECTION),
        *(ChangeKind.CREATE_INDEX, ChangeKind.DROP_INDEX),
    }
)
"""The changes from which it follows what was made here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerState:
    """The document of the state.

    Attributes:
        epoch: The last fencing number.

        head: The id of the plan that was applied last; empty for none.

        declared: The checksum of the declared schema that the database was brought to.

        fingerprint: That of the stored schema after the last run.

        writes: How often it was written.
    """

    epoch: int = 0
    head: str = ""
    declared: str = ""
    fingerprint: str = ""
    writes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """What runs have created and not dropped since.

    Attributes:
        collections: Their names.

        indexes: The collection and the name of each.
    """

    collections: frozenset[str] = frozenset()
    indexes: frozenset[tuple[str, str]] = frozenset()


class Ledger:
    """Reads and writes the ledger.

    Args:
        connections: Where the database is.

        database: Its name in the settings.
    """

    def __init__(self, connections: MongoConnections, database: str) -> None:
        self._connections = connections
        self._database = database

    async def state(self) -> LedgerState | None:
        """Return the state; `None` when there is no ledger."""
        found = await self._collection(STATE).find_one({"_id": _STATE_ID})
        return None if found is None else _state_of(found)

    async def create(self) -> None:
        """Create the state, unless it is there."""
        first = {"epoch": 0, "head": "", "declared": "", "fingerprint": "", "writes": 0}
        _ = await self._collection(STATE).update_one({"_id": _STATE_ID}, {"$setOnInsert": first}, upsert=True)

    async def fence(self, epoch: int) -> LedgerState:
        """Return the state, unless a newer session than the one with *epoch* has begun.

        Raises:
            Refused: One has.
        """
        state = await self.state() or LedgerState()
        if state.epoch != epoch:
            raise self._lost()
        return state

    async def set_state(self, epoch: int, values: Mapping[str, str | int]) -> None:
        """Write *values* of the state, if its fencing number is *epoch* still.

        Raises:
            Refused: A newer session has begun.
        """
        changed = await self._collection(STATE).update_one(
            {"_id": _STATE_ID, "epoch": epoch}, {"$set": dict(values), "$inc": {"writes": 1}}
        )
        if not changed.matched_count:
            raise self._lost()

    async def add_run(self, run: Run, plan: MigrationPlan) -> None:
        """Write *run*, which has just begun."""
        runs = self._collection(RUNS)
        last = await runs.find_one({}, {"number": 1}, sort=[("number", pymongo.DESCENDING)])
        number = 1 if last is None else int(last["number"]) + 1
        _ = await runs.insert_one(
            {
                "_id": run.id,
                "number": number,
                "plan_id": run.plan_id,
                "plan_checksum": run.plan_checksum,
                "parent": run.parent,
                "source": run.source,
                "revisions": list(run.revisions),
                "state": run.state.value,
                "epoch": run.epoch,
                "owner": run.owner,
                "app_version": run.app_version,
                "approvals": list(run.approvals),
                "declared": plan.declared,
                "schema_before": run.schema_before,
                "schema_after": run.schema_after,
                "started_at": run.started_at,
                "finished_at": run.finished_at,
                "plan_document": run.plan,
                "error": run.error,
                "steps": [
                    _step_document(record, step) for record, step in zip(run.steps, plan.steps, strict=True)
                ],
            }
        )

    async def take_run(self, run_id: str, epoch: int, **values: object) -> bool:
        """Give a run to the session with *epoch*, and write *values* of it; return whether there is such a run.

        From then on the session that had it cannot write to it.
        """
        changed = await self._collection(RUNS).update_one(
            {"_id": run_id, "epoch": {"$lte": epoch}}, {"$set": {**values, "epoch": epoch}}
        )
        if changed.matched_count:
            return True
        if await self.run(run_id) is None:
            return False
        raise self._lost()

    async def set_run(self, run_id: str, epoch: int, values: Mapping[str, object]) -> None:
        """Write *values* of a run that belongs to the session with *epoch*.

        Raises:
            Refused: It belongs to a newer one.
        """
        changed = await self._collection(RUNS).update_one(
            {"_id": run_id, "epoch": epoch}, {"$set": dict(values)}
        )
        if not changed.matched_count:
            raise self._lost()

    async def set_step(self, run_id: str, epoch: int, index: int, values: Mapping[str, object]) -> None:
        """Write *values* of a step of a run that belongs to the session with *epoch*.

        Raises:
            Refused: It belongs to a newer one.
        """
        named = {f"steps.{index}.{name}": value for name, value in values.items()}
        await self.set_run(run_id, epoch, named)

    async def run(self, run_id: str) -> Run | None:
        """Return a run; `None` when there is none."""
        found = await self._collection(RUNS).find_one({"_id": run_id})
        return None if found is None else _run_of(found)

    async def has_applied(self, plan_id: str) -> bool:
        """Return whether a run of the plan is applied."""
        return await self._applied(plan_id) is not None

    async def declared_by(self, plan_id: str) -> str:
        """Return the checksum of the declared schema that an applied plan has led to; empty for none."""
        found = await self._applied(plan_id)
        return "" if found is None else str(found["declared"])

    async def history(self) -> History:
        """Return the whole ledger as it was at one moment; an empty one when there is none."""
        before, runs = await self.state(), await self._runs()
        for _ in range(_READ_ATTEMPTS):
            after = await self.state()
            if after == before:
                break
            before, runs = after, await self._runs()
        if before is None:
            return History()
        return History(
            exists=True,
            epoch=before.epoch,
            head=before.head,
            declared=before.declared,
            fingerprint=before.fingerprint,
            runs=tuple(_run_of(each) for each in runs),
        )

    async def created(self) -> Created:
        """Return what runs have created and not dropped since."""
        collections: set[str] = set()
        indexes: set[tuple[str, str]] = set()
        for run in reversed(await self._runs()):
            for step in run["steps"]:
                if step["state"] != StepState.DONE.value:
                    continue
                for kind, table, name, new_name in step["changes"]:
                    match kind:
                        case ChangeKind.CREATE_COLLECTION:
                            collections.add(table)
                        case ChangeKind.DROP_COLLECTION:
                            collections.discard(table)
                            indexes = {each for each in indexes if each[0] != table}
                        case ChangeKind.RENAME_COLLECTION:
                            collections = {new_name if each == table else each for each in collections}
                            indexes = {
                                (new_name if each[0] == table else each[0], each[1]) for each in indexes
                            }
                        case ChangeKind.CREATE_INDEX:
                            indexes.add((table, name))
                        case _:
                            indexes.discard((table, name))
        return Created(collections=frozenset(collections), indexes=frozenset(indexes))

    async def _applied(self, plan_id: str) -> Document | None:
        found: Document | None = await self._collection(RUNS).find_one(
            {"plan_id": plan_id, "state": RunState.APPLIED.value}
        )
        return found

    async def _runs(self) -> list[Document]:
        cursor = self._collection(RUNS).find({}, sort=[("number", pymongo.DESCENDING)])
        found: list[Document] = await cursor.to_list(None)
        return found

    def _collection(self, name: str) -> Any:
        return self._connections.database[name]

    def _lost(self) -> Refused:
        return Refused(LockLost(f"migrations of {self._database}"))


def _step_document(record: StepRecord, step: Step) -> Document:
    return {
        "kind": record.kind,
        "object": record.object,
        "summary": record.summary,
        "statements": list(record.statements),
        "reverse": list(record.reverse),
        "checksum": record.checksum,
        "reversibility": record.reversibility.value,
        "mode": record.mode.value,
        "reverse_mode": record.reverse_mode.value,
        "risk": record.risk,
        "changes": [
            [each.kind.value, each.table, each.name, each.facts.get("new_name", "")]
            for each in step.changes
            # What comes in the place of an index of others is theirs.
            if each.kind in _KEPT and not each.facts.get("moved", False)
        ],
        "state": record.state.value,
        "attempts": 0,
        "progress": "",
        "started_at": None,
        "finished_at": None,
        "error": "",
    }


def _state_of(found: Document) -> LedgerState:
    return LedgerState(
        epoch=int(found["epoch"]),
        head=found["head"],
        declared=found["declared"],
        fingerprint=found["fingerprint"],
        writes=int(found["writes"]),
    )


def _run_of(found: Document) -> Run:
    return Run(
        id=found["_id"],
        plan_id=found["plan_id"],
        plan_checksum=found["plan_checksum"],
        parent=found["parent"],
        source=found["source"],
        revisions=tuple(found["revisions"]),
        state=RunState(found["state"]),
        epoch=int(found["epoch"]),
        owner=found["owner"],
        app_version=found["app_version"],
        approvals=tuple(found["approvals"]),
        schema_before=found["schema_before"],
        schema_after=found["schema_after"],
        started_at=_aware(found["started_at"]) or datetime.datetime.min.replace(tzinfo=datetime.UTC),
        finished_at=_aware(found["finished_at"]),
        plan=found["plan_document"],
        steps=tuple(_record_of(index, each) for index, each in enumerate(found["steps"])),
        error=found["error"],
    )


def _record_of(index: int, found: Document) -> StepRecord:
    return StepRecord(
        index=index,
        kind=found["kind"],
        object=found["object"],
        summary=found["summary"],
        statements=tuple(found["statements"]),
        reverse=tuple(found["reverse"]),
        checksum=found["checksum"],
        reversibility=Reversibility(found["reversibility"]),
        mode=StepMode(found["mode"]),
        reverse_mode=StepMode(found["reverse_mode"]),
        risk=found["risk"],
        state=StepState(found["state"]),
        attempts=int(found["attempts"]),
        progress=found["progress"],
        started_at=_aware(found["started_at"]),
        finished_at=_aware(found["finished_at"]),
        error=found["error"],
    )


def _aware(moment: datetime.datetime | None) -> datetime.datetime | None:
    """Return what the driver reads as UTC without saying so."""
    return None if moment is None else moment.replace(tzinfo=datetime.UTC)
