"""What is done with the migration scripts of one relational database."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from alembic.util import rev_id
from returns.result import Failure, Success
from sqlalchemy import Connection

from fastapi_easy.domain.errors import NotFound, Outcome
from fastapi_easy.domain.migrations.hints import Hints
from fastapi_easy.domain.migrations.plan import MigrationPlan
from fastapi_easy.domain.migrations.policy import Suppression
from fastapi_easy.domain.migrations.risk import Statistics
from fastapi_easy.domain.migrations.run import History
from fastapi_easy.domain.migrations.step import Step
from fastapi_easy.domain.migrations.stopped import MigrationStop, MigrationStopped
from fastapi_easy.domain.migrations.suppressions import read_suppressions
from fastapi_easy.domain.ports.migration_scripts import ScriptPart
from fastapi_easy.infrastructure.migrations.relational.store import Comparison, RelationalSchemaStore
from fastapi_easy.infrastructure.migrations.scripts import version_table
from fastapi_easy.infrastructure.migrations.scripts.documents import PlanDocuments
from fastapi_easy.infrastructure.migrations.scripts.folder import ScriptFolder
from fastapi_easy.infrastructure.migrations.scripts.pending_scripts import steps_of
from fastapi_easy.infrastructure.migrations.scripts.recorded_steps import creating_steps
from fastapi_easy.infrastructure.migrations.scripts.refusal import ScriptRefusal
from fastapi_easy.infrastructure.migrations.scripts.script import Script
from fastapi_easy.infrastructure.migrations.scripts.version_table import RecordedRevision
from fastapi_easy.infrastructure.migrations.scripts.writing.new_script import write_script
from fastapi_easy.infrastructure.relational.server import detect_server

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """To which script a database has come.

    Attributes:
        revision: What its table of revisions says; `None` for nothing.

        place: How many scripts it has got.
    """

    revision: str | None
    place: int


class AlembicScripts:
    """Carries out `RelationalScripts`; whoever imports it imports Alembic.

    Args:
        store: The database that they are for.

        folder: Where they are.

        documents: How the plans beside them are written.
    """

    def __init__(self, store: RelationalSchemaStore, folder: Path, documents: PlanDocuments) -> None:
        self._store = store
        self._folder = ScriptFolder(folder)
        self._documents = documents

    async def pending(self, history: History) -> Outcome[Sequence[ScriptPart]]:
        """Return what the scripts do that the database has not got yet, in order.

        Which it has got, the table of Alembic says, so that Alembic may be used as well; without one, the ledger.

        Fails with:
            MigrationStopped: `NO_HISTORY`, `CHANGED`, `AHEAD` as the port says; `UNSUPPORTED` when a script does what
                only a database can answer.

            Unavailable: The database does not answer.
        """
        return await self._answer(lambda connection: self._pending(connection, history))

    async def make(self, plan: MigrationPlan, message: str, hints: Hints) -> Outcome[str]:
        """Write a script that does what *plan* does, and the plan beside it, and return where the script is.

        Fails with:
            MigrationStopped: `CHANGED` when the scripts are not in one line, `DRIFT` when the schema has changed since
                *plan* was made.

            Unavailable: The database does not answer.
        """

        def write(connection: Connection, comparison: Comparison) -> Outcome[str]:
            return self._refusable(lambda: Success(self._write(connection, comparison, plan, message, hints)))

        answered = await self._store.compare(hints, write)
        return answered if isinstance(answered, Failure) else answered.unwrap()

    async def stamp(self, revision: str | None, history: History) -> Outcome[Sequence[ScriptPart]]:
        """Return what records that the database is at *revision*, as the port says.

        Fails with:
            NotFound: There is no such script.

            MigrationStopped: The scripts are not in one line.
        """
        return await self._answer(lambda connection: self._stamp(connection, revision, history))

    def _write(
        self, connection: Connection, comparison: Comparison, plan: MigrationPlan, message: str, hints: Hints
    ) -> str:
        if plan.schema_before != comparison.stored.fingerprint or plan.declared != comparison.declared:
            raise ScriptRefusal(
                "the stored schema has changed since the plan was made: try again", MigrationStop.DRIFT
            )
        before = [each.revision for each in self._folder.read()]
        script = write_script(self._folder, rev_id(), message, comparison, hints, connection)
        recording = version_table.recording(
            script.revision,
            before[-1] if before else None,
            connection.dialect,
            checksum=script.checksum,
            on_existing=not before and not comparison.stored.is_empty,
        )
        self._documents.keep(
            script,
            dataclasses.replace(
                plan,
                source="files",
                revisions=(script.revision,),
                parent="",
                # Of the database of whoever has made it.
                drift=(),
                statistics=Statistics(),
                steps=(*plan.steps, recording),
            ),
        )
        return str(script.path)

    def _stamp(
        self, connection: Connection, revision: str | None, history: History
    ) -> Outcome[Sequence[ScriptPart]]:
        scripts = self._folder.read()
        names = [each.revision for each in scripts]
        recorded = version_table.read_revision(connection)
        if revision is None:
            if not scripts:
                return Success(())
            wanted = self._only(recorded) or names[-1]
        else:
            found = [each for each in names if each.startswith(revision)]
            if len(found) != 1 and revision not in names:
                return Failure(NotFound("migration script", revision))
            wanted = revision if revision in names else found[0]
        if wanted not in names:
            return Failure(NotFound("migration script", wanted))
        adopted = names[: names.index(wanted) + 1]
        known = {each for run in history.applied for each in run.revisions}
        steps: tuple[Step, ...] = ()
        if recorded.revisions != (wanted,):
            recording = version_table.recording(
                wanted,
                self._only(recorded),
                connection.dialect,
                checksum=scripts[names.index(wanted)].checksum,
            )
            steps = (*creating_steps(recorded, detect_server(connection), connection), recording)
        parts = [each for each in adopted if each not in known or (steps and each == wanted)]
        return Success([ScriptPart(revision=each, steps=steps if each == wanted else ()) for each in parts])

    def _pending(self, connection: Connection, history: History) -> Outcome[Sequence[ScriptPart]]:
        scripts = self._folder.read()
        if not scripts:
            return Success(())
        recorded = version_table.read_revision(connection)
        standing = self._standing(scripts, recorded, history)
        self._refuse_edited(scripts[: standing.place], history)
        left = scripts[standing.place :]
        if not left:
            return Success(())
        if standing.place == 0:
            self._refuse_unknown(connection, left[0])
        stored = self._store.describe_on(connection)
        server = detect_server(connection)
        compiled = steps_of(left, connection, server, stored, self._documents)
        before = standing.revision
        parts: list[ScriptPart] = []
        for script, steps in zip(left, compiled, strict=True):
            first = () if parts else creating_steps(recorded, server, connection)
            last = version_table.recording(
                script.revision, before, connection.dialect, checksum=script.checksum
            )
            parts.append(
                ScriptPart(
                    revision=script.revision,
                    steps=(*first, *steps, last),
                    suppressions=_suppressions(script),
                    path=str(script.path),
                )
            )
            before = script.revision
        return Success(parts)

    def _standing(
        self, scripts: Sequence[Script], recorded: RecordedRevision, history: History
    ) -> "_Standing":
        """Return what records a revision."""
        revision = self._only(recorded)
        if not recorded.exists:
            revision = next((each.revisions[-1] for each in history.applied if each.revisions), None)
        if revision is None:
            return _Standing(revision=None, place=0)
        names = [each.revision for each in scripts]
        if revision not in names:
            raise ScriptRefusal(
                f"the database is at revision {revision}, of which there is no script in {self._folder.path}: a newer "
                "program has migrated it, or a script is missing",
                MigrationStop.AHEAD,
            )
        return _Standing(revision=revision if recorded.exists else None, place=names.index(revision) + 1)

    def _only(self, recorded: RecordedRevision) -> str | None:
        if len(recorded.revisions) > 1:
            raise ScriptRefusal(
                f"the database is at several revisions, {', '.join(recorded.revisions)}: bring them together with "
                "Alembic, and let the scripts be in one line",
                MigrationStop.CHANGED,
            )
        return recorded.revisions[0] if recorded.revisions else None

    def _refuse_edited(self, applied: Sequence[Script], history: History) -> None:
        known: dict[str, str] = {}
        for run in reversed(history.applied):
            known |= self._documents.checksums(run)
        edited = [each for each in applied if known.get(each.revision, each.checksum) != each.checksum]
        if edited:
            names = ", ".join(str(each.path) for each in edited)
            raise ScriptRefusal(
                f"{names} was applied to this database and does something else now: take the change back, and write it "
                "as the next script",
                MigrationStop.CHANGED,
            )

    def _refuse_unknown(self, connection: Connection, first: Script) -> None:
        if self._store.describe_on(connection).is_empty:
            return
        if not self._documents.is_on_existing(first):
            raise ScriptRefusal(
                "the database has tables, and nobody knows which scripts have made them: say which it has already "
                "(migrate baseline --revision)",
                MigrationStop.NO_HISTORY,
            )

    async def _answer(self, work: Callable[[Connection], Outcome[T]]) -> Outcome[T]:
        answered = await self._store.ask(lambda connection: self._refusable(lambda: work(connection)))
        return answered if isinstance(answered, Failure) else answered.unwrap()

    def _refusable(self, work: Callable[[], Outcome[T]]) -> Outcome[T]:
        try:
            return work()
        except ScriptRefusal as error:
            return Failure(MigrationStopped(self._store.name, error.stop, str(error)))


def _suppressions(script: Script) -> tuple[Suppression, ...]:
    try:
        return tuple(read_suppressions(script.text))
    except ValueError as error:
        raise ScriptRefusal(f"{script.path}: {error}") from error
