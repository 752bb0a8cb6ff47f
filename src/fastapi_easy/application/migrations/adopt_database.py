"""Adopt a database as it is."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from returns.result import Failure, Success

from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.execution.run_executor import RunExecutor
from fastapi_easy.domain.errors import NotFound, Outcome
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.policy import Approvals
from fastapi_easy.domain.migrations.run import History, Run
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.domain.ports.migration_scripts import ScriptPart
from fastapi_easy.domain.ports.schema_store import Draft, MigrationSession


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptDatabase:
    """Record that the database is as it shall be at this point: what others have made, or changed, is taken for known.

    Attributes:
        revision: The last migration script whose changes it has; `None` for the one that the database says, or else
            the last of all. Without scripts it is `None`.

        wait: Seconds to wait for another process that migrates.

        seen: A plan without steps, from before there was the lock: what it says of the schemas is believed unless
            somebody has migrated since then. Unless given, or where there are scripts, they are compared.
    """

    revision: str | None = None
    wait: float = 60.0
    seen: MigrationPlan | None = None


class AdoptDatabaseHandler:
    """Carries out `AdoptDatabase`."""

    def __init__(self, collaborators: MigrationCollaborators) -> None:
        self._collaborators = collaborators

    async def __call__(self, command: AdoptDatabase, /) -> Outcome[Run]:
        """Record the stored schema of now; nothing in it is changed, but for the revision of scripts.

        Drift is over afterwards. What differs from the declared schema stays to be applied.

        Returns:
            The run that records it; the last one when there is nothing new to record.

        Fails with:
            NotFound: There is no such script.

            MigrationStopped: `NEEDS_REPAIR` when a run has not ended; `DRIFT` when an empty database is said to have
                the changes of scripts.

            LockHeld, LockLost, Unavailable: As `ApplyMigrationHandler`.
        """
        collaborators = self._collaborators
        if command.revision is not None and collaborators.scripts is None:
            return Failure(NotFound("migration script", command.revision))
        async with collaborators.store.session(collaborators.owner, command.wait) as opened:
            if isinstance(opened, Failure):
                return opened
            return await self._adopt(opened.unwrap(), command)

    async def _adopt(self, session: MigrationSession, command: AdoptDatabase) -> Outcome[Run]:
        store, scripts = self._collaborators.store, self._collaborators.scripts
        read = await store.history()
        if isinstance(read, Failure):
            return read
        history, seen = read.unwrap(), command.seen
        if seen is not None and not (scripts and scripts.has_scripts) and _holds(seen, history):
            plan = dataclasses.replace(seen, findings=(), drift=())
            return await self._record(session, history, plan, plan.declared)
        drafted = await store.draft(Hints())
        if isinstance(drafted, Failure):
            return drafted
        draft = drafted.unwrap()
        parts: Sequence[ScriptPart] = ()
        if scripts is not None:
            stamped = await scripts.stamp(command.revision, history)
            if isinstance(stamped, Failure):
                return stamped
            parts = stamped.unwrap()
        refused = self._find_refusal(history, draft, parts)
        if refused is not None:
            return Failure(refused)
        plan = MigrationPlan(
            database=store.name,
            dialect=store.dialect,
            server_version=draft.stored.server_version,
            source="files" if parts else "models",
            revisions=tuple(each.revision for each in parts),
            parent=history.head,
            schema_before=draft.stored.fingerprint,
            declared=draft.declared,
            steps=tuple(step for part in parts for step in part.steps),
        )
        return await self._record(session, history, plan, "" if draft.steps else draft.declared)

    async def _record(
        self, session: MigrationSession, history: History, plan: MigrationPlan, declared: str
    ) -> Outcome[Run]:
        """Record *plan* as carried out.

        Args:
            session: The lock.

            history: The ledger under it.

            plan: What it has carried out.

            declared: The checksum of the declared schema, if the stored one is like that.
        """
        known = (history.fingerprint, history.declared)
        if not plan.revisions and history.applied and known == (plan.schema_before, declared):
            return Success(history.applied[0])
        runs = RunExecutor(self._collaborators, session)
        begun = await runs.begin(plan, Approvals())
        if isinstance(begun, Failure):
            return begun
        carried_out = await runs.carry_out(begun.unwrap(), plan, None)
        if isinstance(carried_out, Failure):
            return carried_out
        return await runs.conclude(begun.unwrap(), plan, declared)

    def _find_refusal(
        self, history: History, draft: Draft, parts: Sequence[ScriptPart]
    ) -> MigrationStopped | None:
        database, unfinished = self._collaborators.store.name, history.unfinished
        if unfinished is not None:
            return MigrationStopped(
                database,
                MigrationStop.NEEDS_REPAIR,
                f"run {unfinished.id} has not ended: apply or roll back, or give it up (repair, abandon), and adopt "
                "the database then",
                unfinished.id,
            )
        if parts and draft.stored.is_empty:
            return MigrationStopped(
                database,
                MigrationStop.DRIFT,
                "the database is empty, so it has the changes of no script: apply the scripts instead",
            )
        return None


def _holds(seen: MigrationPlan, history: History) -> bool:
    """Return whether nobody has migrated since *seen*, which finds nothing to do."""
    return not seen.steps and history.unfinished is None and history.head == seen.parent
