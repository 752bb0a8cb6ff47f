"""Makes plans: the steps from the stored schema to the declared one, assessed."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from returns.result import Failure, Success

from fastapi_easy.application.migrations.assessing.assessor import Assessment
from fastapi_easy.application.migrations.collaborators import MigrationCollaborators
from fastapi_easy.application.migrations.planning.history_reading import (
    describe_drift,
    describe_newer_program,
    describe_unwritten,
)
from fastapi_easy.domain.errors import Outcome
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.policy import Suppression
from fastapi_easy.domain.migrations.risk import Statistics
from fastapi_easy.domain.migrations.run import History
from fastapi_easy.domain.ports.migration_scripts import ScriptPart, ScriptSource
from fastapi_easy.domain.ports.schema_store import Draft, StoredSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """A plan, and what it was made from.

    Attributes:
        plan: The plan.

        history: The ledger.

        stored: The stored schema.

        ahead: How a newer program has migrated the database, a sentence; empty when none has.
    """

    plan: MigrationPlan
    history: History
    stored: StoredSchema
    ahead: str = ""


class Planner:
    """Makes plans, and writes nothing."""

    def __init__(self, collaborators: MigrationCollaborators) -> None:
        self._store = collaborators.store
        self._assessor = collaborators.assessor
        self._scripts = collaborators.scripts

    async def look(self, hints: Hints, *, from_models: bool = False) -> Outcome[Outlook]:
        """Make the plan for the database as it is now.

        Args:
            hints: What only a person knows.

            from_models: Compare with the declared schema even where there are scripts.

        Fails with:
            MigrationStopped: The scripts do not belong to this database, or the declared schema cannot be reached.

            Unavailable: The database does not answer.
        """
        history = await self._store.history()
        if isinstance(history, Failure):
            return history
        known = history.unwrap()
        if self._scripts is not None and self._scripts.has_scripts and not from_models:
            return await self._from_scripts(self._scripts, known, hints)
        draft = await self._store.draft(hints)
        if isinstance(draft, Failure):
            return draft
        return await self.assess(draft.unwrap(), known)

    async def assess(
        self, draft: Draft, history: History, *, parts: Sequence[ScriptPart] = (), source: str = "models"
    ) -> Outcome[Outlook]:
        """Make a plan of *draft*, which comes from *parts* of scripts or from a comparison."""
        suppressions = [each for part in parts for each in part.suppressions]
        judged = await self._judge(draft, suppressions)
        if isinstance(judged, Failure):
            return judged
        assessment, statistics = judged.unwrap()
        stored = draft.stored
        ahead = "" if source == "files" else describe_newer_program(history, draft.declared)
        plan = MigrationPlan(
            database=self._store.name,
            dialect=self._store.dialect,
            server_version=stored.server_version,
            source=source,
            revisions=tuple(each.revision for each in parts),
            parent=history.head,
            schema_before=stored.fingerprint,
            declared=draft.declared,
            steps=assessment.steps,
            findings=(*assessment.findings, *(each for part in parts for each in part.findings)),
            drift=tuple(each for each in (*describe_drift(history, stored), ahead) if each),
            statistics=statistics,
        )
        return Success(Outlook(plan=plan, history=history, stored=stored, ahead=ahead))

    async def assess_again(self, plan: MigrationPlan, stored: StoredSchema) -> Outcome[MigrationPlan]:
        """Judge the steps of *plan* by the data of now: a document may be old, and says whatever its writer wanted."""
        judged = await self._judge(Draft(stored=stored, declared=plan.declared, steps=plan.steps), ())
        if isinstance(judged, Failure):
            return judged
        assessment, statistics = judged.unwrap()
        return Success(dataclasses.replace(plan, steps=assessment.steps, statistics=statistics))

    async def _from_scripts(self, scripts: ScriptSource, history: History, hints: Hints) -> Outcome[Outlook]:
        pending = await scripts.pending(history)
        if isinstance(pending, Failure):
            return pending
        stored = await self._store.describe()
        if isinstance(stored, Failure):
            return stored
        parts = pending.unwrap()
        steps = tuple(step for part in parts for step in part.steps)
        draft = Draft(stored=stored.unwrap(), declared="", steps=steps)
        looked = await self.assess(draft, history, parts=parts, source="files")
        if parts or isinstance(looked, Failure) or history.unfinished is not None:
            return looked
        # What the scripts that are left lead to, only the database can tell when they are applied.
        compared = await self._store.draft(hints)
        if isinstance(compared, Failure):
            return compared
        outlook, unwritten = looked.unwrap(), describe_unwritten(compared.unwrap().steps)
        plan = dataclasses.replace(outlook.plan, drift=(*outlook.plan.drift, *unwritten))
        return Success(dataclasses.replace(outlook, plan=plan))

    async def _judge(
        self, draft: Draft, suppressions: Sequence[Suppression]
    ) -> Outcome[tuple[Assessment, Statistics]]:
        changes = tuple(change for step in draft.steps for change in step.changes)
        questions = tuple(dict.fromkeys(self._assessor.questions(changes)))
        statistics = Statistics()
        if questions:
            measured = await self._store.measure(changes, questions)
            if isinstance(measured, Failure):
                return measured
            statistics = measured.unwrap()
        return Success((self._assessor.assess(draft, statistics, suppressions), statistics))
